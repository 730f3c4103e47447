package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// schemaURL names the format to Postman.
const schemaURL = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"

// The parts of a collection that are used, in Postman's words.
type (
	collection struct {
		Info     info       `json:"info"`
		Item     []folder   `json:"item"`
		Auth     auth       `json:"auth"`
		Variable []variable `json:"variable"`
	}
	info struct {
		Name        string `json:"name"`
		Description string `json:"description,omitempty"`
		Schema      string `json:"schema"`
	}
	folder struct {
		Name string `json:"name"`
		Item []item `json:"item"`
	}
	item struct {
		Name     string     `json:"name"`
		Event    []event    `json:"event,omitempty"`
		Request  request    `json:"request"`
		Response []struct{} `json:"response"`
	}
	event struct {
		Listen string `json:"listen"`
		Script script `json:"script"`
	}
	script struct {
		Type string   `json:"type"`
		Exec []string `json:"exec"`
	}
	request struct {
		Method      string   `json:"method"`
		Header      []header `json:"header"`
		Body        *body    `json:"body,omitempty"`
		URL         address  `json:"url"`
		Auth        *auth    `json:"auth,omitempty"`
		Description string   `json:"description,omitempty"`
	}
	header struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	}
	body struct {
		Mode    string          `json:"mode"`
		Raw     string          `json:"raw"`
		Options json.RawMessage `json:"options"`
	}
	address struct {
		Raw   string   `json:"raw"`
		Host  []string `json:"host"`
		Path  []string `json:"path"`
		Query []query  `json:"query,omitempty"`
	}
	query struct {
		Key         string `json:"key"`
		Value       string `json:"value"`
		Description string `json:"description,omitempty"`
		Disabled    bool   `json:"disabled,omitempty"`
	}
	auth struct {
		Type   string     `json:"type"`
		Basic  []variable `json:"basic,omitempty"`
		Bearer []variable `json:"bearer,omitempty"`
	}
	variable struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	}
)

// methods are those of a path, in the order in which a person tries them.
var methods = []string{"get", "post", "put", "patch", "delete"}

// document is an OpenAPI document as a tree; the order of its maps is kept.
type document struct {
	root yaml.MapSlice
}

// collection makes the collection of an API.
func (s source) collection() ([]byte, error) {
	var d document
	if err := yaml.UnmarshalWithOptions(s.yaml, &d.root, yaml.UseOrderedMap()); err != nil {
		return nil, err
	}
	about := child(d.root, "info")
	base := "http://127.0.0.1"
	if list, ok := get(d.root, "servers").([]any); ok && len(list) > 0 {
		base = text(get(list[0], "url"))
	}
	out := collection{
		Info:     info{text(get(about, "title")), strings.TrimSpace(text(get(about, "description"))), schemaURL},
		Auth:     s.auth(&d),
		Variable: append([]variable{{"baseUrl", base}}, s.vars...),
	}
	for _, p := range child(d.root, "paths") {
		for _, m := range methods {
			if op := child(p.Value, m); op != nil {
				s.add(&out, d.item(s, p.Key.(string), m, p.Value, op), op)
			}
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(out)
	return b.Bytes(), err
}

// auth is what the API asks for, by its first security scheme.
func (s source) auth(d *document) auth {
	for _, scheme := range child(child(d.root, "components"), "securitySchemes") {
		if text(get(scheme.Value, "scheme")) == "basic" {
			return auth{Type: "basic", Basic: []variable{{"username", "{{username}}"}, {"password", "{{password}}"}}}
		}
	}
	return auth{Type: "bearer", Bearer: []variable{{"token", "{{token}}"}}}
}

// add puts an item into the folder of its operation's first tag.
func (s source) add(c *collection, it item, op yaml.MapSlice) {
	name := "API"
	if tags, ok := get(op, "tags").([]any); ok && len(tags) > 0 {
		name = text(tags[0])
	}
	i := slices.IndexFunc(c.Item, func(f folder) bool { return f.Name == name })
	if i < 0 {
		c.Item = append(c.Item, folder{Name: name})
		i = len(c.Item) - 1
	}
	c.Item[i].Item = append(c.Item[i].Item, it)
}

// item is one request.
func (d *document) item(s source, path, method string, shared any, op yaml.MapSlice) item {
	id := text(get(op, "operationId"))
	it := item{
		Name: strings.TrimPrefix(path[strings.LastIndex(path, "/"):], "/"), Response: []struct{}{},
		Request: request{Method: strings.ToUpper(method), Header: []header{}, Description: text(get(op, "summary")), URL: d.address(path, shared, op)},
	}
	if open, ok := get(op, "security").([]any); ok && len(open) == 0 {
		it.Request.Auth = &auth{Type: "noauth"}
	}
	for _, when := range []string{"prerequest", "test"} {
		if lines := s.scripts[id][when]; len(lines) > 0 {
			it.Event = append(it.Event, event{when, script{"text/javascript", lines}})
		}
	}
	raw, has := s.bodies[id], s.bodies[id] != ""
	if media := child(child(child(op, "requestBody"), "content"), "application/json"); !has && media != nil {
		raw, has = d.example(media), true
	}
	if has {
		it.Request.Header = append(it.Request.Header, header{"Content-Type", "application/json"})
		it.Request.Body = &body{"raw", raw, json.RawMessage(`{"raw":{"language":"json"}}`)}
	}
	return it
}

// address is where a request goes, with its query.
func (d *document) address(path string, shared any, op yaml.MapSlice) address {
	a := address{Raw: "{{baseUrl}}" + path, Host: []string{"{{baseUrl}}"}, Path: strings.Split(strings.TrimPrefix(path, "/"), "/")}
	for _, from := range []any{shared, op} {
		list, _ := get(from, "parameters").([]any)
		for _, p := range list {
			p = d.follow(p)
			if text(get(p, "in")) != "query" {
				continue
			}
			required, _ := get(p, "required").(bool)
			key := text(get(p, "name"))
			value := "{{" + key + "}}"
			if !strings.EqualFold(key, "deviceID") {
				value = strings.Trim(d.sample(get(p, "schema"), 0), `"`)
			}
			a.Query = append(a.Query, query{key, value, text(get(p, "description")), !required})
		}
	}
	for i, q := range a.Query {
		if !q.Disabled {
			a.Raw += map[bool]string{true: "?", false: "&"}[i == 0] + q.Key + "=" + q.Value
		}
	}
	return a
}

// example is the body of a media type: its own example, else one made up from its schema.
func (d *document) example(media yaml.MapSlice) string {
	if v := get(media, "example"); v != nil {
		return pretty(v)
	}
	for _, e := range child(media, "examples") {
		if v := get(d.follow(e.Value), "value"); v != nil {
			return pretty(v)
		}
	}
	var b bytes.Buffer
	raw := d.sample(get(media, "schema"), 0)
	if json.Indent(&b, []byte(raw), "", "  ") != nil {
		return raw
	}
	return b.String()
}

// maxDepth ends schemas that hold themselves.
const maxDepth = 8

// sample is a JSON value that fits a schema.
func (d *document) sample(schema any, depth int) string {
	schema = d.follow(schema)
	for _, name := range []string{"example", "default", "const"} {
		if v := get(schema, name); v != nil {
			return compact(v)
		}
	}
	for _, name := range []string{"examples", "enum"} {
		if list, ok := get(schema, name).([]any); ok && len(list) > 0 {
			return compact(list[0])
		}
	}
	kind := get(schema, "type")
	for _, name := range []string{"oneOf", "anyOf", "allOf"} {
		if list, ok := get(schema, name).([]any); ok && len(list) > 0 && kind == nil && depth < maxDepth {
			return d.sample(list[0], depth+1)
		}
	}
	if list, ok := kind.([]any); ok && len(list) > 0 {
		kind = list[0]
	}
	switch text(kind) {
	case "boolean":
		return "false"
	case "integer", "number":
		return "0"
	case "string":
		return `""`
	case "array":
		if depth >= maxDepth || get(schema, "items") == nil {
			return "[]"
		}
		return "[" + d.sample(get(schema, "items"), depth+1) + "]"
	}
	var members []string
	for _, p := range child(schema, "properties") {
		if depth < maxDepth {
			members = append(members, fmt.Sprintf("%q:%s", p.Key, d.sample(p.Value, depth+1)))
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

// follow resolves a $ref within the document.
func (d *document) follow(v any) any {
	for range maxDepth {
		ref := text(get(v, "$ref"))
		if ref == "" {
			return v
		}
		v = d.root
		for _, name := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
			v = get(v, name)
		}
	}
	return v
}

func get(v any, key string) any {
	m, _ := v.(yaml.MapSlice)
	for _, e := range m {
		if fmt.Sprint(e.Key) == key {
			return e.Value
		}
	}
	return nil
}

func child(v any, key string) yaml.MapSlice {
	m, _ := get(v, key).(yaml.MapSlice)
	return m
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

func pretty(v any) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(compact(v)), "", "  ") != nil {
		return compact(v)
	}
	return b.String()
}

// compact prints a value of the document as JSON; members keep their order.
func compact(v any) string {
	switch v := v.(type) {
	case yaml.MapSlice:
		members := make([]string, len(v))
		for i, e := range v {
			members[i] = fmt.Sprintf("%q:%s", fmt.Sprint(e.Key), compact(e.Value))
		}
		return "{" + strings.Join(members, ",") + "}"
	case []any:
		items := make([]string, len(v))
		for i, e := range v {
			items[i] = compact(e)
		}
		return "[" + strings.Join(items, ",") + "]"
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "null"
	}
	return string(b)
}

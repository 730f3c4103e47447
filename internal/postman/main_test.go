package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// TestCollectionsAreCurrent holds the committed collections to the OpenAPI documents.
func TestCollectionsAreCurrent(t *testing.T) {
	for _, s := range sources() {
		want, err := s.collection()
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("..", "..", "docs", "api", s.file))
		if err != nil || string(got) != string(want) {
			t.Errorf("docs/api/%s is old (%v); run: make postman", s.file, err)
		}
	}
}

// TestCollectionsAreWhole: every operation is there once, requests with a body have one that is JSON once its variables
// are filled in, and each variable that is used is there or is set by a script.
func TestCollectionsAreWhole(t *testing.T) {
	for _, s := range sources() {
		b, err := s.collection()
		if err != nil {
			t.Fatal(err)
		}
		var c collection
		if err := json.Unmarshal(b, &c); err != nil {
			t.Fatal(err)
		}
		if c.Info.Schema != schemaURL || c.Info.Name == "" {
			t.Errorf("%s: %+v", s.file, c.Info)
		}
		known := map[string]bool{}
		for _, v := range c.Variable {
			known[v.Key] = true
		}
		requests := map[string]bool{}
		for _, f := range c.Item {
			for _, it := range f.Item {
				key := it.Request.Method + " " + it.Request.URL.Raw
				if requests[key] {
					t.Errorf("%s: %s twice", s.file, key)
				}
				requests[key] = true
				check(t, s.file+" "+key, it, known)
			}
		}
		if n := strings.Count(string(s.yaml), "operationId:"); n != len(requests) || n == 0 {
			t.Errorf("%s: %d requests, the document has %d operations", s.file, len(requests), n)
		}
	}
}

func check(t *testing.T, name string, it item, known map[string]bool) {
	t.Helper()
	scripts := ""
	for _, e := range it.Event {
		scripts += strings.Join(e.Script.Exec, "\n")
	}
	texts := it.Request.URL.Raw
	if b := it.Request.Body; b != nil {
		texts += b.Raw
		if !json.Valid([]byte(b.Raw)) {
			t.Errorf("%s: body %s", name, b.Raw)
		}
	}
	for _, part := range strings.Split(texts, "{{")[1:] {
		variable, _, _ := strings.Cut(part, "}}")
		if !known[variable] && !strings.Contains(scripts, "set('"+variable+"'") {
			t.Errorf("%s: nobody sets {{%s}}", name, variable)
		}
	}
}

// Alternatives beside a type narrow its values; alone, the first of them stands for all.
func TestSample(t *testing.T) {
	for schema, want := range map[string]string{
		"{type: integer, anyOf: [{minimum: 48}, {maximum: 9}]}": "0",
		"{anyOf: [{type: string}, {type: integer}]}":            `""`,
		"{oneOf: [{type: array}, {type: object}]}":              "[]",
		"{type: [integer, string]}":                             "0",
		"{type: object, properties: {A: {type: boolean}}}":      `{"A":false}`,
	} {
		var in yaml.MapSlice
		if err := yaml.UnmarshalWithOptions([]byte(schema), &in, yaml.UseOrderedMap()); err != nil {
			t.Fatal(err)
		}
		if got := new(document).sample(in, 0); got != want {
			t.Errorf("%s: %s, want %s", schema, got, want)
		}
	}
}

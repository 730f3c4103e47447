package uposapi

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"coffer/upos"
)

// asyncDocument is what the tests need of asyncapi.yaml.
type asyncDocument struct {
	AsyncAPI string `yaml:"asyncapi"`
	Channels map[string]struct {
		Address string `yaml:"address"`
	} `yaml:"channels"`
	Components struct {
		Schemas map[string]any `yaml:"schemas"`
	} `yaml:"components"`
}

func readAsync(t *testing.T) asyncDocument {
	t.Helper()
	var doc asyncDocument
	if err := yaml.Unmarshal(AsyncAPI, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// asyncSchema returns a schema of asyncapi.yaml: they are JSON Schema, as those of OpenAPI 3.1.
func asyncSchema(t *testing.T, name string) *openapi3.Schema {
	t.Helper()
	text, err := yaml.Marshal(map[string]any{
		"openapi": "3.1.0", "info": map[string]any{"title": "x", "version": "1"}, "paths": map[string]any{},
		"components": map[string]any{"schemas": readAsync(t).Components.Schemas},
	})
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	s := doc.Components.Schemas[name]
	if s == nil {
		t.Fatalf("asyncapi.yaml has no schema %s", name)
	}
	return s.Value
}

// TestDocumentsAgree: both describe the same event at the same address.
func TestDocumentsAgree(t *testing.T) {
	async := readAsync(t)
	if async.AsyncAPI != "3.0.0" || async.Channels["events"].Address != root+"/handles/{handle}/events" {
		t.Errorf("%+v", async)
	}
	doc, err := openapi3.NewLoader().LoadFromData(OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	theirs, ours := doc.Components.Schemas["Event"].Value, asyncSchema(t, "Event")
	if diff := cmp.Diff(theirs.Required, ours.Required); diff != "" {
		t.Error(diff)
	}
	names := func(s *openapi3.Schema) (list []string) {
		for name := range s.Properties {
			list = append(list, name)
		}
		slices.Sort(list)
		return list
	}
	if diff := cmp.Diff(names(theirs), names(ours)); diff != "" {
		t.Error(diff)
	}
	for _, class := range upos.Classes() {
		if !slices.Contains(doc.Components.Schemas["Class"].Value.Enum, any(string(class))) {
			t.Errorf("openapi.yaml does not know the class %s", class)
		}
	}
}

// TestExample: the page needs nothing but this coffer, uses members that exist, and its script is one.
func TestExample(t *testing.T) { synctest.Test(t, testExample) }

func testExample(t *testing.T) {
	v, _ := till(t, 0)
	status, page := v.raw(http.MethodGet, root+"/example", "")
	if status != 200 {
		t.Fatal(status)
	}
	if found := regexp.MustCompile(`(src|href)=|https?://[a-z]|@import|url\(`).FindString(page); found != "" {
		t.Errorf("the page reaches for %s", found)
	}
	known := func(name string, method bool) bool {
		return slices.ContainsFunc(upos.Members(upos.CashChanger), func(m upos.Member) bool { return m.Name == name && m.Method == method })
	}
	used := 0
	for _, m := range regexp.MustCompile(`(?:call|pay)\('(\w+)'|data-call="(\w+)"`).FindAllStringSubmatch(page, -1) {
		if used++; !known(m[1]+m[2], true) {
			t.Errorf("no method %s", m[1]+m[2])
		}
	}
	for _, m := range regexp.MustCompile(`(?:get|set)\('(\w+)'|data-set="(\w+)"`).FindAllStringSubmatch(page, -1) {
		if used++; !known(m[1]+m[2], false) {
			t.Errorf("no property %s", m[1]+m[2])
		}
	}
	if used < 15 {
		t.Errorf("only %d members used", used)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return // checked where there is one
	}
	script := regexp.MustCompile(`(?s)<script>(.*)</script>`).FindStringSubmatch(page)
	file := filepath.Join(t.TempDir(), "example.js")
	if err := os.WriteFile(file, []byte(script[1]), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(node, "--check", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

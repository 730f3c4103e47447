package ops

import (
	"fmt"
	"html"
	"net/http"
	"strings"

	"github.com/gorilla/mux"

	"coffer/httpapi"
)

// Document is the OpenAPI document of one API.
type Document struct {
	Name  string // of its file: "cashdevice" is served as /openapi/cashdevice.yaml
	Title string
	YAML  []byte
}

// path is where the document is served.
func (d Document) path() string { return "/openapi/" + d.Name + ".yaml" }

// index lists the documents: a page for browsers, JSON for programs.
func (a *api) index(w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		list := make([]map[string]string, 0, len(a.Documents))
		for _, d := range a.Documents {
			list = append(list, map[string]string{"name": d.Name, "title": d.Title, "url": d.path()})
		}
		answer(w, http.StatusOK, map[string]any{"documents": list})
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, "<!doctype html><html lang=en><title>coffer APIs</title><h1>APIs</h1><ul>")
	for _, d := range a.Documents {
		fmt.Fprintf(w, "<li><a href=%q>%s</a>", d.path(), html.EscapeString(d.Title))
	}
	fmt.Fprint(w, "</ul></html>")
}

// document serves one document.
func (a *api) document(w http.ResponseWriter, r *http.Request) {
	want := mux.Vars(r)["document"]
	for _, d := range a.Documents {
		if want == d.Name+".yaml" {
			w.Header().Set("Content-Type", "application/yaml; charset=utf-8")
			_, _ = w.Write(d.YAML)
			return
		}
	}
	httpapi.Text(w, http.StatusNotFound, "No such document; /openapi/ lists them")
}

package config

import (
	"fmt"
	"os"
	"regexp"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Version is the version of the file format that this program writes and reads.
const Version = 1

// maxSize bounds a configuration file, in bytes: a wrong path must not read a disk image.
const maxSize = 1 << 20

// Load reads and checks the file. lookup answers for the environment in ${NAME} (os.LookupEnv). Its errors are *Error,
// or the operating system's where the file cannot be read.
func Load(file string, lookup func(string) (string, bool)) (*Config, error) {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, err
	case info.Size() > maxSize:
		return nil, &Error{File: file, Reason: fmt.Sprintf("is %d bytes long; a configuration has at most %d", info.Size(), maxSize)}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return Parse(file, text, lookup)
}

// Parse reads and checks text, which is called name in errors (*Error). The result has every default filled in by the
// package that owns it when it is used, never here, so that a shown configuration says what the file says.
func Parse(name string, text []byte, lookup func(string) (string, bool)) (*Config, error) {
	doc := &document{name: name, text: text}
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, doc.locate(err)
	}
	if len(tree.Docs) != 1 || tree.Docs[0].Body == nil {
		return nil, &Error{File: name, Reason: "holds no configuration; `coffer config init` writes one"}
	}
	doc.root = tree.Docs[0].Body
	if err := expand(doc, lookup); err != nil {
		return nil, err
	}
	if err := checkVersion(doc); err != nil {
		return nil, err
	}
	cfg := &Config{}
	if err := yaml.NodeToValue(doc.root, cfg, yaml.Strict()); err != nil {
		return nil, doc.locate(err)
	}
	if err := cfg.Validate(); err != nil {
		return nil, doc.locate(err)
	}
	cfg.text = doc
	return cfg, nil
}

// checkVersion comes before the strict read, because a file of another version has other keys.
func checkVersion(doc *document) error {
	var head struct {
		Version *int `yaml:"version"`
	}
	if err := yaml.NodeToValue(doc.root, &head); err != nil {
		return doc.locate(err)
	}
	switch {
	case head.Version == nil:
		return &Error{File: doc.name, Key: "version", Reason: fmt.Sprintf("is missing; write version: %d", Version)}
	case *head.Version != Version:
		return doc.locate(fault("version", "is %d; this program reads version %d", *head.Version, Version))
	}
	return nil
}

var reference = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// expand replaces ${NAME} in the text values (not the keys) of the tree by the environment.
func expand(doc *document, lookup func(string) (string, bool)) error {
	e := &expander{doc: doc, lookup: lookup}
	ast.Walk(e, doc.root)
	return e.err
}

type expander struct {
	doc    *document
	lookup func(string) (string, bool)
	err    error
}

// Visit implements ast.Visitor.
func (e *expander) Visit(n ast.Node) ast.Visitor {
	if pair, ok := n.(*ast.MappingValueNode); ok {
		ast.Walk(e, pair.Value)
		return nil // the key stays as it is
	}
	s, ok := n.(*ast.StringNode)
	if !ok {
		return e
	}
	s.Value = reference.ReplaceAllStringFunc(s.Value, func(ref string) string {
		name := reference.FindStringSubmatch(ref)[1]
		v, ok := e.lookup(name)
		if !ok && e.err == nil {
			p := n.GetToken().Position
			e.err = e.doc.at(p.Line, p.Column, "", fmt.Sprintf("environment variable %s is not set", name))
		}
		return v
	})
	return e
}

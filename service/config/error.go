package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// Error is a fault in a configuration file. Its text is one line: file, position, what is wrong, and the line at fault.
type Error struct {
	File   string
	Line   int    // from 1; 0 if the fault has no place in the text
	Column int    // from 1
	Key    string // path of the key at fault as "lines[0].devices[1].address", "" if it is not known
	Source string // the line at fault, without the white space around it
	Reason string
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
	}
	b.WriteString(": ")
	if e.Key != "" {
		b.WriteString(e.Key + ": ")
	}
	b.WriteString(e.Reason)
	if e.Line > 0 {
		fmt.Fprintf(&b, " (line %d: %s)", e.Line, e.Source)
	}
	return b.String()
}

// keyed is an error that knows the key at fault. The Validate methods of the packages that own a section return it.
type keyed interface {
	error
	Key() string
}

// keyError is a fault at a key, found after the text was read.
type keyError struct{ key, reason string }

func (e *keyError) Error() string { return e.key + ": " + e.reason }

// Key returns the path of the key at fault.
func (e *keyError) Key() string { return e.key }

func fault(key, format string, args ...any) error {
	return &keyError{key, fmt.Sprintf(format, args...)}
}

// under moves a fault that a section found to its place in the file.
func under(section string, err error) error {
	var k keyed
	if !errors.As(err, &k) {
		return fault(section, "%s", err)
	}
	return fault(section+"."+k.Key(), "%s", strings.TrimPrefix(k.Error(), k.Key()+": "))
}

// document is the text of a file and its tree, for finding positions.
type document struct {
	name string
	text []byte
	root ast.Node
}

// line returns line n of the text, from 1, without the white space around it.
func (d *document) line(n int) string {
	lines := strings.Split(string(d.text), "\n")
	if n < 1 || n > len(lines) {
		return ""
	}
	return strings.TrimSpace(lines[n-1])
}

func (d *document) at(line, column int, key, reason string) *Error {
	return &Error{File: d.name, Line: line, Column: column, Key: key, Source: d.line(line), Reason: reason}
}

// locate turns err into an *Error with the best position there is for it.
func (d *document) locate(err error) error {
	var y yaml.Error
	var k keyed
	switch {
	case err == nil:
		return nil
	case errors.As(err, &k):
		line, column := d.position(k.Key())
		return d.at(line, column, k.Key(), strings.TrimPrefix(k.Error(), k.Key()+": "))
	case errors.As(err, &y) && y.GetToken() != nil:
		p := y.GetToken().Position
		return d.at(p.Line, p.Column, "", readable(y))
	default:
		return &Error{File: d.name, Reason: err.Error()}
	}
}

// readable is the YAML library's message in our words.
func readable(err yaml.Error) string {
	var unknown *yaml.UnknownFieldError
	var duplicate *yaml.DuplicateKeyError
	var kind *yaml.TypeError
	var overflow *yaml.OverflowError
	value := err.GetToken().Value
	switch {
	case errors.As(err, &unknown):
		return fmt.Sprintf("unknown key %q; `coffer config show --reference` lists the keys", value)
	case errors.As(err, &duplicate):
		return fmt.Sprintf("key %q stands twice", value)
	case errors.As(err, &kind):
		return fmt.Sprintf("%q is not %s", value, wanted(kind.DstType))
	case errors.As(err, &overflow):
		return fmt.Sprintf("%s is out of range", overflow.SrcNum)
	case strings.Contains(err.GetMessage(), "'\t'"):
		return "a tab stands where the line begins; indent with spaces"
	}
	return err.GetMessage()
}

// wanted names a type as people write its values.
func wanted(t reflect.Type) string {
	if t == reflect.TypeFor[time.Duration]() {
		return "a duration, such as 60s"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map, reflect.Pointer:
		return "a group of keys"
	case reflect.Float32, reflect.Float64:
		return "a number"
	}
	return "a whole number"
}

// position finds the key in the tree. Where the key itself is absent, the nearest parent that is there stands in for it.
func (d *document) position(key string) (line, column int) {
	for ; key != ""; key = parent(key) {
		path, err := yaml.PathString("$." + key)
		if err != nil {
			continue
		}
		node, err := path.FilterNode(d.root)
		if err != nil || node == nil || node.GetToken() == nil {
			continue
		}
		p := first(node).GetToken().Position
		return p.Line, p.Column
	}
	return 0, 0
}

// first is where the text of node begins: the tree gives a mapping the place of its first colon.
func first(node ast.Node) ast.Node {
	switch n := node.(type) {
	case *ast.MappingNode:
		if len(n.Values) > 0 {
			return n.Values[0].Key
		}
	case *ast.MappingValueNode:
		return n.Key
	}
	return node
}

// parent cuts the last element off a path: a.b[1].c, a.b[1], a.b, a, "".
func parent(key string) string {
	return key[:max(strings.LastIndexAny(key, ".["), 0)]
}

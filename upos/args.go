package upos

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
)

// convert makes value a type of the members file: "boolean" bool, "int32" int32, "string" string.
func convert(kind string, value any) (any, error) {
	switch kind {
	case "boolean":
		if b, ok := value.(bool); ok {
			return b, nil
		}
	case "string":
		if s, ok := value.(string); ok {
			return s, nil
		}
	case "int32":
		if n, ok := whole(value); ok {
			return n, nil
		}
	}
	article := "a"
	if kind == "int32" {
		article = "an"
	}
	if s, ok := value.(string); ok {
		return nil, fmt.Errorf("the text %q is not %s %s", s, article, kind)
	}
	return nil, fmt.Errorf("%v is not %s %s", value, article, kind)
}

// whole reads any kind of number that is whole and fits.
func whole(value any) (int32, bool) {
	if n, ok := value.(json.Number); ok {
		i, err := n.Int64()
		return int32(i), err == nil && i == int64(int32(i))
	}
	v := reflect.ValueOf(value)
	switch {
	case !v.IsValid():
		return 0, false
	case v.CanInt():
		return int32(v.Int()), v.Int() == int64(int32(v.Int()))
	case v.CanUint():
		return int32(v.Uint()), v.Uint() <= math.MaxInt32
	case v.CanFloat():
		f := v.Float()
		return int32(f), f == math.Trunc(f) && f >= math.MinInt32 && f <= math.MaxInt32
	}
	return 0, false
}

// arguments checks the arguments of a call: each in parameter is there, of its type, and nothing else is. Names are
// compared without regard to case. An inout parameter that is left out is 0 or "".
func arguments(m Member, given map[string]any) (map[string]any, error) {
	out := map[string]any{}
	used := 0
	for _, p := range m.Params {
		if p.Dir == "out" {
			continue
		}
		value, ok := lookFold(given, p.Name)
		switch {
		case ok:
			used++
			v, err := convert(p.Type, value)
			if err != nil {
				return nil, fail(E_ILLEGAL, "%s: %s: %v", m.Name, p.Name, err)
			}
			out[p.Name] = v
		case p.Dir == "inout" && p.Type == "string":
			out[p.Name] = ""
		case p.Dir == "inout":
			out[p.Name] = int32(0)
		default:
			return nil, fail(E_ILLEGAL, "%s: give the argument %s (%s)", m.Name, p.Name, p.Type)
		}
	}
	if used != len(given) {
		return nil, fail(E_ILLEGAL, "%s takes %s", m.Name, names(m))
	}
	return out, nil
}

func lookFold(given map[string]any, name string) (any, bool) {
	if v, ok := given[name]; ok {
		return v, true
	}
	for k, v := range given {
		if strings.EqualFold(k, name) {
			return v, true
		}
	}
	return nil, false
}

// names says which arguments a method takes.
func names(m Member) string {
	var list []string
	for _, p := range m.Params {
		if p.Dir != "out" {
			list = append(list, p.Name)
		}
	}
	if list == nil {
		return "no argument"
	}
	return strings.Join(list, ", ") + " and no other argument"
}

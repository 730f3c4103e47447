package config

import (
	"reflect"
	"strings"
	"testing"
)

// keys lists the yaml keys of Config and of everything in it.
func keys(t *testing.T) []string {
	t.Helper()
	var list []string
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice:
			walk(typ.Elem())
		case reflect.Struct:
			for i := range typ.NumField() {
				if !typ.Field(i).IsExported() {
					continue
				}
				name, _, _ := strings.Cut(typ.Field(i).Tag.Get("yaml"), ",")
				switch name {
				case "":
					t.Errorf("%s.%s has no yaml key", typ, typ.Field(i).Name)
				case "-":
				default:
					list = append(list, name)
					walk(typ.Field(i).Type)
				}
			}
		}
	}
	walk(reflect.TypeFor[Config]())
	return list
}

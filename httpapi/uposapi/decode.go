package uposapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"reflect"
	"strings"
)

// read decodes the body into v: one JSON object without unknown members. An empty body leaves v as it is.
func (c *call) read(v any) error {
	dec := json.NewDecoder(c.r.Body)
	dec.DisallowUnknownFields()
	dec.UseNumber()
	err := dec.Decode(v)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case errors.As(err, &tooLarge):
		return err
	case err != nil:
		return malformed("the body is not as documented: " + mistake(err))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return malformed("something follows the JSON object in the body")
	}
	return nil
}

// mistake says what is wrong with a body, without the names of our own types.
func mistake(err error) string {
	var kind *json.UnmarshalTypeError
	if !errors.As(err, &kind) {
		return strings.TrimPrefix(err.Error(), "json: ")
	}
	got, want := kind.Value, "an object"
	if kind.Type.Kind() == reflect.String {
		want = "a string"
	}
	article := "a "
	if strings.HasPrefix(got, "array") || strings.HasPrefix(got, "object") {
		article = "an "
	}
	text := article + got + " in place of " + want
	if kind.Field != "" {
		text = kind.Field + ": " + text
	}
	return text
}

// plain turns a JSON value into a bool, an int32 or a string. Anything else is malformed; what names it in the error.
func plain(what string, v any) (any, error) {
	switch v := v.(type) {
	case bool, string:
		return v, nil
	case json.Number:
		f, err := v.Float64()
		if err != nil || f != math.Trunc(f) || f < math.MinInt32 || f > math.MaxInt32 {
			return nil, malformed(fmt.Sprintf("%s: %s is not a whole number of 32 bits", what, v))
		}
		return int32(f), nil
	}
	return nil, malformed(what + ": give a number, a text, true or false")
}

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestGeneratedFilesAreCurrent makes the files anew and compares.
func TestGeneratedFilesAreCurrent(t *testing.T) {
	const dir = "../.."
	files, err := Generate(filepath.Join(dir, "testdata"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the vectors say: run go generate ./upos", name)
		}
	}
}

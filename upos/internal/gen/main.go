// Command gen writes codes.go and members.go of package upos from the vectors in its testdata, so that no name or number
// of the standard is typed by hand. It is run by go generate.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	dir := flag.String("dir", ".", "directory of package upos")
	flag.Parse()
	if err := write(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// write generates both files into dir.
func write(dir string) error {
	files, err := Generate(filepath.Join(dir, "testdata"))
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

package service

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// The files in DATA_DIR/run that let programs find what runs.
const (
	endpointsFile = "endpoints.json" // coffer run
	simFile       = "sim.json"       // coffer sim serve
)

// endpoints is DATA_DIR/run/endpoints.json: "pid", and a URL for each name that is served (contract, section 3).
type endpoints map[string]any

// url returns the address of name, "" if it is not served.
func (e endpoints) url(name string) string {
	s, _ := e[name].(string)
	return s
}

// writeRun writes DATA_DIR/run/name as JSON by rename, so that a reader sees the old file, or the new one, or none.
func writeRun(dataDir, name string, v any) error {
	dir := filepath.Join(dataDir, "run")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, name), append(b, '\n'), 0o644)
}

// writeFile replaces path by rename.
func writeFile(path string, b []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(mode), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// removeRun removes DATA_DIR/run/name at a clean stop.
func removeRun(dataDir, name string) error {
	err := os.Remove(filepath.Join(dataDir, "run", name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// readRun reads DATA_DIR/run/name into v.
func readRun(dataDir, name string, v any) error {
	b, err := os.ReadFile(filepath.Join(dataDir, "run", name))
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

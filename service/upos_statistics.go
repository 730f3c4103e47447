package service

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"coffer/upos"
)

// statisticsFile keeps the statistics of UnifiedPOS devices in one file of the data directory.
type statisticsFile string

// Load implements upos.Keeper. A file that cannot be read is put aside under the name .broken.
func (f statisticsFile) Load() (map[string]upos.Saved, error) {
	text, err := os.ReadFile(string(f))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	var all map[string]upos.Saved
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w; it is put aside as .broken", string(f), err), os.Rename(string(f), string(f)+".broken"))
	}
	return all, nil
}

// Save implements upos.Keeper.
func (f statisticsFile) Save(all map[string]upos.Saved) error {
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return writeFile(string(f), append(text, '\n'), 0o600)
}

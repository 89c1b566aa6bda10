package history

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
)

// Save writes the history into dir, a file a kind, an item a line.
func (h *History) Save(dir string) error {
	if err := saveLines(filepath.Join(dir, "operations.jsonl"), h.Operations); err != nil {
		return err
	}
	if err := saveLines(filepath.Join(dir, "creates.jsonl"), h.Creates); err != nil {
		return err
	}
	if err := saveLines(filepath.Join(dir, "sessions.jsonl"), h.Sessions); err != nil {
		return err
	}
	if err := saveLines(filepath.Join(dir, "watches.jsonl"), h.Watches); err != nil {
		return err
	}
	return saveLines(filepath.Join(dir, "final.jsonl"), h.Final.Nodes)
}

func saveLines[T any](path string, items []T) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	buffered := bufio.NewWriter(file)
	encoder := json.NewEncoder(buffered)
	for _, item := range items {
		if err := encoder.Encode(item); err != nil {
			return err
		}
	}
	return buffered.Flush()
}

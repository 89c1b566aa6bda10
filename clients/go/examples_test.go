package pando_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The seven uses of examples/go.
func TestExamples(t *testing.T) {
	w := newWorld(t)
	examples, binaries := filepath.Join("..", "..", "examples"), t.TempDir()
	build := exec.Command("go", "build", "-o", binaries+"/", "./...")
	build.Dir = filepath.Join(examples, "go")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	check := exec.Command(filepath.Join(examples, "check"), "go", filepath.Join(binaries, "{}"))
	check.Env = append(os.Environ(), "PANDO_ENDPOINTS="+strings.Join(w.endpoints, ","))
	if out, err := check.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trailhound/trails/table"
)

// TestGuardFaults truncates a table while it is mapped, as a copy over it in
// place does, and reads on.
func TestGuardFaults(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "t.thd")
	var out, errs strings.Builder
	if code := execute(t.Context(), &streams{strings.NewReader(""), &out, &errs}, []string{"trails", "build", "-o", path, "../../trails/starter/trails.csv"}); code != exitDone {
		t.Fatalf("build: %d, %s", code, errs.String())
	}
	tb, err := table.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer tb.Close()
	errs.Reset()
	read := func() (code int) {
		defer guardFaults(&errs, &code)
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
		for range tb.All() {
		}
		return exitDone
	}
	if code := read(); code != exitFailed || strings.Count(errs.String(), "\n") != 1 {
		t.Errorf("code %d, %q", code, errs.String())
	}
}

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMakeWithoutGo: `sudo make run` often has no Go in its path. It takes the
// program that was built if no source is newer, and else says what to do.
func TestMakeWithoutGo(t *testing.T) {
	makes, err := exec.LookPath("make")
	if err != nil {
		t.Skip("needs make")
	}
	path := filepath.Join(t.TempDir(), "bin")
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tool := range []string{"sh", "find", "id"} {
		at, err := exec.LookPath(tool)
		if err != nil {
			t.Skip("needs ", tool)
		}
		if err := os.Symlink(at, filepath.Join(path, tool)); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	for _, name := range []string{"Makefile", "packaging/package.mk"} {
		text, err := os.ReadFile(filepath.Join("..", "..", name))
		if err != nil {
			t.Fatal(err)
		}
		writeTest(t, filepath.Join(dir, name), string(text))
	}
	old := time.Now().Add(-time.Hour)
	for _, name := range []string{"embed.go", "config.yaml", "go.mod", "go.sum", "cmd/a.go", "agent/a.go", "agent/a_test.go", "outputs/a.go", "trails/a.csv"} {
		writeTest(t, filepath.Join(dir, name), "")
		if err := os.Chtimes(filepath.Join(dir, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	run := func() (string, error) {
		cmd := exec.Command(makes, "binary")
		cmd.Dir, cmd.Env = dir, []string{"PATH=" + path}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run(); err == nil || !strings.Contains(out, "there is no bin/trailhound yet, and go is not in the PATH of ") || !strings.Contains(out, `Run "make build" as the user who has Go`) {
		t.Errorf("nothing built: %v: %s", err, out)
	}
	program := filepath.Join(dir, "bin", "trailhound")
	writeTest(t, program, "")
	if err := os.Chmod(program, 0o755); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(filepath.Join(dir, "agent", "a_test.go"), later, later); err != nil {
		t.Fatal(err)
	}
	if out, err := run(); err != nil || out != "" {
		t.Errorf("built: %v: %s", err, out)
	}
	if err := os.Chtimes(filepath.Join(dir, "trails", "a.csv"), later, later); err != nil {
		t.Fatal(err)
	}
	if out, err := run(); err == nil || !strings.Contains(out, "bin/trailhound is older than trails/a.csv") {
		t.Errorf("a source is newer: %v: %s", err, out)
	}
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"trailhound/trails"
)

// The order of design 9: --trails, the configured table, the state directory's,
// the starter set.
func TestOpenTrails(t *testing.T) {
	dir := t.TempDir()
	list := func(name string) string { return writeTest(t, filepath.Join(dir, name+".txt"), name+".example\n") }
	holds := func(name string, paths []string, set ...string) {
		t.Helper()
		var errs strings.Builder
		a := &app{streams: &streams{err: &errs}, configFile: filepath.Join(dir, "config.yaml"), set: set}
		writeTest(t, a.configFile, "state: "+dir+"\n")
		c, err := a.load()
		if err != nil {
			t.Fatal(err)
		}
		tab, what, err := a.openTrails(c, paths)
		if err != nil {
			t.Fatal(err)
		}
		defer tab.Close()
		if name == "starter" {
			if tab.Len() < 1000 || !strings.Contains(errs.String(), "starter set") || !strings.Contains(what, "starter set") {
				t.Errorf("%d trails, %q, %q", tab.Len(), what, errs.String())
			}
			return
		}
		if tab.Find(trails.Domain, []byte(name+".example")) == 0 || tab.Len() > 2 {
			t.Errorf("%s: %q", name, what)
		}
	}
	holds("starter", nil)
	trailsRun(t, dir, "trails", "build", list("state"))
	holds("state", nil)
	configured := list("configured")
	holds("configured", nil, "trails.table="+configured)
	holds("given", []string{list("given")}, "trails.table="+configured)
	holds("given", []string{list("given"), configured})
	holds("state", []string{filepath.Join(dir, tableFile), configured})
}

func TestOpenTrailsFails(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o644); err != nil {
		t.Skip("no FIFO here:", err)
	}
	for _, path := range []string{fifo, filepath.Join(dir, "absent"), writeTest(t, filepath.Join(dir, "empty"), ""),
		writeTest(t, filepath.Join(dir, "broken"), "TRLHND\r\n\x01")} {
		code, out, errs := trailsRun(t, dir, "trails", "stats", "--trails", path)
		if code != exitFailed || out != "" || !strings.Contains(errs, filepath.Base(path)) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s: code %d, %q", filepath.Base(path), code, errs)
		}
	}
}

// A table compiled on the fly leaves no file behind, and without a directory
// for it lies in memory.
func TestMapped(t *testing.T) {
	dir, tmp := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", tmp)
	list := writeTest(t, filepath.Join(dir, "list.txt"), "evil.example\n")
	for range 2 {
		if code, _, errs := trailsRun(t, dir, "trails", "lookup", "--trails", list, "evil.example"); code != exitDone {
			t.Error(errs)
		}
		if left, _ := os.ReadDir(tmp); len(left) != 0 {
			t.Errorf("%d files left behind", len(left))
		}
		t.Setenv("TMPDIR", filepath.Join(tmp, "absent"))
	}
}

func TestOpenWhitelist(t *testing.T) {
	dir := t.TempDir()
	own := writeTest(t, filepath.Join(dir, "own.txt"), "own.example\n!bad!\n")
	for _, c := range []struct {
		paths     []string
		set       []string
		own, corp bool // the entries of own.txt, the built-in ones
	}{
		{nil, nil, false, true},
		{nil, []string{"trails.whitelist=[" + own + "]"}, true, true},
		{nil, []string{"trails.whitelist=[" + own + "]", "trails.builtin_whitelist=false"}, true, false},
		{[]string{own}, nil, true, false},
		{[]string{"none"}, []string{"trails.whitelist=[" + own + "]"}, false, false},
	} {
		var errs strings.Builder
		a := &app{streams: &streams{err: &errs}, set: c.set, configFile: writeTest(t, filepath.Join(dir, "c.yaml"), "")}
		cfg, err := a.load()
		if err != nil {
			t.Fatal(err)
		}
		l, err := a.openWhitelist(cfg, c.paths)
		if err != nil {
			t.Fatal(err)
		}
		if l.Domain([]byte("a.own.example")) != c.own || l.Domain([]byte("localhost")) != c.corp {
			t.Errorf("%q %q: own %v, built-in %v", c.paths, c.set, l.Domain([]byte("a.own.example")), l.Domain([]byte("localhost")))
		}
		if c.own != strings.Contains(errs.String(), "own.txt:2") {
			t.Errorf("malformed line: %q", errs.String())
		}
	}
	for args, want := range map[string]int{"none": exitUsage, filepath.Join(dir, "absent"): exitFailed} {
		if code, _, errs := trailsRun(t, dir, "trails", "lint", "--whitelist", own, "--whitelist", args, own); code != want {
			t.Errorf("%s: code %d, %s", args, code, errs)
		}
	}
}

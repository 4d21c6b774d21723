package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trailhound/trails"
	"trailhound/trails/table"
)

func TestBuildIsDeterministic(t *testing.T) {
	dir, first, _ := testTable(t)
	second := filepath.Join(dir, "again.thd")
	trailsRun(t, dir, "trails", "build", "-o", second, "--seed", "1", "--time", "2026-01-02T03:04:05Z", filepath.Join(dir, "test.csv"))
	a, _ := os.ReadFile(first)
	b, _ := os.ReadFile(second)
	if len(a) == 0 || !bytes.Equal(a, b) {
		t.Error("the same input, seed and time give other bytes")
	}
	if !bytes.HasPrefix(a, []byte(tableMagic)) {
		t.Error("tables do not begin with the text by which they are known")
	}
	trailsRun(t, dir, "trails", "build", "-o", second, "--fresh", "--time", "2026-01-02T03:04:05Z", filepath.Join(dir, "test.csv"))
	if b, _ = os.ReadFile(second); bytes.Equal(a, b) {
		t.Error("the seed is not random")
	}
}

func TestBuildKeepsFirstSightings(t *testing.T) {
	dir := t.TempDir()
	list := writeTest(t, filepath.Join(dir, "list.txt"), "old.example\n")
	out := filepath.Join(dir, tableFile) // the state directory's, the default
	build := func(at string, more ...string) *table.Table {
		t.Helper()
		if code, _, errs := trailsRun(t, dir, append([]string{"trails", "build", "--time", at, list}, more...)...); code != exitDone {
			t.Fatalf("code %d: %s", code, errs)
		}
		tab, err := table.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { tab.Close() })
		return tab
	}
	build("2026-01-01T00:00:00Z")
	writeTest(t, list, "old.example\nnew.example\n")
	tab := build("2026-01-03T00:00:00Z")
	for name, day := range map[string]int{"old.example": 1, "new.example": 3} {
		if at := tab.FirstSeen(tab.Find(trails.Domain, []byte(name))); at.Day() != day {
			t.Errorf("%s first seen %v", name, at)
		}
	}
	tab = build("2026-01-04T00:00:00Z", "--fresh")
	if at := tab.FirstSeen(tab.Find(trails.Domain, []byte("old.example"))); at.Day() != 4 {
		t.Errorf("fresh, but first seen %v", at)
	}
}

// Several inputs of every form become one table; the later one wins a key and
// the sources of both are kept.
func TestBuildMerges(t *testing.T) {
	dir, compiled, _ := testTable(t)
	list := writeTest(t, filepath.Join(dir, "own.txt"), "# Reference: https://blog.example/1\nevil.example\nown.example\n")
	tree := filepath.Join(dir, "tree")
	writeTest(t, filepath.Join(tree, "static", "malware", "some_family.txt"), "# Reference: https://blog.example/2\ntree.example\n")
	out := filepath.Join(dir, "merged.thd")
	if code, _, errs := trailsRun(t, dir, "trails", "build", "--verify", "-o", out, compiled, tree, list); code != exitDone {
		t.Fatal(errs)
	}
	tab, err := table.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer tab.Close()
	if tab.Len() != 16 {
		t.Errorf("%d trails", tab.Len())
	}
	p := tab.Provenance(tab.Find(trails.Domain, []byte("evil.example")))
	if p.Info != "own" || len(p.Sources) != 2 || p.Sources[1].Name != "test.csv" || len(p.Sources[0].URLs) != 1 {
		t.Errorf("%+v", p)
	}
	if p := tab.Provenance(tab.Find(trails.Domain, []byte("tree.example"))); p.Info != "some family (malware)" {
		t.Errorf("%+v", p)
	}
}

func TestBuildFails(t *testing.T) {
	dir := t.TempDir()
	list := writeTest(t, filepath.Join(dir, "list.txt"), "evil.example\n")
	empty := writeTest(t, filepath.Join(dir, "empty.txt"), "# nothing\n")
	bad := writeTest(t, filepath.Join(dir, "bad.txt"), strings.Repeat("a b\n", 12))
	broken := writeTest(t, filepath.Join(dir, "broken.thd"), "TRLHND\nrest")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"-o", "-", list}, exitUsage, "standard output"},
		{[]string{"--time", "yesterday", list}, exitUsage, "RFC 3339"},
		{[]string{"--seed", "x", list}, exitUsage, "invalid argument"},
		{nil, exitUsage, "no list of trails is named"},
		{[]string{"-o", filepath.Join(dir, "no", "x.thd"), list}, exitFailed, "no such file"},
		{[]string{"-o", dir, list}, exitFailed, "not a regular file"},
		{[]string{"-o", list, list}, exitFailed, "no trail table"},
		{[]string{filepath.Join(dir, "absent")}, exitFailed, "absent"},
		{[]string{empty}, exitFailed, "no trails"},
		{[]string{bad}, exitFailed, "bad.txt:1"},
		{[]string{broken}, exitFailed, "not a trail table"},
		{[]string{"-o", "/dev/full", list}, exitFailed, "/dev/full"},
	} {
		args := append([]string{"trails", "build"}, c.args...)
		if len(c.args) > 0 && c.args[0] != "-o" {
			args = append(args, "-o", filepath.Join(dir, "out.thd"))
		}
		code, out, errs := trailsRun(t, dir, args...)
		if code != c.code || out != "" || !strings.Contains(errs, c.want) || strings.Contains(errs, "goroutine") {
			t.Errorf("%q: code %d, want %d, %q", c.args, code, c.code, errs)
		}
	}
	left, _ := os.ReadDir(dir)
	for _, e := range left {
		if strings.HasPrefix(e.Name(), ".") || e.Name() == "out.thd" {
			t.Errorf("%s was left behind", e.Name())
		}
	}
}

func TestVerify(t *testing.T) {
	dir, good, _ := testTable(t)
	data, _ := os.ReadFile(good)
	damage := func(name string, at int) string {
		b := bytes.Clone(data)
		b[at] ^= 0x40
		return writeTest(t, filepath.Join(dir, name), string(b))
	}
	if code, out, errs := trailsRun(t, dir, "trails", "verify", good); code != exitDone || !strings.HasSuffix(out, "good, 14 trails\n") || errs != "" {
		t.Errorf("code %d, %q, %q", code, out, errs)
	}
	open := writeTest(t, filepath.Join(dir, "open.thd"), string(data))
	os.Chmod(open, 0o666)
	for path, want := range map[string]string{
		damage("head.thd", 20): "damaged", damage("tail.thd", len(data)-3): "checksum", damage("magic.thd", 0): "not a trail table",
		writeTest(t, filepath.Join(dir, "cut.thd"), string(data[:len(data)/2])): "damaged", open: "not trusted", dir: "not trusted",
		filepath.Join(dir, "absent.thd"): "no such file",
	} {
		code, out, errs := trailsRun(t, dir, "trails", "verify", path, good)
		if code != exitFailed || !strings.Contains(errs, want) || !strings.Contains(errs, path) || !strings.Contains(out, "good") {
			t.Errorf("%s: code %d, %q, want %q", filepath.Base(path), code, errs, want)
		}
	}
}

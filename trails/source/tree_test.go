package source

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"trailhound/trails"
)

// plant writes files below a new directory.
func plant(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func staticTree(t *testing.T) string {
	return plant(t, map[string]string{
		"static/mass_scanner.txt":           "192.0.2.1\nroot-mal.example\nroot-sus.example\n",
		"static/malware/apt_b.txt":          "both.example\nroot-mal.example\nhist-mal.example\nown.example\n",
		"static/malware/apt_a.txt":          "both.example\nonly_a.example\n",
		"static/malicious/ek_x.txt":         "mal-sus.example\nhist-sus.example\n",
		"static/suspicious/bad_history.txt": "hist-mal.example\nhist-sus.example\nhist.example\n",
		"static/suspicious/domain.txt":      "mal-sus.example\nroot-sus.example\n",
		"static/suspicious/rows.csv":        "row.example,row info\r\nthree.example,a,b\r\n",
		"static/malware/deep/too_deep.txt":  "deep.example\n",
		"static/malware/readme.md":          "readme.example\n",
		"static/malware/.hidden.txt":        "hidden.example\n",
		"static/malware/empty.txt":          "# nothing\n",
		"custom/own_list.txt":               "own.example\nown-only.example\n",
		"custom/rows.csv":                   "custom-row.example,i\n",
		"feeds/x.txt":                       "feed.example\n",
	})
}

func TestReadTree(t *testing.T) {
	root := staticTree(t)
	c := &collected{}
	r, err := Read(root, c, Options{})
	if err != nil || r.Files != 9 || r.Malformed != 1 || r.Problems[0].File != "static/suspicious/rows.csv" {
		t.Fatalf("%+v %v", r, err)
	}
	want := map[string][3]string{
		"address 192.0.2.1":       {"mass scanner", "(static)", "static/mass_scanner.txt"},
		"domain root-mal.example": {"apt b (malware)", "(static)", "static/malware/apt_b.txt"},
		"domain root-sus.example": {"mass scanner", "(static)", "static/mass_scanner.txt"},
		"domain both.example":     {"apt b (malware)", "(static)", "static/malware/apt_b.txt"},
		"domain only_a.example":   {"apt a (malware)", "(static)", "static/malware/apt_a.txt"},
		"domain mal-sus.example":  {"ek x (malicious)", "(static)", "static/malicious/ek_x.txt"},
		"domain hist-sus.example": {"ek x (malicious)", "(static)", "static/malicious/ek_x.txt"},
		"domain hist-mal.example": {"apt b (malware)", "(static)", "static/malware/apt_b.txt"},
		"domain hist.example":     {"bad history (suspicious)", "(static)", "static/suspicious/bad_history.txt"},
		"domain row.example":      {"row info", "rows (static)", "static/suspicious/rows.csv"},
		"domain own.example":      {"apt b (malware)", "(static)", "static/malware/apt_b.txt"},
		"domain own-only.example": {"own list", "(custom)", "custom/own_list.txt"},
	}
	for name, w := range want {
		p, ok := c.trails[name]
		if !ok || p.Info != w[0] || p.Reference != w[1] || p.Sources[0].Name != w[2] {
			t.Errorf("%s: %+v, want %q", name, p, w)
		}
	}
	if len(c.trails) != len(want) {
		t.Errorf("%d trails, want %d: %q", len(c.trails), len(want), c.order)
	}

	// static/ itself, and what is below it as a folder of lists
	c = &collected{}
	if r, err := Read(filepath.Join(root, "static"), c, Options{}); err != nil || c.trails["domain own.example"].Sources[0].Name != "malware/apt_b.txt" || r.Files != 8 {
		t.Errorf("%+v %v", r, err)
	}
	c = &collected{}
	if _, err := Read(filepath.Join(root, "static", "malware"), c, Options{}); err != nil || c.trails["domain own.example"].Info != "apt b" || c.trails["domain own.example"].Reference != "(custom)" {
		t.Errorf("%+v %v", c.trails, err)
	}
}

func TestReadFindsOut(t *testing.T) {
	root := plant(t, map[string]string{
		"merged.csv": "a.example,i,r\n", "merged.txt": "# c\n\na.example,i,r\n", "header": "trail,info,reference\na.example,i,r\n",
		"my_list.txt": "# c\na.example\n", "list.csv": "a.example\n", "agents.txt": "ua:a,b,c\na.example\n",
	})
	for name, want := range map[string]string{"merged.csv": "i", "merged.txt": "i", "header": "i", "my_list.txt": "my list", "list.csv": "list", "agents.txt": "agents"} {
		c := &collected{}
		if _, err := Read(filepath.Join(root, name), c, Options{}); err != nil || c.trails["domain a.example"].Info != want || c.trails["domain a.example"].Sources[0].Name != name {
			t.Errorf("%s: %+v %v", name, c.trails, err)
		}
	}
	c := &collected{}
	if _, err := Read(filepath.Join(root, "my_list.txt"), c, Options{Name: "feed", Info: "info", Reference: "ref"}); err != nil || c.provenances[0].Info != "info" ||
		c.provenances[0].Reference != "ref" || c.provenances[0].Sources[0].Name != "feed" {
		t.Errorf("%+v %v", c.provenances, err)
	}
}

func TestReadRefuses(t *testing.T) {
	root := plant(t, map[string]string{"dir/a.txt": "a.example\n", "empty/x": "", "tree/malware/a.txt": "a.example\n", "utf16.txt": "\xFF\xFEa\x00"})
	pipe, loop := filepath.Join(root, "pipe"), filepath.Join(root, "loop")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("loop", loop); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("loop.txt", filepath.Join(root, "dir", "loop.txt")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(root, "tree", "malware", "pipe.txt"), 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		pipe: ErrNotRegular, loop: syscall.ELOOP, filepath.Join(root, "none"): os.ErrNotExist, filepath.Join(root, "empty"): ErrNoTrails,
		filepath.Join(root, "dir"): syscall.ELOOP, filepath.Join(root, "tree"): ErrNotRegular, filepath.Join(root, "utf16.txt"): ErrUTF16,
	} {
		_, err := Read(path, &collected{}, Options{})
		if !errors.Is(err, want) || !strings.Contains(err.Error(), filepath.Base(path)) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
	if os.Geteuid() != 0 {
		secret := filepath.Join(root, "secret")
		os.WriteFile(secret, []byte("a.example"), 0)
		if _, err := Read(secret, &collected{}, Options{}); !errors.Is(err, os.ErrPermission) {
			t.Error(err)
		}
	}
}

// A tree with a link to itself as a group is one level deep all the same.
func TestReadTreeFollowsNoLoop(t *testing.T) {
	root := plant(t, map[string]string{"static/malware/a.txt": "a.example\n"})
	if err := os.Symlink("..", filepath.Join(root, "static", "malware", "up")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("self", filepath.Join(root, "static", "self")); err != nil {
		t.Fatal(err)
	}
	c := &collected{}
	if r, err := Read(root, c, Options{}); err != nil || r.Trails != 1 || r.ByKind[trails.Domain] != 1 {
		t.Errorf("%+v %v", r, err)
	}
}

package generation

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"trailhound/agent/event"
	"trailhound/trails/table"
)

const (
	fault    = event.HealthTrailsFault
	rejected = event.HealthTrailsRejected
)

func TestOpenOrder(t *testing.T) {
	path := func(n int) func(*stand) {
		return func(s *stand) { publish(t, s.path, n, "new") }
	}
	good := func(s *stand) { publish(t, s.good(), 50, "good") }
	broken := func(s *stand) { os.WriteFile(s.path, []byte("not a table"), 0o644) }
	both := func(list ...func(*stand)) func(*stand) {
		return func(s *stand) {
			for _, f := range list {
				f(s)
			}
		}
	}
	for _, c := range []struct {
		name              string
		prepare           func(*stand)
		trails            int
		starter, fallback bool
		fault, rejected   string
	}{
		{"table", path(100), 100, false, false, "", ""},
		{"table and last good", both(path(10), good), 10, false, false, "", ""},
		{"first start", nil, 3, true, false, "", ""},
		{"missing", good, 50, false, true, "no such file or directory; the last good table is used", ""},
		{"broken", both(broken, good), 50, false, true, "", "not a trail table"},
		{"broken, nothing else", broken, 3, true, true, "", "not a trail table"},
		{"both broken", both(broken, func(s *stand) { os.WriteFile(s.good(), nil, 0o644) }), 3, true, true, "", "not a trail table"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStand(t, c.prepare)
			g := s.Current()
			if g.Number != 1 || g.Table.Len() != c.trails || g.Starter != c.starter || g.Fallback != c.fallback || g.Opened.IsZero() {
				t.Errorf("%d trails, %+v", g.Table.Len(), g)
			}
			if f, r := s.is(fault), s.is(rejected); !strings.Contains(f, c.fault) || !strings.Contains(r, c.rejected) || (f == "") != (c.fault == "") || (r == "") != (c.rejected == "") {
				t.Errorf("fault %q, rejected %q", f, r)
			}
		})
	}
	t.Run("configured and missing", func(t *testing.T) {
		s := newStand(t, nil, func(o *Options) { o.Configured = true })
		if g := s.Current(); !g.Starter || !g.Fallback || !strings.Contains(s.is(fault), s.path) || !strings.Contains(s.is(fault), "the starter set is used") {
			t.Errorf("%+v %s", g, s.all())
		}
		s.settled(t) // which is said already
		if s.is(rejected) != "" {
			t.Error(s.all())
		}
		publish(t, s.path, 100, "at last")
		s.settled(t)
		s.want(t, 2, 100)
		if s.is(fault) != "" {
			t.Error(s.all())
		}
	})
	t.Run("no path", func(t *testing.T) {
		s := newStand(t, good, func(o *Options) { o.Path = "" })
		if g := s.Current(); !g.Starter || g.Fallback || s.all() != "" {
			t.Errorf("%+v %s", g, s.all())
		}
		s.settled(t)
	})
	t.Run("nothing at all", func(t *testing.T) {
		dir := t.TempDir()
		no := errors.New("no starter")
		for _, starter := range []func() (*table.Table, error){nil, func() (*table.Table, error) { return nil, no }} {
			k, err := Open(Options{Path: filepath.Join(dir, "x.thd"), Starter: starter})
			if k != nil || !errors.Is(err, fs.ErrNotExist) || starter != nil && !errors.Is(err, no) || !strings.Contains(err.Error(), dir) {
				t.Errorf("got %v", err)
			}
		}
	})
}

// TestRename: a table that is renamed into place is used, and becomes the last
// good one.
func TestRename(t *testing.T) {
	s := newStand(t, nil)
	s.settled(t)
	publish(t, s.path, 100, "one")
	s.settled(t)
	s.want(t, 2, 100)
	first := s.Current()
	if got, err := os.ReadFile(s.good()); err != nil || !bytes.Equal(got, image(t, 100, "one")) {
		t.Errorf("the last good table is not a copy: %v", err)
	}
	a, _ := os.Stat(s.path)
	b, _ := os.Stat(s.good())
	if os.SameFile(a, b) {
		t.Error("the last good table is the same file and would share its fate")
	}
	if b.Mode() != 0o644 {
		t.Errorf("mode %v", b.Mode())
	}
	publish(t, s.path, 120, "two")
	s.settled(t)
	s.want(t, 3, 120)
	if first.unmapped.Load() {
		t.Error("unmapped though nobody said that it is released")
	}
	if got, _ := os.ReadFile(s.good()); !bytes.Equal(got, image(t, 120, "two")) {
		t.Error("the last good table is the old one")
	}
	// The same content again, in another file: it may be used or not, but it
	// must not be read again and again.
	s.settled(t)
	if s.look(t.Context()) {
		t.Error("looks again at what it knows")
	}
	if s.all() != "" {
		t.Errorf("reported: %s", s.all())
	}
	if left, _ := filepath.Glob(filepath.Join(s.dir, "state", "*")); len(left) != 1 {
		t.Errorf("left in the state directory: %v", left)
	}
}

// TestRefused: what is no usable table leaves the old one in use, says why, and
// is forgotten when a good one comes.
func TestRefused(t *testing.T) {
	move := func(b []byte, mode os.FileMode) func(string) error {
		return func(path string) error {
			if err := os.WriteFile(path+".part", b, mode); err != nil {
				return err
			}
			if err := os.Chmod(path+".part", mode); err != nil {
				return err
			}
			return os.Rename(path+".part", path)
		}
	}
	whole := image(t, 100, "other")
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-3] ^= 1 // in the last section: only its checksum tells
	for _, c := range []struct {
		name string
		make func(path string) error
		want string
	}{
		{"foreign", move([]byte(strings.Repeat("x", 5000)), 0o644), "not a trail table"},
		{"empty", move(nil, 0o644), "empty file"},
		{"half", move(whole[:len(whole)/2], 0o644), "damaged"},
		{"a few bytes", move(whole[:20], 0o644), "damaged"},
		{"damaged section", move(flipped, 0o644), "checksum of section"},
		{"writable by others", move(whole, 0o666), "lets others write"},
		{"too small", move(image(t, 49, "small"), 0o644), "49 trails, less than 0.5 of the 100 in use"},
		{"directory", func(p string) error { os.Remove(p); return os.Mkdir(p, 0o755) }, "not a regular file"},
		{"fifo", func(p string) error { os.Remove(p); return syscall.Mkfifo(p, 0o644) }, "not a regular file"},
		{"a link to itself", func(p string) error { os.Remove(p); return os.Symlink(p, p) }, "too many levels of symbolic links"},
		{"a stranger's", func(p string) error {
			if os.Geteuid() != 0 {
				t.Skip("only root can give a file away")
			}
			if err := move(whole, 0o644)(p + "x"); err != nil {
				return err
			}
			if err := os.Chown(p+"x", 12345, 0); err != nil {
				return err
			}
			return os.Rename(p+"x", p)
		}, "owned by user 12345"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStand(t, func(s *stand) { publish(t, s.path, 100, "first") })
			s.settled(t)
			if err := c.make(s.path); err != nil {
				t.Fatal(err)
			}
			s.settled(t)
			s.settled(t)
			s.want(t, 1, 100)
			if r := s.is(rejected); !strings.Contains(r, c.want) || strings.Count(r, s.path) != 1 || strings.Count(s.all(), "\n") != 0 {
				t.Errorf("reported\n%s, want %q", s.all(), c.want)
			}
			os.RemoveAll(s.path)
			publish(t, s.path, 60, "good again")
			s.settled(t)
			s.want(t, 2, 60)
			if s.is(rejected) != "" {
				t.Errorf("still reported: %s", s.all())
			}
		})
	}
}

// TestRefusedThenBack: the table in use is moved back to where it was.
func TestRefusedThenBack(t *testing.T) {
	s := newStand(t, func(s *stand) { publish(t, s.path, 100, "first") })
	s.settled(t)
	if err := os.Rename(s.path, s.path+".old"); err != nil {
		t.Fatal(err)
	}
	s.settled(t)
	os.WriteFile(s.path, []byte("nonsense"), 0o644)
	s.settled(t)
	if s.is(rejected) == "" {
		t.Error("not reported")
	}
	if err := os.Rename(s.path+".old", s.path); err != nil {
		t.Fatal(err)
	}
	s.settled(t)
	s.want(t, 1, 100)
	if s.is(rejected) != "" {
		t.Errorf("still reported: %s", s.all())
	}
	// And so is a copy that keeps its time.
	b, _ := os.ReadFile(s.path)
	info, _ := os.Stat(s.path)
	os.WriteFile(s.path+".copy", b, 0o644)
	os.Chtimes(s.path+".copy", info.ModTime(), info.ModTime())
	os.Rename(s.path+".copy", s.path)
	s.settled(t)
	s.want(t, 1, 100)
}

func TestMinRatio(t *testing.T) {
	for _, c := range []struct {
		ratio float64
		n     int
		ok    bool
	}{{0.5, 50, true}, {0.5, 49, false}, {0, 1, true}, {1, 100, true}, {1, 99, false}} {
		s := newStand(t, func(s *stand) { publish(t, s.path, 100, "first") }, func(o *Options) { o.MinRatio = c.ratio })
		s.settled(t)
		publish(t, s.path, c.n, "next")
		s.settled(t)
		if c.ok {
			s.want(t, 2, c.n)
		} else {
			s.want(t, 1, 100)
		}
	}
	// The starter set is no measure: anything is better.
	s := newStand(t, nil)
	publish(t, s.path, 1, "tiny")
	s.settled(t)
	s.want(t, 2, 1)
	// A restart takes what a running sensor refuses.
	s = newStand(t, func(s *stand) { publish(t, s.path, 10, "small"); publish(t, s.good(), 100, "good") })
	s.want(t, 1, 10)
}

// TestDamagedAtStart: the head is good, a section is not. That is found after
// the start; a better table takes its place, else it stays.
func TestDamagedAtStart(t *testing.T) {
	bad := image(t, 100, "first")
	bad[len(bad)-3] ^= 1
	s := newStand(t, func(s *stand) {
		os.WriteFile(s.path, bad, 0o644)
		publish(t, s.good(), 90, "good")
	})
	s.want(t, 1, 100)
	s.settled(t)
	s.want(t, 2, 90)
	if r := s.is(rejected); !strings.Contains(r, "the last good table is used") || !s.Current().Fallback {
		t.Error(s.all())
	}
	if got, _ := os.ReadFile(s.good()); bytes.Equal(got, bad) {
		t.Error("the damaged table became the last good one")
	}

	s = newStand(t, func(s *stand) { os.WriteFile(s.path, bad, 0o644) })
	s.settled(t)
	s.settled(t)
	s.want(t, 1, 100)
	if r := s.is(rejected); !strings.Contains(r, "it stays in use") {
		t.Error(s.all())
	}
	if _, err := os.Stat(s.good()); err == nil {
		t.Error("the damaged table became the last good one")
	}
	publish(t, s.path, 100, "whole")
	s.settled(t)
	s.want(t, 2, 100)
	if s.is(rejected) != "" {
		t.Error(s.all())
	}
}

// TestNoRoom: without a place for the copy the sensor goes on, and what a fault
// leaves is the starter set.
func TestNoRoom(t *testing.T) {
	tiny := func(t *testing.T, s *stand) string {
		dir := filepath.Join(s.dir, "tiny")
		os.Mkdir(dir, 0o755)
		if err := syscall.Mount("none", dir, "tmpfs", 0, "size=16k"); err != nil {
			t.Skipf("needs a small file system: %v", err)
		}
		t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
		return dir
	}
	for name, place := range map[string]func(*testing.T, *stand) string{
		"disk full": tiny,
		"missing":   func(_ *testing.T, s *stand) string { return filepath.Join(s.dir, "nowhere") },
		"a file":    func(_ *testing.T, s *stand) string { return s.path },
		"none":      func(*testing.T, *stand) string { return "" },
	} {
		t.Run(name, func(t *testing.T) {
			var dir string
			s := newStand(t, func(s *stand) {
				publish(t, s.path, 2000, "first")
				dir = place(t, s)
			}, func(o *Options) { o.Dir = dir })
			s.settled(t)
			s.want(t, 1, 2000)
			if left, _ := filepath.Glob(filepath.Join(dir, "trails.good*")); dir != "" && len(left) != 0 {
				t.Errorf("left: %v", left)
			}
			os.Truncate(s.path, 100)
			s.settled(t)
			s.want(t, 2, 3)
			if g := s.Current(); !g.Starter || !g.Fallback || !strings.Contains(s.is(fault), "the starter set is used") {
				t.Errorf("%+v\n%s", g, s.all())
			}
			publish(t, s.path, 10, "new")
			s.settled(t)
			s.want(t, 3, 10)
			if s.is(fault) != "" {
				t.Error(s.all())
			}
		})
	}
}

// TestCopyIsTheTable: the configured table is the copy itself.
func TestCopyIsTheTable(t *testing.T) {
	for _, linked := range []bool{false, true} {
		s := newStand(t, func(s *stand) {
			publish(t, s.good(), 10, "good")
			if linked {
				os.Symlink(s.good(), s.path)
			} else {
				s.path = s.good()
			}
		})
		s.settled(t)
		s.settled(t)
		s.want(t, 1, 10)
	}
}

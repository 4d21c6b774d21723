package generation

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// other is a path beside the stand's.
func (s *stand) other(t testing.TB, name string) string {
	t.Helper()
	dir := filepath.Join(s.dir, "other")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}

// TestConfigurePath: whatever is at the new path, the old table is used until
// there is a better one, and what is wrong is said.
func TestConfigurePath(t *testing.T) {
	for _, c := range []struct {
		name   string
		make   func(t *testing.T, path string)
		trails int
		want   string // rejected because
	}{
		{"a good one", func(t *testing.T, p string) { publish(t, p, 90, "other") }, 90, ""},
		{"missing", func(*testing.T, string) {}, 0, "does not exist; what is in use stays"},
		{"no directory", func(t *testing.T, p string) { os.RemoveAll(filepath.Dir(p)) }, 0, "does not exist; what is in use stays"},
		{"below a file", func(t *testing.T, p string) {
			os.RemoveAll(filepath.Dir(p))
			os.WriteFile(filepath.Dir(p), nil, 0o644)
		}, 0, "not a directory; what is in use stays"},
		{"a directory", func(t *testing.T, p string) { os.Mkdir(p, 0o755) }, 0, "not a regular file"},
		{"foreign", func(t *testing.T, p string) { os.WriteFile(p, []byte("no table at all"), 0o644) }, 0, "not a trail table"},
		{"half", func(t *testing.T, p string) { os.WriteFile(p, image(t, 90, "x")[:2000], 0o644) }, 0, "damaged"},
		{"a wrong checksum", func(t *testing.T, p string) {
			b := image(t, 90, "x")
			b[len(b)-3] ^= 1
			os.WriteFile(p, b, 0o644)
		}, 0, "checksum of section"},
		{"too small", func(t *testing.T, p string) { publish(t, p, 49, "small") }, 0, "49 trails, less than 0.5 of the 100"},
		{"writable by others", func(t *testing.T, p string) {
			publish(t, p, 90, "other")
			os.Chmod(p, 0o666)
		}, 0, "lets others write"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStand(t, func(s *stand) { publish(t, s.path, 100, "first") })
			s.settled(t)
			path := s.other(t, "trails.thd")
			c.make(t, path)
			s.Configure(path, 0.5)
			s.want(t, 1, 100)
			s.settled(t)
			if s.Path() != path {
				t.Errorf("path %q", s.Path())
			}
			if c.want == "" {
				s.want(t, 2, c.trails)
				if s.all() != "" || s.Current().Source != path || !holds(s.good(), s.Current()) {
					t.Errorf("of %q\n%s", s.Current().Source, s.all())
				}
				// The old path means nothing any more.
				publish(t, s.path, 200, "old path")
				s.settled(t)
				s.want(t, 2, c.trails)
				return
			}
			s.settled(t)
			s.want(t, 1, 100)
			if r := s.is(rejected); !strings.Contains(r, c.want) || strings.Count(r, path) != 1 || strings.Count(s.all(), "\n") != 0 {
				t.Errorf("reported\n%s, want %q", s.all(), c.want)
			}
			if _, err := os.Stat(s.good()); err != nil || s.Current().unmapped.Load() {
				t.Errorf("the old table is lost: %v", err)
			}
			// The right file comes later.
			os.RemoveAll(filepath.Dir(path))
			os.Mkdir(filepath.Dir(path), 0o755)
			publish(t, path, 80, "at last")
			s.settled(t)
			s.want(t, 2, 80)
			if s.is(rejected) != "" {
				t.Error(s.all())
			}
		})
	}
}

// TestConfigureBack: a mistake that is taken back is over, whether the table in
// use still lies where it did or not.
func TestConfigureBack(t *testing.T) {
	for _, there := range []bool{true, false} {
		s := newStand(t, func(s *stand) { publish(t, s.path, 100, "first") })
		s.settled(t)
		s.Configure(s.other(t, "none"), 0.5)
		s.settled(t)
		if !strings.Contains(s.is(rejected), "other/none") {
			t.Error(s.all())
		}
		if !there {
			os.Remove(s.path)
		}
		s.Configure(s.path, 0.5)
		s.settled(t)
		s.want(t, 1, 100)
		if r := s.is(rejected); there && r != "" || !there && !strings.Contains(r, "feed/trails.thd\" does not exist") {
			t.Error(s.all())
		}
	}
}

// TestConfigureAfterFault: the table in use was spoilt, and another path leads
// out of it.
func TestConfigureAfterFault(t *testing.T) {
	s := newStand(t, func(s *stand) { publish(t, s.path, 100, "first") })
	s.settled(t)
	os.Truncate(s.path, 4096)
	s.settled(t)
	s.want(t, 2, 100)
	if s.is(fault) == "" {
		t.Fatal("no fault")
	}
	s.Configure(s.other(t, "none"), 0.5)
	s.settled(t)
	if s.is(fault) == "" || s.is(rejected) == "" {
		t.Error(s.all())
	}
	publish(t, s.other(t, "new"), 100, "new")
	s.Configure(s.other(t, "new"), 0.5)
	s.settled(t)
	s.want(t, 3, 100)
	if s.is(fault) != "" || s.is(rejected) != "" {
		t.Error(s.all())
	}
	// The copy itself is configured while it stands in for another.
	os.Truncate(s.other(t, "new"), 0)
	s.settled(t)
	s.want(t, 4, 100)
	s.Configure(s.good(), 0.5)
	s.settled(t)
	s.want(t, 4, 100)
	if s.all() == "" || s.is(fault) != "" {
		t.Error(s.all())
	}
}

// TestConfigureMinRatio: what was refused for its size is taken once the
// configuration allows it, and what is in use is not taken twice.
func TestConfigureMinRatio(t *testing.T) {
	s := newStand(t, func(s *stand) { publish(t, s.path, 100, "first") })
	s.settled(t)
	publish(t, s.path, 10, "small")
	s.settled(t)
	s.want(t, 1, 100)
	s.Configure(s.path, 0.2)
	s.settled(t)
	s.want(t, 1, 100)
	if !strings.Contains(s.is(rejected), "less than 0.2") {
		t.Error(s.all())
	}
	s.Configure(s.path, 0)
	s.settled(t)
	s.want(t, 2, 10)
	if s.is(rejected) != "" {
		t.Error(s.all())
	}
	s.Configure(s.path, 1)
	s.settled(t)
	publish(t, s.path, 9, "smaller")
	s.settled(t)
	s.want(t, 2, 10)
	os.Remove(s.path)
	s.settled(t)
	if !strings.Contains(s.is(rejected), "does not exist any more") {
		t.Error(s.all())
	}
}

// TestConfigureToNothing: an empty path means no table from now on but the one
// in use.
func TestConfigureToNothing(t *testing.T) {
	s := newStand(t, func(s *stand) { publish(t, s.path, 100, "first") })
	s.Configure("", 0.5)
	publish(t, s.path, 110, "next")
	s.settled(t)
	s.want(t, 1, 100)
	s.Configure(s.path, 0.5)
	s.settled(t)
	s.want(t, 2, 110)
}

// TestConfigureWhileChecking: the configuration changes while a table is
// checked. The one that is finished is not used, nor is its fault told.
func TestConfigureWhileChecking(t *testing.T) {
	for _, good := range []bool{true, false} {
		s := newStand(t, func(s *stand) { publish(t, s.path, 100, "first") })
		s.settled(t)
		next := image(t, 110, "next")
		if !good {
			next[len(next)-3] ^= 1
		}
		os.WriteFile(s.path+".new", next, 0o644)
		os.Rename(s.path+".new", s.path)
		info, _ := os.Stat(s.path)
		elsewhere := s.other(t, "trails.thd")
		publish(t, elsewhere, 120, "elsewhere")
		if k := s.Keeper; k.target() != s.path {
			t.Fatal("another path")
		}
		s.Configure(elsewhere, 0.5)
		s.consider(t.Context(), s.path, info)
		s.want(t, 1, 100)
		s.settled(t)
		s.want(t, 2, 120)
		if s.all() != "" {
			t.Error(s.all())
		}
	}
}

// TestConfigureIsNoticed: notifications follow the path without the help of the
// poll, into another directory, within it, and out of nothing.
func TestConfigureIsNoticed(t *testing.T) {
	s := newStand(t, nil, func(o *Options) { o.Path = "" })
	s.poll = time.Hour
	c := s.watch(t, 2)
	n := 100
	next := func(path string) {
		t.Helper()
		n++
		publish(t, path, n, "next")
		s.await(t, path, func() bool { return s.Current().Table.Len() == n })
	}
	for _, path := range []string{s.path, s.other(t, "a"), s.other(t, "b"), s.path} {
		n++
		publish(t, path, n, "before")
		s.Configure(path, 0.5)
		s.await(t, path, func() bool { return s.Current().Table.Len() == n })
		next(path)
		next(path)
	}
	if s.all() != "" || c.faults.Load() != 0 {
		t.Error(s.all())
	}
}

// TestConfigureOnce: the same values again mean nothing, and any number of
// changes before Watch comes to it is one look.
func TestConfigureOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, err := Open(Options{Starter: starterOf(3), MinRatio: 0.5})
		if err != nil {
			t.Fatal(err)
		}
		defer k.Close()
		k.notify = false
		k.Configure("", 0.5)
		if len(k.asked) != 0 {
			t.Error("asked for nothing new")
		}
		for i := range 100 {
			k.Configure("", float64(i)/100)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go k.Watch(ctx, func(*Generation) (<-chan struct{}, error) { return nil, errors.New("none") })
		synctest.Wait()
		if len(k.asked) != 0 {
			t.Error("nobody looked")
		}
		cancel()
		synctest.Wait()
	})
}

// TestOneLine: a fault is either told or logged, never both.
func TestOneLine(t *testing.T) {
	for _, told := range []bool{true, false} {
		var log strings.Builder
		s := newStand(t, func(s *stand) { os.WriteFile(s.path, []byte("no table"), 0o644) }, func(o *Options) {
			o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
			if !told {
				o.Event = nil
			}
		})
		s.settled(t)
		if n := strings.Count(s.all()+log.String(), "not a trail table"); n != 1 || told != (log.Len() == 0) {
			t.Errorf("said %d times: %s, logged: %s", n, s.all(), log.String())
		}
	}
}

// TestPaceEnds: the end of the sensor does not wait for a pause.
func TestPaceEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	k := &Keeper{rest: 1 << 40}
	if err := k.pace(ctx)(); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

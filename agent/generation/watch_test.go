package generation

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"trailhound/trails/table"
)

// TestSwapsUnderLoad changes the table a hundred times while workers look
// things up in it. None of them may meet a table that is unmapped, all end up
// with the newest, and at the end only one is mapped.
func TestSwapsUnderLoad(t *testing.T) {
	s := newStand(t, func(s *stand) { publish(t, s.path, 1000, "0") })
	c := s.watch(t, 4)
	most := 0
	for i := range 100 {
		n := 1001 + i
		publish(t, s.path, n, fmt.Sprint(i))
		s.await(t, "swap", func() bool {
			most = max(most, mappings(t, s.dir))
			return s.Current().Table.Len() == n
		})
		at := c.batches.Load()
		for c.batches.Load() < at+4 {
			runtime.Gosched()
		}
	}
	s.await(t, "unmapping", func() bool { s.move(); return mappings(t, s.dir) == 1 })
	if most > 2 {
		t.Errorf("%d tables mapped at one time", most)
	}
	if c.faults.Load() != 0 || s.all() != "" || c.found.Load() == 0 {
		t.Errorf("%d faults, %d found\n%s", c.faults.Load(), c.found.Load(), s.all())
	}
	if g := s.Current(); g.Number != 101 {
		t.Errorf("generation %d", g.Number)
	}
}

// TestHarmUnderLoad writes into the file in use while workers look things up
// in it, and then renames a good one over it, again and again.
func TestHarmUnderLoad(t *testing.T) {
	s := newStand(t, func(s *stand) { publish(t, s.path, 5000, "0") })
	c := s.watch(t, 4)
	valid := image(t, 6000, "valid")
	for i := range 20 {
		n := 5001 + i
		publish(t, s.path, n, fmt.Sprint(i))
		s.await(t, "swap", func() bool { return s.Current().Table.Len() == n && !s.Current().Fallback })
		harmed := s.Current()
		s.await(t, "copy", func() bool { s.move(); return holds(s.good(), harmed) })
		switch i % 4 {
		case 0:
			os.Truncate(s.path, 4096)
		case 1:
			os.Truncate(s.path, 0)
		case 2:
			overwrite(t, s.path, bytes.Repeat([]byte{0x5a}, int(harmed.info.Size())))
		case 3:
			overwrite(t, s.path, valid)
		}
		s.await(t, "fallback", func() bool { return s.Current() != harmed })
		if g := s.Current(); !g.Fallback || g.Starter || g.Table.Len() != n {
			t.Fatalf("round %d: %d trails of %q\n%s", i, g.Table.Len(), g.Source, s.all())
		}
	}
	s.await(t, "unmapping", func() bool { s.move(); return mappings(t, s.dir) == 1 })
	t.Logf("%d batches, %d found, %d met a fault", c.batches.Load(), c.found.Load(), c.faults.Load())
}

// TestPathComesAndGoes: the file is deleted, its directory removed and made
// again, with notifications and without.
func TestPathComesAndGoes(t *testing.T) {
	for _, notify := range []bool{true, false} {
		t.Run(fmt.Sprintf("notify %v", notify), func(t *testing.T) {
			s := newStand(t, func(s *stand) { publish(t, s.path, 100, "0") })
			s.notify = notify
			s.watch(t, 2)
			n := 100
			next := func(what string) {
				n++
				publish(t, s.path, n, what)
				s.await(t, what, func() bool { return s.Current().Table.Len() == n })
			}
			next("rename")
			os.Remove(s.path)
			next("after it was deleted")
			for range 3 {
				os.RemoveAll(filepath.Dir(s.path))
				os.Mkdir(filepath.Dir(s.path), 0o755)
				next("after its directory was removed")
			}
			os.Rename(filepath.Dir(s.path), filepath.Dir(s.path)+".away")
			os.Mkdir(filepath.Dir(s.path), 0o755)
			next("after its directory was renamed")
			os.RemoveAll(filepath.Dir(s.path))
			os.Symlink("feed.away", filepath.Dir(s.path))
			s.await(t, "a directory behind a link", func() bool { return s.Current().Table.Len() == n-1 })
			// How long it was away decides whether that is said; it ends in any case.
			s.await(t, "recovery", func() bool { return s.is(rejected) == "" })
			for line := range strings.Lines(s.all()) {
				if strings.Contains(line, " true ") && !strings.Contains(line, "does not exist any more") {
					t.Errorf("reported:\n%s", s.all())
				}
			}
		})
	}
}

// TestTakenAway: a table that is deleted is used on, and that it is gone is an
// event until there is one again.
func TestTakenAway(t *testing.T) {
	for _, c := range []struct {
		name string
		back func(t *testing.T, s *stand)
		want int
	}{
		{"the same", func(t *testing.T, s *stand) { os.Rename(s.path+".away", s.path) }, 100},
		{"another", func(t *testing.T, s *stand) { publish(t, s.path, 90, "other") }, 90},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStand(t, func(s *stand) { publish(t, s.path, 100, "0") })
			s.settled(t)
			os.Rename(s.path, s.path+".away")
			if !s.look(t.Context()) || s.all() != "" {
				t.Errorf("said at once: %s", s.all()) // somebody may be about to rename another
			}
			s.settled(t)
			if want := fmt.Sprintf("trail table %q does not exist any more; what is in use stays in use", s.path); s.is(rejected) != want {
				t.Errorf("%s, want %q", s.all(), want)
			}
			s.settled(t)
			if n := strings.Count(s.all(), "not exist"); n != 1 || s.Current().Table.Len() != 100 {
				t.Errorf("said %d times:\n%s", n, s.all())
			}
			c.back(t, s)
			s.settled(t)
			if s.is(rejected) != "" || s.Current().Table.Len() != c.want {
				t.Errorf("%d trails, %s", s.Current().Table.Len(), s.all())
			}
		})
	}
	// Nothing was there, and nothing has to be.
	s := newStand(t, nil)
	s.settled(t)
	s.settled(t)
	if s.all() != "" {
		t.Error(s.all())
	}
	// What was refused is gone: that is wrong now.
	s = newStand(t, func(s *stand) { os.WriteFile(s.path, []byte("no table"), 0o644) })
	os.Remove(s.path)
	s.settled(t)
	if !strings.Contains(s.is(rejected), "does not exist any more") {
		t.Error(s.all())
	}
}

// TestNotified: without the poll, a rename is noticed by notification alone.
func TestNotified(t *testing.T) {
	s := newStand(t, func(s *stand) { publish(t, s.path, 100, "0") })
	s.poll = time.Hour
	s.watch(t, 1)
	for n := 101; n < 110; n++ {
		publish(t, s.path, n, "next")
		s.await(t, "swap", func() bool { return s.Current().Table.Len() == n })
	}
}

// TestLinkFlips is how Kubernetes publishes a volume: trails.thd leads to
// ..data/trails.thd, and ..data is renamed to lead elsewhere.
func TestLinkFlips(t *testing.T) {
	s := newStand(t, func(s *stand) {
		feed := filepath.Dir(s.path)
		os.Mkdir(filepath.Join(feed, "..v0"), 0o755)
		publish(t, filepath.Join(feed, "..v0", "trails.thd"), 100, "0")
		os.Symlink("..v0", filepath.Join(feed, "..data"))
		os.Symlink("..data/trails.thd", s.path)
	})
	s.poll = time.Hour // notifications must do
	s.watch(t, 2)
	feed := filepath.Dir(s.path)
	for i := 1; i <= 10; i++ {
		version := fmt.Sprintf("..v%d", i)
		os.Mkdir(filepath.Join(feed, version), 0o755)
		publish(t, filepath.Join(feed, version, "trails.thd"), 100+i, version)
		os.Symlink(version, filepath.Join(feed, "..data_tmp"))
		if err := os.Rename(filepath.Join(feed, "..data_tmp"), filepath.Join(feed, "..data")); err != nil {
			t.Fatal(err)
		}
		s.await(t, version, func() bool { return s.Current().Table.Len() == 100+i })
		os.RemoveAll(filepath.Join(feed, fmt.Sprintf("..v%d", i-1)))
	}
	if s.all() != "" {
		t.Errorf("reported:\n%s", s.all())
	}
}

// TestStillBeingWritten: a file that grows is not judged, and a whole one that
// nobody has mapped yet is welcome however it came.
func TestStillBeingWritten(t *testing.T) {
	s := newStand(t, nil)
	s.settled(t)
	b := image(t, 500, "copied")
	f, err := os.OpenFile(s.path, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for len(b) > 0 {
		n := min(len(b), 5000)
		f.Write(b[:n])
		b = b[n:]
		if !s.look(t.Context()) && len(b) > 0 {
			t.Fatal("judged while it grows")
		}
	}
	if s.all() != "" {
		t.Errorf("reported:\n%s", s.all())
	}
	s.settled(t)
	s.want(t, 2, 500)
}

// TestMemory: neither checking nor copying a table makes its pages the
// sensor's.
func TestMemory(t *testing.T) {
	resident := func() (kb int) {
		b, err := os.ReadFile("/proc/self/status")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			if strings.HasPrefix(line, "RssFile:") {
				fmt.Sscanf(line, "RssFile: %d kB", &kb)
			}
		}
		return kb
	}
	s := newStand(t, func(s *stand) { publish(t, s.path, 400_000, "0") })
	size := int(s.Current().Table.Size() >> 10)
	before := resident()
	s.settled(t) // checks and copies
	publish(t, s.path, 400_001, "1")
	s.settled(t) // checks, swaps and copies
	s.want(t, 2, 400_001)
	if more := resident() - before; more > size/4 {
		t.Errorf("%d kB more for tables of %d kB", more, size)
	}
	// Only who looks something up brings pages in.
	n := 0
	for r := range s.Current().Table.All() {
		n += len(s.Current().Table.Key(r))
	}
	if n == 0 || resident()-before < size/4 {
		t.Errorf("the measure does not tell: %d kB more", resident()-before)
	}
}

// BenchmarkOpen is what a start waits for.
func BenchmarkOpen(b *testing.B) {
	s := newStand(b, func(s *stand) { publish(b, s.path, 400_000, "0") })
	b.ReportAllocs()
	for b.Loop() {
		g, err := openGeneration(s.path)
		if err != nil {
			b.Fatal(err)
		}
		g.discard()
	}
}

// BenchmarkSums is what each new table costs, without the pauses, per byte; for
// comparison all that table.Verify does.
func BenchmarkSums(b *testing.B) {
	s := newStand(b, func(s *stand) { publish(b, s.path, 400_000, "0") })
	b.Run("sums", func(b *testing.B) {
		b.SetBytes(s.Current().Table.Size())
		b.ReportAllocs()
		for b.Loop() {
			if err := s.Current().sums(func() error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("verify", func(b *testing.B) {
		b.SetBytes(s.Current().Table.Size())
		b.ReportAllocs()
		for b.Loop() {
			if err := table.Verify(s.path); err != nil {
				b.Fatal(err)
			}
		}
	})
}

package generation

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
)

// TestWrittenInPlace: whatever is written into the file that is mapped, the
// copy takes its place, and the file stays refused until another is renamed
// over it.
func TestWrittenInPlace(t *testing.T) {
	valid := image(t, 200, "valid")
	for _, c := range []struct {
		name string
		harm func(t *testing.T, path string)
	}{
		{"cut off", func(t *testing.T, p string) { os.Truncate(p, 4096) }},
		{"cut off at 0", func(t *testing.T, p string) { os.Truncate(p, 0) }},
		{"grown", func(t *testing.T, p string) {
			info, _ := os.Stat(p)
			os.Truncate(p, info.Size()+1)
		}},
		{"garbage", func(t *testing.T, p string) {
			info, _ := os.Stat(p)
			f, err := os.OpenFile(p, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			f.Write(bytes.Repeat([]byte{0xa5}, int(info.Size())))
		}},
		{"another valid table", func(t *testing.T, p string) { overwrite(t, p, valid) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStand(t, func(s *stand) { publish(t, s.path, 100, "first") })
			s.settled(t)
			c.harm(t, s.path)
			s.settled(t)
			s.want(t, 2, 100)
			g := s.Current()
			if !g.Fallback || g.Starter || g.Source != s.good() {
				t.Errorf("%+v", g)
			}
			if f := s.is(fault); !strings.Contains(f, "written in place") || !strings.Contains(f, "the last good table is used") {
				t.Error(s.all())
			}
			// Even when it is whole once more.
			overwrite(t, s.path, valid)
			s.settled(t)
			overwrite(t, s.path, image(t, 300, "valid too"))
			s.settled(t)
			s.want(t, 2, 100)
			if s.is(rejected) != "" || strings.Count(s.all(), "\n") != 0 {
				t.Errorf("reported more than once:\n%s", s.all())
			}
			publish(t, s.path, 150, "renamed")
			s.settled(t)
			s.want(t, 3, 150)
			if s.is(fault) != "" || len(s.spoilt) != 0 {
				t.Error(s.all())
			}
			// And the new one is as safe as the first was.
			os.Truncate(s.path, 0)
			s.settled(t)
			s.want(t, 4, 150)
		})
	}
}

// TestEverythingSpoilt: the copy is written in place as well.
func TestEverythingSpoilt(t *testing.T) {
	s := newStand(t, func(s *stand) { publish(t, s.path, 100, "first") })
	s.settled(t)
	os.Truncate(s.path, 0)
	s.settled(t)
	s.want(t, 2, 100)
	os.Truncate(s.good(), 4096)
	s.settled(t)
	s.want(t, 3, 3)
	if !s.Current().Starter || !strings.Contains(s.is(fault), "no protection") {
		t.Error(s.all())
	}
	// Of one inode the number may come back: it must be another file by then.
	os.Remove(s.path)
	os.Remove(s.good())
	publish(t, s.path, 80, "new")
	s.settled(t)
	s.want(t, 4, 80)

	// Not even a starter set.
	s = newStand(t, func(s *stand) { publish(t, s.path, 100, "first") }, func(o *Options) { o.Dir, o.Starter = "", nil })
	os.Truncate(s.path, 0)
	s.settled(t)
	s.want(t, 2, 0)
}

// TestCutOffBeforeTheCheck: the file goes bad before Watch has read it.
func TestCutOffBeforeTheCheck(t *testing.T) {
	s := newStand(t, func(s *stand) {
		publish(t, s.path, 100, "first")
		publish(t, s.good(), 90, "good")
	})
	os.Truncate(s.path, 8192)
	s.settled(t)
	s.want(t, 2, 90)
}

// TestFault is what workers call.
func TestFault(t *testing.T) {
	s := newStand(t, func(s *stand) { publish(t, s.path, 100, "first") })
	s.settled(t)
	first := s.Current()
	for range 8 {
		s.Fault(first, errors.New("fault in the first"))
		s.want(t, 2, 100) // nobody watches yet: done on return
	}
	if !strings.HasPrefix(s.is(fault), "fault in the first; the last good") {
		t.Error(s.all())
	}
	s.Fault(first, errors.New("late"))
	s.Fault(nil, errors.New("nothing"))
	s.settled(t)
	s.want(t, 2, 100)
	// What fell before anybody could be told is told to who comes.
	got := make(chan *Generation, 1)
	released := make(chan struct{})
	close(released)
	s.attach(func(g *Generation) (<-chan struct{}, error) { got <- g; return released, nil })
	if g := <-got; g != s.Current() {
		t.Errorf("generation %d", g.Number)
	}
	publish(t, s.path, 110, "new")
	s.settled(t)
	if g := <-got; g != s.Current() || g.Number != 3 {
		t.Errorf("generation %d", g.Number)
	}
	s.Fault(s.Current(), errors.New("fault in the new one"))
	if g := <-got; g.Number != 4 || !g.Fallback {
		t.Errorf("generation %d", g.Number)
	}
	s.Close()
	s.Fault(s.Current(), errors.New("after the end"))
	s.Close()
}

// TestFaultWhilePreparing: the new table is cut off while rules are made of it.
func TestFaultWhilePreparing(t *testing.T) {
	s := newStand(t, func(s *stand) { publish(t, s.path, 20_000, "first") })
	s.settled(t)
	cut := true
	s.attach(func(g *Generation) (<-chan struct{}, error) {
		if cut {
			os.Truncate(g.Source, 4096)
		}
		for r := range g.Table.All() {
			g.Table.Info(r)
		}
		released := make(chan struct{})
		close(released)
		return released, nil
	})
	publish(t, s.path, 20_001, "cut off")
	s.settled(t)
	s.want(t, 1, 20_000)
	if r := s.is(rejected); !strings.Contains(r, "cut off while it was read") || !strings.Contains(r, s.path) {
		t.Error(s.all())
	}
	cut = false
	publish(t, s.path, 20_002, "whole")
	s.settled(t)
	s.want(t, 3, 20_002)
}

// TestNoRules: who uses the table cannot use this one, and says so.
func TestNoRules(t *testing.T) {
	s := newStand(t, func(s *stand) { publish(t, s.path, 100, "first") })
	s.settled(t)
	usable := false
	released := make(chan struct{})
	close(released)
	s.attach(func(*Generation) (<-chan struct{}, error) {
		if usable {
			return released, nil
		}
		return nil, errors.New("no rules can be made of it")
	})
	publish(t, s.path, 101, "unusable")
	s.settled(t)
	s.want(t, 1, 100)
	if !strings.Contains(s.is(rejected), "no rules can be made of it") || s.Current().unmapped.Load() {
		t.Error(s.all())
	}
	usable = true
	publish(t, s.path, 102, "usable")
	s.settled(t)
	s.want(t, 3, 102)
}

// TestPanicsArePassedOn: a panic that is no fault of the table is a
// programmer's, and not hidden.
func TestPanicsArePassedOn(t *testing.T) {
	defer func() {
		if v := recover(); v != "a mistake" {
			t.Errorf("recovered %v", v)
		}
	}()
	_ = withoutFault(nil, func() error { panic("a mistake") })
}

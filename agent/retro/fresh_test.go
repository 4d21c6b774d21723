package retro

import (
	"fmt"
	"testing"
	"time"

	"trailhound/trails"
	"trailhound/trails/table"
)

func listing(t testing.TB, all ...string) *table.Table {
	return listingOf(t, table.Options{}, all...)
}

func listingOf(t testing.TB, opt table.Options, all ...string) *table.Table {
	b := table.NewBuilder(opt)
	p := b.Provenance(trails.Provenance{Info: "x (malware)", Reference: "(static)"})
	for _, text := range all {
		kind, key, err := trails.AppendKey(nil, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		b.Add(kind, key, p)
	}
	tab, err := b.Memory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tab.Close() })
	return tab
}

func TestFresh(t *testing.T) {
	before := listing(t, "old.example", "192.0.2.1", "192.0.2.2:80")
	now := listing(t, "old.example", "new.example", "192.0.2.1", "192.0.2.1:80", "192.0.2.2:80", "192.0.2.3", "198.51.100.0/24", "evil.example/x", "re:^x[0-9]+")
	s := NewSecret()
	var got []string
	s.Fresh(now, before, func(part []Candidate) bool {
		for _, c := range part {
			kind, key := now.Kind(c.Ref), now.Key(c.Ref)
			if c.Key != s.Hash(kind, key) {
				t.Error("hash")
			}
			got = append(got, trails.Text(kind, key))
		}
		return true
	})
	if fmt.Sprint(got) != "[new.example 192.0.2.1:80 192.0.2.3]" {
		t.Errorf("%q", got)
	}
}

func TestFreshSince(t *testing.T) {
	before := listingOf(t, table.Options{Now: noon}, "old.example")
	now := listingOf(t, table.Options{Now: noon.Add(time.Hour), Previous: before}, "old.example", "new.example")
	s := NewSecret()
	for _, c := range []struct {
		since time.Duration
		ok    bool
		want  string
	}{{0, true, "[new.example]"}, {59 * time.Minute, true, "[new.example]"}, {time.Hour, true, "[]"}, {-time.Minute, false, "[]"}} {
		got := []string{}
		if ok := s.FreshSince(now, noon.Add(c.since), func(part []Candidate) bool {
			for _, c := range part {
				got = append(got, string(now.Key(c.Ref)))
			}
			return true
		}); ok != c.ok || fmt.Sprint(got) != c.want {
			t.Errorf("%v: %q %v", c.since, got, ok)
		}
	}
}

// TestFreshInParts: a long table gives turns to others, and can be ended.
func TestFreshInParts(t *testing.T) {
	var all []string
	for i := range 5 * freshPart {
		all = append(all, fmt.Sprintf("n%d.example", i))
	}
	now, before, s := listing(t, all...), listing(t), NewSecret()
	turns, n := 0, 0
	s.Fresh(now, before, func(part []Candidate) bool { turns++; n += len(part); return true })
	if turns < 5 || n != len(all) {
		t.Errorf("%d turns, %d candidates", turns, n)
	}
	turns = 0
	s.Fresh(now, before, func([]Candidate) bool { turns++; return turns < 2 })
	if turns != 2 {
		t.Errorf("%d turns", turns)
	}
}

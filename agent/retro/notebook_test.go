package retro

import (
	"fmt"
	"hash/maphash"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"trailhound/trails"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// desk is a notebook whose notes come back.
type desk struct {
	*Notebook
	secret Secret
	notes  []Note
}

func newDesk() *desk {
	d := &desk{secret: NewSecret()}
	d.Notebook = NewNotebook(func(b *Batch) *Batch {
		for i := range b.met {
			d.notes = append(d.notes, b.note(&b.met[i], &d.secret))
		}
		b.Reset()
		return b
	})
	return d
}

func (d *desk) name(name string, at time.Time, alone bool) {
	if d.FreshName(maphash.String(d.seed, name), at) {
		d.Name([]byte(name), at, netip.MustParseAddr("10.0.0.1"), alone)
	}
}

func (d *desk) endpoint(a string, at time.Time) {
	p := netip.MustParseAddrPort(a)
	if d.FreshEndpoint(p.Addr(), p.Port(), at) {
		d.Endpoint(p.Addr(), p.Port(), at, netip.MustParseAddr("10.0.0.1"))
	}
}

// took gives what was noted since the last time, by the keys asked for; the rest
// is counted.
func (d *desk) took(keys map[string]uint64) string {
	d.Flush()
	var all []string
	other := 0
	for _, n := range d.notes {
		found := false
		for name, k := range keys {
			if k == n.Key {
				all, found = append(all, name), true
			}
		}
		if !found {
			other++
		}
	}
	d.notes = nil
	slices.Sort(all)
	if other > 0 {
		all = append(all, fmt.Sprint(other, " others"))
	}
	return strings.Join(all, " ")
}

func TestNotebook(t *testing.T) {
	d := newDesk()
	keys := map[string]uint64{}
	for _, n := range []string{"a.b.example.com", "b.example.com", "c.example.com", "example.com", "com"} {
		keys[n] = d.secret.Hash(trails.Domain, []byte(n))
	}
	for _, a := range []string{"192.0.2.1", "2001:db8::1"} {
		ip := netip.MustParseAddr(a)
		keys[a] = d.secret.Hash(trails.Address, ip.AsSlice())
		keys[a+"#53"] = d.secret.Hash(trails.AddressPort, append(ip.AsSlice(), 0, 53))
		keys[a+"#443"] = d.secret.Hash(trails.AddressPort, append(ip.AsSlice(), 1, 187))
	}
	for i, step := range []struct {
		do   func()
		want string
	}{
		{func() { d.name("a.b.example.com", noon, false) }, "a.b.example.com b.example.com com example.com"},
		{func() { d.name("a.b.example.com", noon.Add(59*time.Second), false) }, ""},
		{func() { d.name("c.example.com", noon.Add(59*time.Second), false) }, "c.example.com"},
		{func() { d.name("example.com", noon.Add(59*time.Second), false) }, "example.com"}, // as a name, not as a parent
		{func() { d.name("c.example.com", noon.Add(time.Minute), false) }, "c.example.com com example.com"},
		{func() { d.name("a.b.example.com", noon.Add(2*time.Minute), true) }, "a.b.example.com"},
		{func() { d.endpoint("192.0.2.1:53", noon) }, "192.0.2.1 192.0.2.1#53"},
		{func() { d.endpoint("192.0.2.1:53", noon) }, ""},
		{func() { d.endpoint("192.0.2.1:443", noon) }, "192.0.2.1#443"},
		{func() { d.endpoint("192.0.2.1:443", noon.Add(time.Hour)) }, "192.0.2.1 192.0.2.1#443"},
		{func() { d.endpoint("[2001:db8::1]:443", noon) }, "2001:db8::1 2001:db8::1#443"},
		{func() { d.name(strings.Repeat("x.", 100)+"dev", noon, false) }, "17 others"},
	} {
		step.do()
		if got := d.took(keys); got != step.want {
			t.Errorf("step %d: %q, want %q", i, got, step.want)
		}
	}
}

// TestNotebookWithoutRoom: what does not fit is counted, and nothing waits.
func TestNotebookWithoutRoom(t *testing.T) {
	room := 2
	n := NewNotebook(func(*Batch) *Batch {
		if room--; room < 0 {
			return nil
		}
		return NewBatch()
	})
	for i := range 2000 {
		n.Name(fmt.Appendf(nil, "n%d", i), noon, netip.MustParseAddr("10.0.0.1"), false)
	}
	if n.Taken != 3*BatchSize || n.Dropped != 2000-n.Taken || n.Flush() {
		t.Errorf("taken %d, dropped %d", n.Taken, n.Dropped)
	}
}

// TestNotebookTexts: the names of a batch are bounded as its notes are, and lie in
// it whole.
func TestNotebookTexts(t *testing.T) {
	s := New(1<<20, NewSecret())
	batches, asked := 0, 0
	n := NewNotebook(func(b *Batch) *Batch {
		if batches++; len(b.met) > BatchSize || len(b.text) > batchText || cap(b.text) != batchText {
			t.Errorf("%d notes, %d bytes of %d", len(b.met), len(b.text), cap(b.text))
		}
		s.Take(b)
		b.Reset()
		return b
	})
	name := func(i int) []byte { return fmt.Appendf(nil, "%s.%d", strings.Repeat("x", 1+i%240), i) }
	for ; asked < 3000; asked++ {
		n.Name(name(asked), noon, netip.MustParseAddr("10.0.0.1"), true)
	}
	n.Flush()
	for i := range asked {
		if seen, ok := s.Find(s.secret.Hash(trails.Domain, name(i))); !ok || !seen.First.Equal(noon) {
			t.Fatalf("name %d: %v", i, ok)
		}
	}
	if batches < 3000*120/batchText || n.Dropped > 0 || n.Taken != 3000 {
		t.Errorf("%d batches, %d dropped, %d taken", batches, n.Dropped, n.Taken)
	}
}

func TestNotebookAllocations(t *testing.T) {
	n := NewNotebook(func(full *Batch) *Batch { full.Reset(); return full })
	name, src := []byte("www.example.com"), netip.MustParseAddr("10.0.0.1")
	at := noon
	if avg := testing.AllocsPerRun(2000, func() {
		at = at.Add(30 * time.Second)
		if n.FreshName(maphash.Bytes(n.seed, name), at) {
			n.Name(name, at, src, false)
		}
		if n.FreshEndpoint(src, 53, at) {
			n.Endpoint(src, 53, at, src)
		}
	}); avg != 0 {
		t.Errorf("%v allocations", avg)
	}
}

func BenchmarkNotebook(b *testing.B) {
	n := NewNotebook(func(full *Batch) *Batch { full.Reset(); return full })
	names := make([][]byte, 256)
	for i := range names {
		names[i] = fmt.Appendf(nil, "host%d.cdn.example.com", i)
	}
	at, src := time.Now(), netip.MustParseAddr("10.0.0.1")
	b.Run("name_again", func(b *testing.B) { // its hash is there already, from the look-up
		b.ReportAllocs()
		var hashes [256]uint64
		for i := range hashes {
			hashes[i] = maphash.Bytes(n.seed, names[i])
		}
		i := 0
		for b.Loop() {
			if n.FreshName(hashes[i&255], at) {
				n.Name(names[i&255], at, src, false)
			}
			i++
		}
	})
	b.Run("name_new", func(b *testing.B) {
		b.ReportAllocs()
		i := 0
		at := at
		for b.Loop() {
			if i++; i&255 == 0 {
				at = at.Add(time.Minute)
			}
			if name := names[i&255]; n.FreshName(maphash.Bytes(n.seed, name), at) {
				n.Name(name, at, src, false)
			}
		}
	})
	b.Run("endpoint_again", func(b *testing.B) {
		b.ReportAllocs()
		port := uint16(0)
		for b.Loop() {
			if port++; n.FreshEndpoint(src, port&255, at) {
				n.Endpoint(src, port&255, at, src)
			}
		}
	})
}

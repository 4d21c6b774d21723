package retro

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"unsafe"
)

func host(n int) [16]byte {
	return netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}).As16()
}

// check holds the array to what it promises.
func (s *Store) check(t *testing.T) {
	t.Helper()
	n := 0
	var before uint64
	for i, e := range s.slots {
		if e.key == 0 {
			before = 0
			continue
		}
		n++
		if e.key <= before {
			t.Fatalf("slot %d is not in order", i)
		}
		before = e.key
		home := s.home(e.key)
		if home > i {
			t.Fatalf("slot %d lies in front of its home %d", i, home)
		}
		for j := home; j < i; j++ {
			if s.slots[j].key == 0 {
				t.Fatalf("slot %d: there is a hole between it and its home", i)
			}
		}
	}
	if n != s.n || n > s.limit {
		t.Fatalf("%d entries, counted %d of %d", n, s.n, s.limit)
	}
}

// TestModel: a store says what a map says, but for what it has counted as
// evicted.
func TestModel(t *testing.T) {
	if unsafe.Sizeof(entry{}) != entrySize || unsafe.Sizeof(hostEntry{}) != hostSize {
		t.Fatal("sizes")
	}
	r := rand.New(rand.NewPCG(1, 2))
	s := New(0, NewSecret())
	model := map[uint64]*entry{}
	for minute := uint32(1000); minute < 1400; minute++ {
		notes := make([]Note, r.IntN(200))
		for i := range notes {
			notes[i] = Note{Key: s.secret.Hash(1, binary.LittleEndian.AppendUint64(nil, r.Uint64N(4000))), Host: host(r.IntN(5)), Minute: minute - uint32(r.IntN(3))}
			e := entry{key: notes[i].Key, first: notes[i].Minute, last: notes[i].Minute, hosts: [2]uint32{s.secret.host(notes[i].Host), 0}}
			if _, ok := s.find(e.key); !ok {
				model[e.key] = &e // new, or evicted before
			} else {
				model[e.key].merge(&e)
			}
			s.Add(notes[i : i+1])
		}
		s.check(t)
	}
	lost := 0
	for key, m := range model {
		at, ok := s.find(key)
		switch {
		case !ok:
			lost++
		case s.slots[at] != *m:
			t.Fatalf("%+v, want %+v", s.slots[at], *m)
		}
	}
	c := s.Counts()
	if lost == 0 || uint64(lost) > c.Evicted || len(model)-lost != c.Entries || c.Entries != s.limit {
		t.Errorf("%d of %d lost, %+v", lost, len(model), c)
	}
	if _, ok := s.Find(12345); ok {
		t.Error("found what was never noted")
	}
}

func TestHosts(t *testing.T) {
	s := New(1<<20, NewSecret())
	for i, h := range []int{7, 7, 8, 9, 7} {
		s.Add([]Note{{Key: 5, Host: host(h), Minute: uint32(100 + i)}})
	}
	seen, ok := s.Find(5)
	want := []netip.Addr{netip.MustParseAddr("10.0.0.7"), netip.MustParseAddr("10.0.0.9")}
	if !ok || !slices.Equal(seen.Hosts, want) || seen.First.Unix() != 6000 || seen.Last.Unix() != 6240 {
		t.Errorf("%+v", seen)
	}
	// Notes of another worker arrive late: the first host is that of the first minute.
	s.Add([]Note{{Key: 5, Host: host(6), Minute: 99}})
	if seen, _ := s.Find(5); !slices.Equal(seen.Hosts, []netip.Addr{netip.MustParseAddr("10.0.0.6"), want[1]}) || seen.First.Unix() != 5940 || seen.Last.Unix() != 6240 {
		t.Errorf("%+v", seen)
	}
	six := netip.MustParseAddr("2001:db8::1")
	s.Add([]Note{{Key: 6, Host: six.As16(), Minute: 100}})
	if seen, _ := s.Find(6); len(seen.Hosts) != 1 || seen.Hosts[0] != six {
		t.Errorf("%+v", seen)
	}
	// Too many hosts for all to be remembered: the address is missing, never another's.
	for i := range 1 << 17 {
		s.Add([]Note{{Key: 9, Host: host(i), Minute: 100}})
	}
	want = append(want, netip.MustParseAddr("10.0.0.6"))
	if seen, _ := s.Find(5); len(seen.Hosts) > 2 {
		t.Errorf("%+v", seen)
	} else {
		for _, h := range seen.Hosts {
			if !slices.Contains(want, h) {
				t.Errorf("host %v", h)
			}
		}
	}
}

// TestEviction: what was last seen longest ago goes first, nearly; what is seen
// again stays; and the span says from when on all is remembered.
func TestEviction(t *testing.T) {
	s := New(1<<20, NewSecret())
	key := func(n int) uint64 { return s.secret.Hash(1, binary.LittleEndian.AppendUint32(nil, uint32(n))) }
	total := 3 * s.limit
	perMinute := s.limit / 100
	for i := range total {
		minute := uint32(1000 + i/perMinute)
		s.Add([]Note{{Key: key(i), Host: host(1), Minute: minute}})
		if i%perMinute == 0 {
			s.Add([]Note{{Key: key(0), Host: host(1), Minute: minute}})
		}
	}
	s.check(t)
	if seen, ok := s.Find(key(0)); !ok || minuteOf(seen.First) != 1000 {
		t.Error("what is seen all the time is gone")
	}
	early := 0 // gone although it is of the newest nine tenths of what fits
	for i := total - s.limit*9/10; i < total; i++ {
		if _, ok := s.Find(key(i)); !ok {
			early++
		}
	}
	if early > s.limit/20 {
		t.Errorf("%d of %d are gone too early", early, s.limit)
	}
	c := s.Counts()
	if c.Entries != s.limit || c.Evicted != uint64(total-s.limit) {
		t.Errorf("%+v of %d", c, total)
	}
	// Nothing is missing from Since on.
	for i := range total {
		if m := uint32(1000 + i/perMinute); m >= minuteOf(c.Since) {
			if _, ok := s.Find(key(i)); !ok {
				t.Fatalf("minute %d is missing, complete since %d", m, minuteOf(c.Since))
			}
		}
	}
	if minutes := c.Last.Sub(c.Since).Minutes(); minutes < 60 || minutes > 100 {
		t.Errorf("the span is %v minutes of 100", minutes)
	}
}

// TestDefaultMemory: the default holds what was promised in what was promised.
func TestDefaultMemory(t *testing.T) {
	s := New(16<<20, NewSecret())
	if c := s.Counts(); c.Limit < 600_000 || c.Bytes > 16<<20 || c.Bytes < 15<<20 {
		t.Errorf("%+v", c)
	}
	if n := cap(s.slots)*entrySize + cap(s.hosts)*hostSize; n > 16<<20 {
		t.Errorf("%d bytes", n)
	}
	for _, memory := range []int64{0, 1, MinMemory, 100_001, 1 << 30} {
		if memory == 1<<30 && testing.Short() {
			continue
		}
		s := New(memory, NewSecret())
		if c := s.Counts(); c.Bytes > max(memory, MinMemory) || c.Limit < 100 {
			t.Errorf("%d: %+v", memory, c)
		}
	}
}

// TestRunToTheEnd: keys that all lie at the very end push one of them out,
// counted.
func TestRunToTheEnd(t *testing.T) {
	s := New(0, NewSecret())
	s.limit = len(s.slots)
	for i := range uint64(slotsBehind + 50) {
		s.put(entry{key: ^uint64(0) - i, first: 1, last: 1})
		if i%100 == 0 {
			s.check(t)
		}
	}
	s.check(t)
	if c := s.Counts(); uint64(c.Entries)+c.Evicted != slotsBehind+50 || c.Evicted == 0 {
		t.Errorf("%+v", c)
	}
}

func full(b testing.TB) *Store {
	s := New(16<<20, NewSecret())
	r := rand.New(rand.NewPCG(3, 4))
	for s.n < s.limit {
		s.put(entry{key: r.Uint64() | 1, first: 1, last: 1 + uint32(s.n/100)})
	}
	return s
}

func BenchmarkStore(b *testing.B) {
	s := full(b)
	r := rand.New(rand.NewPCG(5, 6))
	b.Run("find", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.Find(r.Uint64() | 1)
		}
	})
	b.Run("add_new_when_full", func(b *testing.B) {
		b.ReportAllocs()
		minute := uint32(10000)
		for b.Loop() {
			s.Add([]Note{{Key: r.Uint64() | 1, Host: host(1), Minute: minute}})
		}
	})
	b.Run("add_again", func(b *testing.B) {
		b.ReportAllocs()
		s.put(entry{key: 77, first: 1, last: 1})
		notes := []Note{{Key: 77, Host: host(1), Minute: 20000}}
		for b.Loop() {
			s.Add(notes)
		}
	})
}

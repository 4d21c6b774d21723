package heuristic

import (
	"math/rand/v2"
	"testing"
)

// naive is a window with all memory in the world.
type naive struct {
	threshold, length int64
	seen              map[uint64]map[uint64]int64
	silent            map[uint64]int64
}

func (n *naive) add(key, what uint64, now int64) bool {
	items := n.seen[key]
	if items == nil {
		items = map[uint64]int64{}
		n.seen[key] = items
	}
	items[what] = now
	alive := int64(0)
	for _, second := range items {
		if second > now-n.length {
			alive++
		}
	}
	if alive <= n.threshold || now < n.silent[key] {
		return false
	}
	n.silent[key] = now + n.length
	return true
}

// Whatever comes, the window says what counting everything says, as long as no
// key had to give way.
func TestWindowCountsExactly(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		threshold, length := 1+random.IntN(12), int64(1+random.IntN(40))
		w := window{}
		w.configure(float64(threshold), length, 1<<20)
		n := naive{int64(threshold), length, map[uint64]map[uint64]int64{}, map[uint64]int64{}}
		now, keys, items := int64(1_700_000_000), 1+random.IntN(30), 1+random.IntN(4*threshold)
		for step := range 3000 {
			switch random.IntN(20) {
			case 0:
				now += random.Int64N(length * 2)
			case 1, 2, 3:
				now++
			}
			key, what := hash(7, []byte{byte(random.IntN(keys))})|1, hash(9, []byte{byte(random.IntN(items))})
			e := Evidence{At: now * 1e9}
			m := w.add(key, what, now, &e)
			if m != nil {
				w.quiet(m, now)
			}
			if got, want := m != nil, n.add(key, what, now); got != want {
				t.Fatalf("seed %d step %d: threshold %d, %d s: raised %v, want %v", seed, step, threshold, length, got, want)
			}
		}
		if w.evicted > 0 {
			t.Fatalf("seed %d: %d keys gave way among %d", seed, w.evicted, keys)
		}
	}
}

// The borders of a window: what was seen length seconds ago counts no more, and
// a key is silent for as long after it was raised.
func TestWindowBorders(t *testing.T) {
	for _, c := range []struct {
		name    string
		seconds []int64 // of one new item each
		want    []int   // which of them raise
	}{
		{"at once", []int64{0, 0, 0, 0}, []int{2}},
		{"just within", []int64{0, 15, 29}, []int{2}},
		{"just outside", []int64{0, 15, 30}, nil},
		{"across what would be two windows of 30 s", []int64{25, 31, 35}, []int{2}},
		{"again when the silence is over", []int64{0, 0, 0, 29, 29, 29, 30}, []int{2, 6}},
		{"not again without news", []int64{0, 0, 0, 31}, []int{2}},
	} {
		w := window{}
		w.configure(2, 30, 1<<16)
		var got []int
		for i, s := range c.seconds {
			now := 1_700_000_000 + s
			if m := w.add(1, hash(1, []byte{byte(i)}), now, &Evidence{At: now * 1e9}); m != nil {
				w.quiet(m, now)
				got = append(got, i)
			}
		}
		if len(got) != len(c.want) || len(got) > 0 && got[0] != c.want[0] || len(got) > 1 && got[1] != c.want[1] {
			t.Errorf("%s: raised by %v, want %v", c.name, got, c.want)
		}
	}
}

// Amid a flood of invented keys with one item each a slow attacker is found, and
// what gave way is counted. Memory does not grow.
func TestWindowFlood(t *testing.T) {
	w := window{}
	w.configure(10, 30, 12<<20)
	size := len(w.single)*sizeOfSingle + len(w.multi)*sizeOfMulti + len(w.items)*sizeOfItem
	if size > 12<<20 {
		t.Errorf("%d bytes of %d", size, 12<<20)
	}
	now, found := int64(1_700_000_000), 0
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 3_000_000 {
		now = 1_700_000_000 + int64(i)/1_000_000
		w.add(random.Uint64()|1, random.Uint64(), now, &Evidence{At: now * 1e9})
		if i > 1_000_000 && i%50_000 == 0 { // twenty probes a second
			if m := w.add(4711, uint64(i), now, &Evidence{At: now * 1e9}); m != nil {
				w.quiet(m, now)
				found++
			}
		}
	}
	if found != 1 {
		t.Errorf("the attacker was found %d times", found)
	}
	if w.evicted < 2_000_000 {
		t.Errorf("%d keys gave way", w.evicted)
	}
}

// A clock that is set back begins all windows anew, and what was seen before does
// not come back when time has gone on.
func TestClockSetBack(t *testing.T) {
	found := 0
	b := NewBoard(Options{Heuristics: true})
	b.SetRaise(func(*Finding) { found++ })
	probe := func(second int64, port uint16) {
		e := Evidence{Kind: ProbeTCP, At: second * 1e9, Item: uint64(port), DstPort: port, Flags: IPv4}
		e.Src[15], e.Dst[15] = 1, 2
		b.Take(&e, nil)
	}
	for port := range uint16(10) {
		probe(10_000, port)
	}
	probe(9_000, 10) // the eleventh, but of another time
	if c := b.Counts(); found != 0 || c.Steps != 1 {
		t.Errorf("%d findings, %+v", found, c)
	}
	probe(10_000, 11)
	if found != 0 {
		t.Error("what was seen before the step counts again")
	}
	for port := range uint16(11) {
		probe(10_001, 100+port)
	}
	if found != 1 {
		t.Errorf("%d findings", found)
	}
	probe(9_980, 200) // late, no step
	if c := b.Counts(); c.Steps != 1 || c.Late != 1 {
		t.Errorf("%+v", c)
	}
}

func BenchmarkWindow(b *testing.B) {
	for _, c := range []struct {
		name string
		keys uint64
	}{{"1000 keys", 1000}, {"50000 keys", 50_000}, {"invented keys", 1 << 62}} {
		b.Run(c.name, func(b *testing.B) {
			w := window{}
			w.configure(10, 30, 12<<20)
			e := Evidence{}
			b.ReportAllocs()
			for i := range uint64(b.N) {
				e.At = (1_700_000_000 + int64(i/1_000_000)) * 1e9
				w.add(fold(i%c.keys^mix1, mix2)|1, i%7, 1_700_000_000+int64(i/1_000_000), &e)
			}
		})
	}
}

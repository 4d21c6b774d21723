package table

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"trailhound/trails"
)

var someTime = time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)

type entry struct{ text, info string }

// build compiles texts into a table in memory.
func build(t testing.TB, entries ...entry) *Table {
	t.Helper()
	b := NewBuilder(Options{Seed: 7, Now: someTime})
	for _, e := range entries {
		kind, key, err := trails.AppendKey(nil, []byte(e.text))
		if err != nil {
			t.Fatalf("%q: %v", e.text, err)
		}
		b.Add(kind, key, b.Provenance(trails.Provenance{Info: e.info, Reference: "(static)",
			Sources: []trails.Source{{Name: e.info + ".txt"}}}))
	}
	table, err := b.Memory()
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func info(t *Table, r Ref) string {
	i, _ := t.Info(r)
	return string(i)
}

func TestAddresses(t *testing.T) {
	tb := build(t,
		entry{"192.0.2.1", "bare"}, entry{"192.0.2.1:443", "port"}, entry{"198.51.100.0/24", "net24"},
		entry{"198.51.100.128/25", "net25"}, entry{"10.0.0.0/8", "net8"}, entry{"198.51.100.7", "inside"},
		entry{"2001:db8::1", "six"}, entry{"[2001:db8::1]:443", "sixport"}, entry{"2001:db8:5::/48", "six48"},
		entry{"192.0.2.255/32", "net32"})
	for _, c := range []struct {
		addr string
		port uint16
		want string
	}{
		{"192.0.2.1", 0, "bare"}, {"192.0.2.1", 443, "port"}, {"192.0.2.1", 444, ""}, {"192.0.2.2", 0, ""},
		{"198.51.100.1", 0, "net24"}, {"198.51.100.129", 0, "net25"}, {"198.51.100.7", 0, "inside"},
		{"198.51.101.0", 0, ""}, {"10.255.255.255", 0, "net8"}, {"11.0.0.0", 0, ""}, {"192.0.2.255", 0, "net32"},
		{"2001:db8::1", 0, "six"}, {"2001:db8::1", 443, "sixport"}, {"2001:db8::2", 0, ""},
		{"2001:db8:5:ffff::1", 0, "six48"}, {"2001:db8:6::1", 0, ""}, {"::ffff:192.0.2.1", 0, ""},
	} {
		a := netip.MustParseAddr(c.addr)
		r := tb.Addr(a)
		if c.port != 0 {
			r = tb.AddrPort(a, c.port)
		}
		if got := info(tb, r); got != c.want {
			t.Errorf("%s port %d: got %q, want %q", c.addr, c.port, got, c.want)
		}
	}
}

func TestNames(t *testing.T) {
	tb := build(t, entry{"evil.example", "parent"}, entry{"sub.evil.example", "child"}, entry{".xyz", "tld"},
		entry{"a.b.c.d.e.f.g.h.i.j.k.l.m", "deep"})
	for _, c := range []struct{ name, want string }{
		{"evil.example", "parent@0"}, {"www.evil.example", "parent@4"}, {"sub.evil.example", "child@0 parent@4"},
		{"x.sub.evil.example", "child@2 parent@6"}, {"notevil.example", ""}, {"evil.example.com", ""}, {"some.xyz", "tld@5"},
		{"example", ""}, {"", ""}, {"z.a.b.c.d.e.f.g.h.i.j.k.l.m", "deep@2"}, {"evil..example", ""},
	} {
		var w Names
		var got []string
		name := []byte(c.name)
		for i := range tb.Suffixes(&w, name) {
			if r, at := tb.Suffix(&w, name, i); r != 0 {
				got = append(got, fmt.Sprintf("%s@%d", info(tb, r), at))
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%q: got %q, want %q", c.name, s, c.want)
		}
	}
}

func TestURLs(t *testing.T) {
	tb := build(t, entry{"/gate.php", "path"}, entry{"evil.example/bad/path", "host"}, entry{"evil.example/", "any"})
	look := func(host, path string) string {
		h, p := []byte(host), []byte(path)
		return info(tb, tb.URL(tb.Host(h), h, tb.Path(p), p))
	}
	for _, c := range [][3]string{{"", "/gate.php", "path"}, {"evil.example", "/bad/path", "host"}, {"evil.example", "/", "any"},
		{"evil.example", "/gate.php", ""}, {"", "/bad/path", ""}, {"evil.exampl", "e/bad/path", ""}} {
		if got := look(c[0], c[1]); got != c[2] {
			t.Errorf("%s %s: got %q, want %q", c[0], c[1], got, c[2])
		}
	}
}

func TestLastWinsAndKeepsSources(t *testing.T) {
	tb := build(t, entry{"evil.example", "first"}, entry{"evil.example", "second"}, entry{"evil.example", "first"})
	if tb.Len() != 1 {
		t.Fatalf("%d trails", tb.Len())
	}
	r := tb.Find(trails.Domain, []byte("evil.example"))
	p := tb.Provenance(r)
	if p.Info != "first" || len(p.Sources) != 2 || p.Sources[0].Name != "first.txt" || p.Sources[1].Name != "second.txt" {
		t.Errorf("got %+v", p)
	}
	if !p.Sources[0].LastSeen.Equal(someTime) {
		t.Errorf("last seen %v", p.Sources[0].LastSeen)
	}
}

func TestFirstSeenSurvivesRebuild(t *testing.T) {
	old := build(t, entry{"evil.example", "x"})
	now := someTime.Add(48 * time.Hour)
	b := NewBuilder(Options{Seed: 9, Now: now, Previous: old})
	p := b.Provenance(trails.Provenance{Info: "x"})
	b.Add(trails.Domain, []byte("evil.example"), p)
	b.Add(trails.Domain, []byte("new.example"), p)
	tb, err := b.Memory()
	if err != nil {
		t.Fatal(err)
	}
	if at := tb.FirstSeen(tb.Find(trails.Domain, []byte("evil.example"))); !at.Equal(someTime) {
		t.Errorf("known key first seen %v", at)
	}
	if at := tb.FirstSeen(tb.Find(trails.Domain, []byte("new.example"))); !at.Equal(now) {
		t.Errorf("new key first seen %v", at)
	}
}

// TestAgainstMap compares the table with a Go map on millions of random and
// near-miss keys of every kind: no hit too few, none too many.
func TestAgainstMap(t *testing.T) {
	rounds, size := 40, 20_000
	if testing.Short() {
		rounds = 4
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	tried := 0
	for round := range rounds {
		known := make(map[string]int)
		b := NewBuilder(Options{Seed: rnd.Uint64(), Now: someTime})
		for i := range size {
			kind, key := randomKey(rnd)
			b.Add(kind, key, b.Provenance(trails.Provenance{Info: fmt.Sprint(i)}))
			known[string(append([]byte{byte(kind)}, key...))] = i
		}
		tb, err := b.Memory()
		if err != nil {
			t.Fatal(err)
		}
		if tb.Len() != len(known) {
			t.Fatalf("round %d: %d trails, want %d", round, tb.Len(), len(known))
		}
		check := func(kind trails.Kind, key []byte) {
			tried++
			i, want := known[string(append([]byte{byte(kind)}, key...))]
			r := tb.Find(kind, key)
			if (r != 0) != want {
				t.Fatalf("%s %q: found %v, want %v", kind, trails.Text(kind, key), r != 0, want)
			}
			if want && info(tb, r) != fmt.Sprint(i) {
				t.Fatalf("%s %q: info %q, want %d", kind, trails.Text(kind, key), info(tb, r), i)
			}
		}
		for k := range known {
			key := []byte(k[1:])
			check(trails.Kind(k[0]), key)
			near := bytes.Clone(key)
			near[rnd.IntN(len(near))] ^= 1 << rnd.IntN(7)
			check(trails.Kind(k[0]), near)
			if len(key) > 1 {
				check(trails.Kind(k[0]), key[1:])
				check(trails.Kind(k[0]), key[:len(key)-1])
			}
		}
		for range size {
			check(randomKey(rnd))
		}
	}
	t.Logf("%d look-ups compared", tried)
}

// TestPiecewiseAgreesWithFind holds that the look-ups of the packet path find
// what Find finds by the whole key.
func TestPiecewiseAgreesWithFind(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	b := NewBuilder(Options{Seed: 11, Now: someTime})
	p := b.Provenance(trails.Provenance{Info: "x"})
	var keys [][]byte
	for range 50_000 {
		kind, key := randomKey(rnd)
		b.Add(kind, key, p)
		keys = append(keys, append([]byte{byte(kind)}, key...))
	}
	tb, err := b.Memory()
	if err != nil {
		t.Fatal(err)
	}
	var w Names
	for _, k := range keys {
		kind, key := trails.Kind(k[0]), k[1:]
		want, got := tb.Find(kind, key), Ref(0)
		switch kind {
		case trails.Domain:
			if tb.Suffixes(&w, key) > 0 {
				got, _ = tb.Suffix(&w, key, 0)
			}
		case trails.URL:
			host, path := trails.SplitURL(key)
			got = tb.URL(tb.Host(host), host, tb.Path(path), path)
		case trails.Address:
			a, _ := netip.AddrFromSlice(key)
			got = tb.Addr(a)
		case trails.AddressPort:
			a, _ := netip.AddrFromSlice(key[:len(key)-2])
			got = tb.AddrPort(a, uint16(key[len(key)-2])<<8|uint16(key[len(key)-1]))
		case trails.Network:
			p := prefixOf(key)
			if got = tb.Addr(p.Addr()); tb.Kind(got) == trails.Address || len(tb.Key(got)) == len(key) && tb.Key(got)[len(key)-1] > key[len(key)-1] {
				continue // something more specific wins
			}
		default:
			continue
		}
		if want == 0 || got != want {
			t.Fatalf("%s %q: piecewise %d, whole %d", kind, trails.Text(kind, key), got, want)
		}
	}
}

const alphabet = "abcdefgh0123-_"

func randomText(rnd *rand.Rand, n int) []byte {
	b := make([]byte, 1+rnd.IntN(n))
	for i := range b {
		b[i] = alphabet[rnd.IntN(len(alphabet))]
	}
	return b
}

func randomKey(rnd *rand.Rand) (trails.Kind, []byte) {
	name := func() []byte {
		b := randomText(rnd, 3)
		for range rnd.IntN(3) {
			b = append(append(b, '.'), randomText(rnd, 12)...)
		}
		return b
	}
	addr := func() []byte {
		if rnd.IntN(3) == 0 {
			b := make([]byte, 16)
			b[0], b[1], b[3], b[15] = 0x20, byte(rnd.IntN(2)), byte(rnd.IntN(8)), byte(rnd.IntN(256))
			return b
		}
		return []byte{byte(1 + rnd.IntN(4)), byte(rnd.IntN(4)), byte(rnd.IntN(256)), byte(rnd.IntN(256))}
	}
	switch kind := trails.Kind(1 + rnd.IntN(trails.Kinds-1)); kind {
	case trails.Domain:
		return kind, name()
	case trails.Address:
		return kind, addr()
	case trails.AddressPort:
		return kind, append(addr(), byte(rnd.IntN(3)), byte(rnd.IntN(256)))
	case trails.Network:
		a, _ := netip.AddrFromSlice(addr())
		p, _ := a.Prefix(a.BitLen() - rnd.IntN(a.BitLen()/2+6))
		return kind, append(p.Addr().AsSlice(), byte(p.Bits()))
	case trails.URL:
		host := name()
		if rnd.IntN(2) == 0 {
			host = nil
		}
		return kind, append(append(host, '/'), randomText(rnd, 9)...)
	default:
		return kind, randomText(rnd, 40)
	}
}

func TestSameInputAndSeedSameBytes(t *testing.T) {
	write := func(seed uint64) []byte {
		rnd := rand.New(rand.NewPCG(5, 6))
		b := NewBuilder(Options{Seed: seed, Now: someTime})
		for i := range 5000 {
			kind, key := randomKey(rnd)
			b.Add(kind, key, b.Provenance(trails.Provenance{Info: fmt.Sprint(i % 77), Sources: []trails.Source{{Name: "f"}}}))
		}
		var m memory
		if err := b.Write(&m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	if !bytes.Equal(write(1), write(1)) {
		t.Error("same input and seed, other bytes")
	}
	if bytes.Equal(write(1), write(2)) {
		t.Error("the seed has no effect")
	}
}

func TestLookupsDoNotAllocate(t *testing.T) {
	tb := build(t, entry{"evil.example", "x"}, entry{"192.0.2.1", "y"}, entry{"2001:db8::/32", "z"}, entry{"evil.example/a", "u"})
	var w Names
	name, path := []byte("a.evil.example"), []byte("/a")
	a4, a6 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::9")
	if n := testing.AllocsPerRun(100, func() {
		for i := range tb.Suffixes(&w, name) {
			tb.Suffix(&w, name, i)
		}
		tb.Addr(a4)
		tb.AddrPort(a6, 1)
		tb.Addr(a6)
		tb.URL(tb.Host(name[2:]), name[2:], tb.Path(path), path)
		tb.Info(tb.Addr(a4))
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func writeTable(t testing.TB, dir string) string {
	t.Helper()
	b := NewBuilder(Options{Seed: 3, Now: someTime})
	p := b.Provenance(trails.Provenance{Info: "x", Reference: "(static)", Sources: []trails.Source{{Name: "f", URLs: []string{"u"}}}})
	rnd := rand.New(rand.NewPCG(7, 8))
	for range 300 {
		kind, key := randomKey(rnd)
		b.Add(kind, key, p)
	}
	path := filepath.Join(dir, "trails.thd")
	if err := b.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWriteFileLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	writeTable(t, dir)
	b := NewBuilder(Options{Now: someTime})
	b.Add(trails.Address, []byte{1}, 0) // cannot be written
	if err := b.WriteFile(filepath.Join(dir, "other.thd")); err == nil || !strings.Contains(err.Error(), "other.thd") {
		t.Errorf("got %v", err)
	}
	nowhere := filepath.Join(dir, "none")
	if err := b.WriteFile(filepath.Join(nowhere, "other.thd")); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "directory "+strconv.Quote(nowhere)) {
		t.Errorf("got %v", err)
	}
	list, _ := os.ReadDir(dir)
	if len(list) != 1 {
		t.Errorf("left behind: %v", list)
	}
}

// prefixOf is the network of a key.
func prefixOf(key []byte) netip.Prefix {
	n := len(key) - 1
	a, _ := netip.AddrFromSlice(key[:n])
	return netip.PrefixFrom(a, int(key[n]))
}

package table

import (
	"errors"
	"hash/crc32"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"

	"trailhound/trails"
)

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	good, err := os.ReadFile(writeTable(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	change := func(f func(b []byte) []byte) func(string) error {
		return func(path string) error { return os.WriteFile(path, f(append([]byte(nil), good...)), 0o644) }
	}
	for _, c := range []struct {
		name string
		make func(path string) error
		want error
	}{
		{"missing", func(string) error { return nil }, os.ErrNotExist},
		{"empty", change(func([]byte) []byte { return nil }), ErrForeign},
		{"foreign", change(func(b []byte) []byte { return []byte(strings.Repeat("not a table ", 100)) }), ErrForeign},
		{"short foreign", change(func(b []byte) []byte { return []byte("#!") }), ErrForeign},
		{"text mode transfer", change(func(b []byte) []byte { b[6] = '\n'; return append(b[:7], b[8:]...) }), ErrForeign},
		{"version", change(func(b []byte) []byte { b[8]++; return b }), ErrVersion},
		{"header bit", change(func(b []byte) []byte { b[41] ^= 4; return b }), ErrDamaged},
		{"directory bit", change(func(b []byte) []byte { b[headerSize+9] ^= 1; return b }), ErrDamaged},
		{"cut in the header", change(func(b []byte) []byte { return b[:headerSize] }), ErrDamaged},
		{"cut at the end", change(func(b []byte) []byte { return b[:len(b)-1] }), ErrDamaged},
		{"grown", change(func(b []byte) []byte { return append(b, 0) }), ErrDamaged},
		{"writable by group", func(p string) error { os.WriteFile(p, good, 0o644); return os.Chmod(p, 0o664) }, ErrUntrusted},
		{"writable by others", func(p string) error { os.WriteFile(p, good, 0o644); return os.Chmod(p, 0o646) }, ErrUntrusted},
		{"directory", func(p string) error { return os.Mkdir(p, 0o755) }, ErrUntrusted},
		{"fifo", func(p string) error { return syscall.Mkfifo(p, 0o644) }, ErrUntrusted},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "trails.thd")
			if err := c.make(path); err != nil {
				t.Fatal(err)
			}
			_, err := Open(path)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestOpenRefusesStrangersFile(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	path := writeTable(t, t.TempDir())
	if err := os.Chown(path, 12345, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, ErrUntrusted) || !strings.Contains(err.Error(), "user 12345") {
		t.Errorf("got %v", err)
	}
}

// TestVerifyFindsEveryFlippedBit flips bits all over the file: Open or Verify
// must notice each one that is not padding, and no look-up may crash.
func TestVerifyFindsEveryFlippedBit(t *testing.T) {
	path := writeTable(t, t.TempDir())
	if err := Verify(path); err != nil {
		t.Fatal(err)
	}
	good, _ := os.ReadFile(path)
	tb, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer tb.Close()
	covered := make([]bool, len(good))
	for i := range headLength {
		covered[i] = true
	}
	for id := 1; id < secEnd; id++ {
		s := tb.head.sections[id]
		for i := s.offset; i < s.offset+s.length; i++ {
			covered[i] = true
		}
	}
	step := 7
	if testing.Short() {
		step = 101
	}
	for i := 0; i < len(good); i += step {
		if !covered[i] {
			continue
		}
		bad := append([]byte(nil), good...)
		bad[i] ^= 1 << (i % 8)
		other := filepath.Join(t.TempDir(), "bad.thd")
		if err := os.WriteFile(other, bad, 0o644); err != nil {
			t.Fatal(err)
		}
		if Verify(other) == nil {
			t.Fatalf("flipped bit at byte %d not noticed", i)
		}
	}
}

// TestTruncatedUnderneath shows the fault that a file cut in place causes, and
// that a worker which asked for it can recover.
func TestTruncatedUnderneath(t *testing.T) {
	path := writeTable(t, t.TempDir())
	tb, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer tb.Close()
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() == nil {
			t.Error("no fault")
		}
	}()
	tb.Find(trails.Domain, []byte("evil.example"))
	tb.Len()
	for range tb.All() {
	}
}

func FuzzOpen(f *testing.F) {
	b := NewBuilder(Options{Seed: 3, Now: someTime})
	p := b.Provenance(trails.Provenance{Info: "x", Sources: []trails.Source{{Name: "f", URLs: []string{"u"}}}})
	for _, text := range []string{"evil.example", "192.0.2.1", "192.0.2.1:443", "2001:db8::/32", "/gate.php", "10.0.0.0/8"} {
		kind, key, _ := trails.AppendKey(nil, []byte(text))
		b.Add(kind, key, p)
	}
	var m memory
	if err := b.Write(&m); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(m), uint16(0), byte(0))
	f.Add([]byte(m), uint16(700), byte(255))
	f.Add([]byte(m[:200]), uint16(0), byte(0))
	f.Fuzz(func(t *testing.T, data []byte, at uint16, value byte) {
		data = append([]byte(nil), data...)
		if int(at) < len(data) {
			data[at] = value
		}
		if len(data) >= headLength { // the checksum is no guard against somebody who means it
			le.PutUint64(data[16:], uint64(len(data)))
			le.PutUint32(data[headLength-4:], checksumOf(data[:headLength-4]))
		}
		tb, err := FromBytes(data)
		if err != nil {
			return
		}
		lookAround(tb)
	})
}

// lookAround makes every kind of look-up, to be run on damaged tables.
func lookAround(tb *Table) {
	var w Names
	for _, text := range []string{"www.evil.example", "192.0.2.1", "192.0.2.1:443", "2001:db8::1", "/gate.php", "10.0.0.0/8"} {
		kind, key, _ := trails.AppendKey(nil, []byte(text))
		tb.Provenance(tb.Find(kind, key))
		name := []byte(text)
		for i := range tb.Suffixes(&w, name) {
			tb.Suffix(&w, name, i)
		}
		if kind == trails.Address {
			tb.Addr(addrOf(key))
		}
	}
	for r := range tb.All() {
		tb.Provenance(r)
		tb.FirstSeen(r)
	}
}

func checksumOf(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

func addrOf(key []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(key)
	return a
}

func TestHolds(t *testing.T) {
	tb, err := Open(writeTable(t, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	start := reflect.ValueOf(tb.data).Pointer()
	for addr, want := range map[uintptr]bool{0: false, start - 1: false, start: true, start + uintptr(tb.Size()) - 1: true, start + uintptr(tb.Size()): false, ^uintptr(0): false} {
		if got := tb.Holds(addr); got != want {
			t.Errorf("%#x: %v", addr, got)
		}
	}
	tb.Close()
	if tb.Holds(start) || tb.Holds(0) {
		t.Error("a closed table holds memory")
	}
}

package retro

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func now(f func()) bool { f(); return true }

// some is a store with n entries of minutes that rise.
func some(memory int64, n int) *Store {
	s := New(memory, NewSecret())
	for i := range n {
		s.Add([]Note{{Key: s.secret.Hash(1, binary.LittleEndian.AppendUint32(nil, uint32(i))), Host: host(i % 300), Minute: uint32(1000 + i/10)}})
	}
	return s
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "retro")
	if s, err := Load(path, 1<<20); s != nil || err != nil {
		t.Fatal(s, err)
	}
	for _, n := range []int{0, 1, 5000, 60000} {
		s := some(1<<20, n)
		os.WriteFile(path+".new", nil, 0o666) // left of a crash
		if err := s.Save(path, noon, now); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Fatal(info, err)
		}
		got, err := Load(path, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		got.check(t)
		if !got.Saved().Equal(noon) {
			t.Errorf("saved %v", got.Saved())
		}
		got.hand, got.added, got.evicted, got.saved = s.hand, s.added, s.evicted, s.saved
		if !reflect.DeepEqual(got, s) {
			t.Errorf("%d: %+v, want %+v", n, got.Counts(), s.Counts())
		}
	}
	// Less memory than before: the newest stay.
	s := some(1<<20, 30000)
	if err := s.Save(path, noon, now); err != nil {
		t.Fatal(err)
	}
	small, err := Load(path, 256<<10)
	if err != nil {
		t.Fatal(err)
	}
	small.check(t)
	c, before := small.Counts(), s.Counts()
	if c.Entries != c.Limit || c.Evicted != uint64(before.Entries-c.Entries) || !c.Last.Equal(before.Last) || !c.Since.After(before.Since) {
		t.Errorf("%+v of %+v", c, before)
	}
	if _, ok := small.Find(s.secret.Hash(1, binary.LittleEndian.AppendUint32(nil, 29999))); !ok {
		t.Error("the newest is gone")
	}
}

// TestDamage: any byte changed, and any end, is found.
func TestDamage(t *testing.T) {
	var out bytes.Buffer
	s := some(0, 40)
	if err := s.Write(&out, noon, now); err != nil {
		t.Fatal(err)
	}
	good := out.Bytes()
	if _, err := Read(bytes.NewReader(good), 0); err != nil {
		t.Fatal(err)
	}
	for i := range good {
		b := bytes.Clone(good)
		b[i] ^= 0x41
		if _, err := Read(bytes.NewReader(b), 0); !errors.Is(err, ErrDamaged) {
			t.Fatalf("byte %d: %v", i, err)
		}
		if _, err := Read(bytes.NewReader(good[:i]), 0); !errors.Is(err, ErrDamaged) {
			t.Fatalf("%d bytes: %v", i, err)
		}
	}
}

func TestAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "retro")
	os.WriteFile(path, []byte("no memory at all"), 0o600)
	if _, err := Load(path, 0); !errors.Is(err, ErrDamaged) {
		t.Fatal(err)
	}
	aside, err := Aside(path)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(aside); string(b) != "no memory at all" {
		t.Errorf("%q", b)
	}
	if s, err := Load(path, 0); s != nil || err != nil {
		t.Error(s, err)
	}
	os.Mkdir(path, 0o700)
	if _, err := Load(path, 0); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
}

// TestSaveFails: what was there stays.
func TestSaveFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "retro")
	os.WriteFile(path, []byte("before"), 0o600)
	if err := some(0, 10).Save(path, noon, func(func()) bool { return false }); err == nil {
		t.Error("no error")
	}
	if b, _ := os.ReadFile(path); string(b) != "before" {
		t.Errorf("%q", b)
	}
	if list, _ := filepath.Glob(path + "*"); len(list) != 1 {
		t.Errorf("%q", list)
	}
}

func FuzzRead(f *testing.F) {
	var out bytes.Buffer
	some(0, 5).Write(&out, noon, now)
	f.Add(out.Bytes())
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := Read(bytes.NewReader(b), 0); err == nil {
			s.check(t)
		}
	})
}

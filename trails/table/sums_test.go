package table

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
)

func noPace() error { return nil }

// whole gives the bytes of a table file.
func whole(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(writeTable(t, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestSumsOfEveryByte: what is in a section or in the header is found, what is
// between sections does not matter.
func TestSumsOfEveryByte(t *testing.T) {
	good := whole(t)
	var h header
	if err := h.decode(good, int64(len(good))); err != nil {
		t.Fatal(err)
	}
	inside := func(at uint64) bool {
		for _, s := range h.sections[1:] {
			if at >= s.offset && at < s.offset+s.length {
				return true
			}
		}
		return at < headLength
	}
	b := bytes.Clone(good)
	for at := range b {
		b[at] ^= 1
		err := VerifySums(bytes.NewReader(b), int64(len(b)), noPace)
		if found := errors.Is(err, ErrDamaged) || errors.Is(err, ErrForeign) || errors.Is(err, ErrVersion); found != inside(uint64(at)) || found != (err != nil) {
			t.Fatalf("byte %d: %v", at, err)
		}
		b[at] ^= 1
	}
	if err := VerifySums(bytes.NewReader(b), int64(len(b)), noPace); err != nil {
		t.Error(err)
	}
}

// TestSumsOfEveryLength: of a file that is cut off before or while it is read.
func TestSumsOfEveryLength(t *testing.T) {
	good := whole(t)
	step := 1
	for n := 0; n < len(good); n += step {
		if n > headLength+align { // nothing is decoded from here on
			step = 61
		}
		for _, size := range []int{n, len(good)} {
			err := VerifySums(bytes.NewReader(good[:n]), int64(size), noPace)
			if want := map[bool]error{true: ErrForeign, false: ErrDamaged}[n < len(magic)]; !errors.Is(err, want) {
				t.Fatalf("%d of %d bytes: %v", n, size, err)
			}
		}
	}
}

func TestSumsStop(t *testing.T) {
	good := whole(t)
	stop := errors.New("stop")
	if err := VerifySums(bytes.NewReader(good), int64(len(good)), func() error { return stop }); err != stop {
		t.Errorf("got %v", err)
	}
	fails := errors.New("input/output error")
	if err := VerifySums(failing{fails}, int64(len(good)), noPace); err != fails {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.err }

func FuzzSums(f *testing.F) {
	good := whole(f)
	f.Add(good)
	f.Add(good[:headLength])
	f.Add([]byte(strings.Repeat("\xff", 400)))
	f.Fuzz(func(t *testing.T, b []byte) {
		parts := 0
		err := VerifySums(bytes.NewReader(b), int64(len(b)), func() error { parts++; return nil })
		if err == nil && len(b) < headLength {
			t.Error("accepted")
		}
		if parts > secEnd*(len(b)/sumsPart+1) {
			t.Errorf("%d parts of %d bytes", parts, len(b))
		}
	})
}

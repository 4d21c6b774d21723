package generation

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trailhound/trails/table"
)

func noPace() error { return nil }

// TestSumsAgreeWithTheTable flips bits all over a file: what table.Verify finds
// by a checksum is found here, and padding is not.
func TestSumsAgreeWithTheTable(t *testing.T) {
	whole := image(t, 300, "x")
	if err := checkSums(bytes.NewReader(whole), noPace); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "flipped.thd")
	found := 0
	for at := 0; at < len(whole); at += 37 {
		b := bytes.Clone(whole)
		b[at] ^= 1
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		want := table.Verify(path)
		got := checkSums(bytes.NewReader(b), noPace)
		if (got == nil) != (want == nil) {
			t.Errorf("byte %d: %v, Verify says %v", at, got, want)
		}
		if got != nil {
			if found++; !errors.Is(got, table.ErrDamaged) && at >= 8 {
				t.Errorf("byte %d: %v", at, got)
			}
		}
	}
	if found < len(whole)/37/2 {
		t.Errorf("%d found", found)
	}
}

func TestSumsOfEveryLength(t *testing.T) {
	whole := image(t, 20, "x")
	for n := range len(whole) {
		if err := checkSums(bytes.NewReader(whole[:n]), noPace); !errors.Is(err, table.ErrDamaged) {
			t.Fatalf("cut off at %d: %v", n, err)
		}
	}
}

func TestSumsStop(t *testing.T) {
	stop := errors.New("stop")
	if err := checkSums(bytes.NewReader(image(t, 20, "x")), func() error { return stop }); err != stop {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	k := &Keeper{rest: 1 << 40}
	if err := k.pace(ctx)(); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func FuzzSums(f *testing.F) {
	whole := image(f, 20, "x")
	f.Add(whole)
	f.Add(whole[:400])
	f.Add([]byte(strings.Repeat("\xff", 400)))
	f.Fuzz(func(t *testing.T, b []byte) {
		reads := 0
		err := checkSums(bytes.NewReader(b), func() error { reads++; return nil })
		if err == nil && len(b) < directoryAt {
			t.Error("accepted")
		}
		if reads > 64*(len(b)/sumsPart+1) {
			t.Errorf("%d parts of %d bytes", reads, len(b))
		}
	})
}

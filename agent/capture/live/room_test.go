package live

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// limitAddressSpace lets this process map so much more, until the test ends.
func limitAddressSpace(t *testing.T, room int64) {
	t.Helper()
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_AS, &was); err != nil {
		t.Fatal(err)
	}
	if was.Cur < 1<<62 {
		t.Skip("RLIMIT_AS is set already")
	}
	const most = 1 << 61
	set := func(cur uint64) {
		t.Helper()
		if err := unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: cur, Max: was.Max}); err != nil {
			t.Fatal(err)
		}
	}
	set(most)
	used := most - addressSpace()
	set(uint64(used + room))
	t.Cleanup(func() { set(was.Cur) })
}

func TestAddressSpace(t *testing.T) {
	if got := addressSpace(); got != 0 {
		t.Skipf("RLIMIT_AS leaves %d bytes already", got)
	}
	limitAddressSpace(t, 8<<30)
	if got := addressSpace(); got > 8<<30 || got < 4<<30 {
		t.Errorf("%d bytes, want about %d", got, 8<<30)
	}
}

// Rings count against RLIMIT_AS, as all does that is mapped after them: they
// get half of what it leaves, and the log and the error name it.
func TestPlanWithinAddressSpace(t *testing.T) {
	for _, c := range []struct {
		name             string
		workers, snaplen int
		fits             bool
	}{
		{"enough", 2, 18 << 10, true},
		{"too little", 256, 256 << 10, false}, // 2 MiB each, at the least
	} {
		t.Run(c.name, func(t *testing.T) {
			var said bytes.Buffer
			f, err := newCapture(Options{Interfaces: []Interface{{Name: Any}}, Workers: c.workers, Snaplen: c.snaplen, RingTotal: 600 << 20,
				Log: slog.New(slog.NewTextHandler(&said, nil))})
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range f.sources {
				defer s.Close()
			}
			limitAddressSpace(t, 700<<20)
			err = f.plan(nil)
			if f.opt.RingTotal > 350<<20 || f.opt.RingTotal < 100<<20 || !strings.Contains(said.String(), "LimitAS=") {
				t.Errorf("%d bytes, the log says %q", f.opt.RingTotal, &said)
			}
			if (err == nil) != c.fits || err != nil && !strings.Contains(err.Error(), "half of the available address space (RLIMIT_AS: ulimit -v") {
				t.Errorf("%v", err)
			}
		})
	}
}

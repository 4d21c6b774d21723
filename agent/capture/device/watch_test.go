package device

import (
	"context"
	"testing"
	"time"

	"trailhound/tests/namespace"
)

// Watch sees devices made, renamed, switched on and deleted, and ends with its
// context. Its first call comes when the socket is open, so the test waits for
// events only.
func TestWatch(t *testing.T) {
	ip := namespace.Entered(t).IP
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	steps := []struct {
		line string
		seen func(map[string]Device) bool
	}{
		{"link add v0 type veth peer name v1", func(m map[string]Device) bool { return m["v0"].Index != 0 && m["v1"].Index != 0 }},
		{"link set v0 up", func(m map[string]Device) bool { return m["v0"].Up }},
		{"link set v0 down", func(m map[string]Device) bool { return !m["v0"].Up }},
		{"link set v0 name w0", func(m map[string]Device) bool { return m["w0"].Index != 0 && m["v0"].Index == 0 }},
		{"link del v1", func(m map[string]Device) bool { return m["w0"].Index == 0 }},
	}
	step, calls := -1, 0
	err := Watch(ctx, func() {
		calls++
		if step >= 0 && !steps[step].seen(all(t)) {
			return // woken by one of several notifications
		}
		if step++; step == len(steps) {
			cancel()
			return
		}
		ip(steps[step].line)
	})
	if err != nil || step != len(steps) {
		t.Errorf("Watch ended with %v after %d of %d steps and %d calls", err, step, len(steps), calls)
	}
}

// Many changes make few calls.
func TestWatchCoalesces(t *testing.T) {
	ip := namespace.Entered(t).IP
	ip("link add v0 type veth peer name v1")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	calls := 0
	err := Watch(ctx, func() {
		switch calls++; {
		case calls == 1:
			for range 20 { // 40 notifications at least
				ip("link set v0 up")
				ip("link set v0 down")
			}
			ip("link set v0 name last")
		case all(t)["last"].Index != 0:
			cancel()
		}
	})
	if err != nil || calls > 5 {
		t.Errorf("%d calls, error %v", calls, err)
	}
}

func TestWatchEndsAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Watch(ctx, func() { t.Error("called") }); err != nil {
		t.Error(err)
	}
}

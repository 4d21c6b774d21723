package live

import (
	"fmt"
	"strings"
	"testing"

	"trailhound/agent/status"
	"trailhound/tests/corpus"
)

// watched has the service manager expect a sign of life at least every 600 ms.
var watched = []string{"WATCHDOG_USEC=600000"}

const alive = "WATCHDOG=1"

// lives waits for some more signs of life.
func (r *sensor) lives(when string) {
	r.t.Helper()
	before := r.tells(alive)
	r.until("it gives signs of life "+when, func() bool { return r.tells(alive) >= before+3 })
}

// TestWatchdog: the sensor gives signs of life while nothing happens and while
// much does, and none without being asked for them.
func TestWatchdog(t *testing.T) {
	need(t)
	t.Parallel()
	near, far := newSpace(t), newSpace(t)
	near.veth("v0", far, "v1", 1500)
	table := writeTable(t, builder(t, rows))
	r := start(near, setup{interfaces: "[v0]", table: table, workers: 2, env: watched})
	r.lives("when idle")
	l := begin(far.sender("v1"), 0)
	r.lives("under load")
	l.check(t, r)
	if r.tells("STOPPING=1") != 1 {
		t.Errorf("it told the service manager %q", r.told)
	}
	r = start(near, setup{interfaces: "[v0]", table: table})
	l = begin(far.sender("v1"), 0)
	l.more(r, 1000)
	l.check(t, r)
	if n := r.tells(alive); n > 0 {
		t.Errorf("%d signs of life that nobody wants", n)
	}
}

// TestStoppedOutput: nobody reads what the sensor writes. It captures and
// detects as ever, gives signs of life, gives up the oldest events when the
// journal is full, counts that, and says so. When it is read again, what it kept
// comes out.
func TestStoppedOutput(t *testing.T) {
	need(t)
	t.Parallel()
	near, far := newSpace(t), newSpace(t)
	near.veth("v0", far, "v1", 9000)
	r := start(near, setup{interfaces: "[v0]", table: writeTable(t, builder(t, rows)), workers: 2, env: watched, deaf: true,
		extra: "journal: {max_size: 1MiB, min_free: 0}"})
	from := far.sender("v1")
	var s status.Snapshot
	for n := 0; ; { // as long as there is room, a part at a time
		if s = r.account(from.sent); s.Outputs[0].Evicted > 0 {
			break
		}
		if n > 100_000 {
			t.Fatalf("%d events, and the output has room: %+v", n, s.Outputs[0])
		}
		for range 2000 {
			from.send(long(n))
			n++
		}
	}
	r.lives("while an output stands still")
	r.until("it is told", func() bool {
		for _, h := range r.status().Health {
			if h.Code == "health.output.evicted" && h.Cause == "console" && strings.Contains(h.Info, "lost") {
				return true
			}
		}
		r.pausing()
		return false
	})
	if _, dropped, _ := reckoned(&s); dropped > 0 || s.Detection.Dropped > 0 {
		t.Errorf("%d frames and %d events dropped before the output", dropped, s.Detection.Dropped)
	}
	r.hear()
	r.until("what was kept comes out", func() bool {
		s = r.status()
		r.pausing()
		return s.Outputs[0].Queued == 0
	})
	last := r.end(from.sent)
	out := s.Outputs[0]
	if n := uint64(len(r.found("trail."))); n == 0 || n+out.Evicted < last.Passed {
		t.Errorf("%d events came, %d were given up, of %d", n, out.Evicted, last.Passed)
	}
	t.Logf("%d frames, %d events, %d of them given up", from.sent, last.Passed, out.Evicted)
}

// long is the n-th request whose event is as long as can be.
func long(n int) []byte {
	return corpus.IP(fmt.Sprintf("10.4.%d.%d", n>>8&0xff, n&0xff), "203.0.113.10",
		corpus.Data(uint16(2000+n>>16), 80, corpus.Get("evil-parent.com", "/"+strings.Repeat("long/", 300), "User-Agent: "+strings.Repeat("agent ", 300)))).Ethernet().Data
}

// TestEndWithStoppedOutput: an output that takes nothing holds up the end, but
// not for ever: a second order to end is the last one.
func TestEndWithStoppedOutput(t *testing.T) {
	need(t)
	t.Parallel()
	near, far := newSpace(t), newSpace(t)
	near.veth("v0", far, "v1", 9000)
	r := start(near, setup{interfaces: "[v0]", table: writeTable(t, builder(t, rows)), deaf: true, json: true})
	from := far.sender("v1")
	for n := range 1000 { // more than a pipe holds
		from.send(long(n))
	}
	r.account(from.sent)
	r.signal(sigterm)
	r.until("it begins to end", func() bool { return r.tells("STOPPING=1") > 0 })
	r.signal(sigterm)
	r.until("it has its last words", func() bool { return len(r.logged("ended")) > 0 })
	r.hear() // the reader is what the test waits for
	<-r.exited
	if r.err != nil {
		t.Errorf("it ended with %v, though the journal has what was not delivered", r.err)
	}
	if n := len(r.logged("events wait in the journal for the next start")); n != 1 {
		t.Errorf("what was not delivered is told %d times", n)
	}
	if last := r.logged("ended")[0]; last.Packets != from.sent {
		t.Errorf("%d frames seen of %d", last.Packets, from.sent)
	}
}

package live

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"trailhound/agent/status"
	"trailhound/tests/corpus"
)

const sigterm = syscall.SIGTERM

// conversation is a frame of the i-th pair of hosts, one way or the other.
func conversation(i int, back bool) []byte {
	src, dst := fmt.Sprintf("10.3.0.%d", i), fmt.Sprintf("203.0.113.%d", 100+i)
	if back {
		return corpus.IP(dst, src, corpus.Data(443, uint16(3000+i), "\x17\x03\x03\x00\x04pong")).Ethernet().Data
	}
	return corpus.IP(src, dst, corpus.Data(uint16(3000+i), 443, "\x17\x03\x03\x00\x04ping")).Ethernet().Data
}

// burst sends n queries at once, numbered from first, each followed by nine
// frames that are clean.
func burst(from *sender, first, n int) {
	for i := range n {
		from.send(query(first + i))
		for j := range 9 {
			from.send(conversation(j, i%2 == 0))
		}
	}
}

// TestDrops: a sensor that stands still has a ring that is far too small. What
// was lost is counted to the frame, and told as an event; what was in the ring
// is found. That it ends after a minute without loss is tested in agent/health,
// which has a clock to turn.
func TestDrops(t *testing.T) {
	need(t)
	t.Parallel()
	near, far := newSpace(t), newSpace(t)
	near.veth("v0", far, "v1", 1500)
	r := start(near, setup{interfaces: "[v0]", table: writeTable(t, builder(t, rows)), extra: "capture: {ring_total: 2MiB, snaplen: 9KiB}"})
	const queries = 5000
	from := far.sender("v1")
	var s status.Snapshot
	var seen, dropped uint64
	// Health is judged once a second, from the first look on: what is lost
	// before that is counted only.
	for round := 0; len(r.found("health.capture.drops")) == 0; round++ {
		r.signal(syscall.SIGSTOP)
		burst(from, round*queries, queries)
		r.signal(syscall.SIGCONT)
		s = r.account(from.sent)
		if seen, dropped, _ = reckoned(&s); dropped == 0 || seen == 0 || round == 10 {
			t.Fatalf("round %d: %d frames seen, %d dropped, and nothing is told\n%s", round, seen, dropped, r.tail())
		}
	}
	ring, i := s.Capture.Rings[0], s.Capture.Interfaces[0]
	if ring.KernelPackets != from.sent || ring.Freezes == 0 || i.Drops != dropped {
		t.Errorf("of %d frames, %d dropped: %+v", from.sent, dropped, ring)
	}
	if e := r.found("health.capture.drops")[0]; e.state != "raised" || e.iface != "v0" || !strings.Contains(e.info, "in the last minute") {
		t.Errorf("%+v", e)
	}
	if last := r.end(from.sent); last.KernelDrops != dropped {
		t.Errorf("%d frames dropped in the last words, %d in status", last.KernelDrops, dropped)
	}
	found := raised(r)
	if got, want := len(found), i.Kinds["dns"]; uint64(got) != want || got == 0 {
		t.Errorf("events of %d queries, %d were seen", got, want)
	}
}

// TestEndWithFullRings: what lies in the rings when the sensor is told to end is
// looked at before it does.
func TestEndWithFullRings(t *testing.T) {
	need(t)
	for _, workers := range []int{1, 4} {
		near, far := newSpace(t), newSpace(t)
		near.veth("v0", far, "v1", 1500)
		r := start(near, setup{interfaces: "[v0]", table: writeTable(t, builder(t, rows)), workers: workers})
		const queries = 3000
		r.signal(syscall.SIGSTOP)
		from := far.sender("v1")
		burst(from, 0, queries)
		r.signal(sigterm)
		r.signal(syscall.SIGCONT)
		last := r.leave()
		if last.Packets != from.sent || last.QueueDrops != 0 {
			t.Errorf("%d workers: %d frames seen of %d, %d dropped; %d events dropped", workers, last.Packets, from.sent, last.KernelDrops, last.QueueDrops)
		}
		if n := len(raised(r)); n != queries {
			t.Errorf("%d workers: events of %d queries, want %d", workers, n, queries)
		}
	}
}

// TestEndUnderLoad: the sensor is told to end while frames come. What came
// before some moment is seen, without a gap, and nothing after it.
func TestEndUnderLoad(t *testing.T) {
	need(t)
	near, far := newSpace(t), newSpace(t)
	near.veth("v0", far, "v1", 1500)
	r := start(near, setup{interfaces: "[v0]", table: writeTable(t, builder(t, rows))})
	l := begin(near.sender("v0"), 0) // what this host sends is in the ring at once, and in order
	l.more(r, 500)
	r.signal(sigterm)
	last := r.leave()
	sent, asked := l.end()
	if last.Packets == 0 || last.Packets >= sent || last.QueueDrops > 0 {
		t.Fatalf("%d frames seen of %d, %d events dropped", last.Packets, sent, last.QueueDrops)
	}
	if last.KernelDrops > 0 {
		t.Fatalf("%d frames dropped by the kernel: which is not known", last.KernelDrops)
	}
	seen := raised(r)
	want := (last.Packets + cleanFrames) / (cleanFrames + 1) // each begins with its query
	for n := range asked {
		if got := seen[who(n)]; (n < want) != (got == 1) || got > 1 {
			t.Fatalf("%d events of query %d; %d frames were seen, with %d queries", got, n, last.Packets, want)
		}
	}
}

// TestCutFrames: frames longer than the snaplen are counted and told of; what
// stands in the part that is kept is found.
func TestCutFrames(t *testing.T) {
	need(t)
	t.Parallel()
	near, far := newSpace(t), newSpace(t)
	near.veth("v0", far, "v1", 1500)
	r := start(near, setup{interfaces: "[v0]", table: writeTable(t, builder(t, rows)), extra: "capture: {snaplen: 128}"})
	from := far.sender("v1")
	for round := 0; len(r.found("health.capture.truncated")) == 0; round++ { // as in TestDrops
		if round == 10 {
			t.Fatalf("it is not told\n%s", r.tail())
		}
		for i := range 300 {
			from.send(corpus.IP("10.0.0.66", "66.66.66.66", corpus.UDP(uint16(10000+1000*round+i), 9999, strings.Repeat("long", 250))).Ethernet().Data)
		}
		r.account(from.sent)
	}
	if i := r.shown("v0"); i.Truncated != from.sent || i.Bytes < from.sent*1000 {
		t.Errorf("%d frames of %d cut, %d bytes", i.Truncated, from.sent, i.Bytes)
	}
	if e := r.found("health.capture.truncated")[0]; e.state != "raised" || !strings.Contains(e.info, "capture.snaplen") {
		t.Errorf("%+v", e)
	}
	r.end(from.sent)
	if n := len(r.found("trail.ip")); uint64(n) != from.sent {
		t.Errorf("%d events of %d", n, from.sent)
	}
}

// TestLessMemory: there is less address space than the rings that were asked
// for. They become smaller, which is said and shown, and work.
func TestLessMemory(t *testing.T) {
	need(t)
	t.Parallel()
	near, far := newSpace(t), newSpace(t)
	near.veth("v0", far, "v1", 1500)
	table := writeTable(t, builder(t, rows))
	small := start(near, setup{interfaces: "[v0]", table: table, extra: "capture: {ring_total: 4MiB}"})
	used := mapped(t, small.pid)
	small.end(0)
	// No room for a ring of 384 MiB.
	limit := used + 160<<20
	r := start(near, setup{interfaces: "[v0]", table: table, extra: "capture: {ring_total: 512MiB}",
		by: []string{"sh", "-c", fmt.Sprintf(`ulimit -v %d && exec "$@"`, limit>>10), "sh"}})
	from := far.sender("v1")
	from.send(syns(100, 0)...)
	ring := r.account(from.sent).Capture.Rings[0]
	// How much less than half of the room depends on the threads that there are:
	// each has address space of its own.
	if ring.WantedBytes > 160<<20 || ring.Bytes > ring.WantedBytes || ring.Bytes < 16<<20 {
		t.Errorf("%d bytes of %d", ring.Bytes, ring.WantedBytes)
	}
	if len(r.logged("ring memory is limited to half of what is available")) != 1 {
		t.Errorf("the log does not say so:\n%s", r.tail())
	}
	r.end(from.sent)
	if n := len(r.found("trail.ip")); n != 100 {
		t.Errorf("%d events of 100", n)
	}
}

// mapped is the most address space that a process ever had, in bytes.
func mapped(t *testing.T, pid int) uint64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(text, []byte("VmPeak:"))
	n, err := strconv.ParseUint(string(bytes.Fields(rest)[0]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n << 10
}

// TestSilent: an interface that carries nothing for the time that is configured
// for it is told of, and that it carries something again.
func TestSilent(t *testing.T) {
	need(t)
	t.Parallel()
	near, far := newSpace(t), newSpace(t)
	near.veth("v0", far, "v1", 1500)
	near.veth("w0", far, "w1", 1500)
	r := start(near, setup{interfaces: "[{name: v0, alias: tap}, w0]", table: writeTable(t, builder(t, rows)), extra: "capture: {silence: {default: 1s, v0: 1s}}"})
	silent := func(n int) func() bool { return func() bool { return len(r.found("health.capture.silent")) >= n } }
	r.until("silence is told", silent(1))
	from := far.sender("v1")
	from.send(query(0))
	r.until("its end is told", silent(2))
	r.end(from.sent)
	list := r.found("health.capture.silent")
	if list[0].state != "raised" || !strings.Contains(list[0].info, "v0 (tap)") || list[1].state != "recovered" {
		t.Errorf("%+v", list)
	}
	for _, e := range list {
		if e.iface != "v0" { // w0 never carried anything, and is not watched by name
			t.Errorf("%+v", e)
		}
	}
}

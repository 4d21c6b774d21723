package live

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"trailhound/agent/status"
)

// shown gives what status says of an interface; nil: nothing.
func (r *sensor) shown(name string) *status.Interface {
	r.t.Helper()
	r.pausing()
	s := r.status()
	if i := slices.IndexFunc(s.Capture.Interfaces, func(i status.Interface) bool { return i.Name == name }); i >= 0 {
		return &s.Capture.Interfaces[i]
	}
	return nil
}

// TestDownUpRenamed switches an interface off and on and renames it under load.
// What the device took is seen, all of it, and under the name of the time.
//
// The load comes from the sensor's own host: what is sent there is in the ring
// when the device has it, so that the device's own count is exact. The kernel
// shows no packet socket what is sent between a link's coming up and the
// notification of that, so nothing is sent meanwhile.
func TestDownUpRenamed(t *testing.T) {
	need(t)
	t.Parallel()
	near, far := newSpace(t), newSpace(t)
	near.veth("v0", far, "v1", 1500)
	r := start(near, setup{interfaces: "[v0]", table: writeTable(t, builder(t, rows)), workers: 2})
	from := near.sender("v0")
	from.loose = true
	l := begin(from, 0)
	type span struct {
		first, end uint64
		name       string
	}
	var up []span // queries that were sent while all was well
	steady := func(name string) {
		t.Helper()
		if s := r.status(); len(s.Capture.Interfaces) != 1 || s.Capture.Interfaces[0].Name != name {
			t.Errorf("want one interface, %s: %+v", name, s.Capture.Interfaces)
		}
		first := l.asked.Load() + 1
		l.more(r, 300)
		up = append(up, span{first, l.asked.Load(), name})
	}
	is := func(name string, up bool) func() bool {
		return func() bool { i := r.shown(name); return i != nil && i.Up == up }
	}
	steady("v0")
	name := "v0"
	for _, next := range []string{"lan0", "v0"} {
		near.IP("link set " + name + " down")
		r.until("it is seen to be down", is(name, false))
		l.hold(func() { near.IP("link set " + name + " up") })
		r.until("it is seen to be up", is(name, true))
		steady(name)
		near.IP("link set " + name + " down")
		l.hold(func() { near.IP("link set " + name + " name " + next + "\nlink set " + next + " up") })
		r.until("the new name is known", is(next, true))
		name = next
		steady(name)
	}
	l.end()
	sent, _ := near.carried(name)
	r.account(sent)
	r.end(sent)
	seen := raised(r)
	for _, s := range up {
		for n := s.first; n < s.end; n++ {
			if seen[who(n)] != 1 {
				t.Fatalf("%d events of query %d, sent by %s", seen[who(n)], n, s.name)
			}
		}
	}
	names := make(map[string]bool)
	for _, e := range r.found("trail.dns") {
		names[e.iface] = true
	}
	if len(names) != 2 || !names["v0"] || !names["lan0"] {
		t.Errorf("events of %v", names)
	}
	if len(r.logged("interface was renamed")) != 2 {
		t.Error("the log does not tell of two new names")
	}
}

// TestDeletedAndMadeAgain deletes an interface under load and makes it again,
// until no socket that was opened in advance is left. All that was sent before
// is seen, once; then the sensor says that it needs a restart, once, though the
// interface comes and goes.
func TestDeletedAndMadeAgain(t *testing.T) {
	need(t)
	released(t)
	t.Parallel()
	near, far := newSpace(t), newSpace(t)
	near.veth("v0", far, "v1", 1500)
	// A socket that was in a fan-out group cannot be used again: two rounds.
	r := start(near, setup{interfaces: "[{name: v0, optional: true, alias: tap}]", table: writeTable(t, builder(t, rows)), workers: 2,
		extra: "capture: {spare_sockets: 4}"})
	type span struct{ first, end uint64 }
	var must []span
	var asked, tried uint64
	for round := range 3 {
		r.until("it is captured", func() bool { i := r.shown("v0"); return i != nil && i.Up && i.Promiscuous })
		from := near.sender("v0")
		from.loose = true
		l := begin(from, asked)
		l.more(r, 300)
		must = append(must, span{asked, l.asked.Load()})
		near.IP("link del v0")
		l.more(r, 10)
		_, asked = l.end()
		tried += from.tried
		r.until("it is gone", func() bool { i := r.shown("v0"); return i == nil || !i.Up })
		if len(r.found("health.capture.restart_needed")) > 0 {
			t.Errorf("round %d: a restart is asked for", round)
		}
		near.veth("v0", far, "v1", 1500)
	}
	r.until("a restart is asked for", func() bool { return len(r.found("health.capture.restart_needed")) > 0 })
	if e := r.found("health.capture.restart_needed")[0]; e.state != "raised" || e.iface != "v0" {
		t.Errorf("%+v", e)
	}
	r.until("status shows it", func() bool {
		s := r.status()
		r.pausing()
		return slices.Equal(s.Capture.RestartNeeded, []string{"v0"}) && s.Capture.SpareSockets == 0
	})
	// Deleted and made anew, it needs the restart still: nothing is said.
	near.IP("link del v0")
	r.until("status no longer shows it", func() bool { s := r.status(); r.pausing(); return len(s.Capture.RestartNeeded) == 0 })
	near.veth("v0", far, "v1", 1500)
	r.until("status shows it again", func() bool { s := r.status(); r.pausing(); return len(s.Capture.RestartNeeded) == 1 })
	if list := r.found("health.capture.restart_needed"); len(list) != 1 {
		t.Errorf("%+v", list)
	}
	r.signal(sigterm)
	// The ring shows frames that the device then refused: its peer was gone.
	if last := r.leave(); last.Packets+last.KernelDrops > tried || last.QueueDrops > 0 {
		t.Errorf("%d frames seen, %d dropped, of %d; %d events dropped", last.Packets, last.KernelDrops, tried, last.QueueDrops)
	}
	seen := raised(r)
	for _, s := range must {
		for n := s.first; n < s.end; n++ {
			if seen[who(n)] != 1 {
				t.Fatalf("%d events of query %d", seen[who(n)], n)
			}
		}
	}
	for of, n := range seen {
		if n != 1 {
			t.Errorf("%d events of the query of %s", n, of)
		}
	}
}

// TestLateWithoutSpareSockets: with no socket in stock, an interface that comes
// after the privilege is gone needs a restart, which is said as when the stock
// is used up; until one that leaves gives its socket back.
func TestLateWithoutSpareSockets(t *testing.T) {
	need(t)
	released(t)
	t.Parallel()
	near, far := newSpace(t), newSpace(t)
	near.veth("v0", far, "f0", 1500)
	r := start(near, setup{interfaces: `["v*"]`, table: writeTable(t, builder(t, rows)), extra: "capture: {spare_sockets: 0}"})
	near.veth("v1", far, "f1", 1500)
	r.until("a restart is asked for", func() bool { return len(r.found("health.capture.restart_needed")) > 0 })
	r.until("status shows it", func() bool {
		s := r.status()
		r.pausing()
		return slices.Equal(s.Capture.RestartNeeded, []string{"v1"})
	})
	near.IP("link del v0")
	r.until("its socket is given back", func() bool { s := r.status(); r.pausing(); return s.Capture.SpareSockets == 1 })
	near.IP("link set v1 down\nlink set v1 up") // a reason to look
	r.until("all is well again", func() bool { return len(r.found("health.capture.restart_needed")) > 1 })
	list := r.found("health.capture.restart_needed")
	for i, state := range []string{"raised", "recovered"} {
		if e := list[i]; e.state != state || e.iface != "v1" {
			t.Errorf("%+v", e)
		}
	}
	from := far.sender("f1")
	from.send(query(1))
	r.until("its event is there", func() bool { return len(r.found("trail.dns")) == 1 })
	r.kill()
}

// TestGroup: two taps that carry one direction each are one group. What belongs
// together comes to one worker, by whichever tap; events and status tell the
// taps apart by name and alias.
func TestGroup(t *testing.T) {
	need(t)
	t.Parallel()
	near, far := newSpace(t), newSpace(t)
	near.veth("rx0", far, "f0", 1500)
	near.veth("tx0", far, "f1", 1500)
	near.veth("lan0", far, "f2", 1500)
	r := start(near, setup{interfaces: "[{name: rx0, group: uplink, alias: from-inside}, {name: tx0, group: uplink, alias: from-outside}, {name: lan0, alias: office}]",
		table: writeTable(t, builder(t, rows)), workers: 2, json: true})
	rx, tx, lan := far.sender("f0"), far.sender("f1"), far.sender("f2")
	// The i-th pair of hosts sends 3^i frames each way. What a worker has of
	// them, in base 3, has a digit 1 for each pair that was parted.
	const pairs = 7
	var sent, queries uint64
	for i, n := 0, 1; i < pairs; i, n = i+1, 3*n {
		for range n {
			rx.send(conversation(i, false))
			tx.send(conversation(i, true))
		}
	}
	sent = rx.sent + tx.sent
	for _, w := range r.account(sent).Capture.Workers {
		if strings.Contains(strconv.FormatUint(w.Packets, 3), "1") {
			t.Errorf("worker %d has %s packets (base 3): the directions of a pair of hosts are parted", w.Worker, strconv.FormatUint(w.Packets, 3))
		}
	}
	for _, at := range []*sender{rx, tx, lan} {
		at.send(query(int(queries)))
		queries++
	}
	sent += queries
	s := r.account(sent)
	if len(s.Capture.Workers) != 4 || len(s.Capture.Rings) != 6 {
		t.Errorf("%d workers and %d rings: want two workers of each group, and a ring of each for each interface", len(s.Capture.Workers), len(s.Capture.Rings))
	}
	for name, alias := range map[string]string{"rx0": "from-inside", "tx0": "from-outside", "lan0": "office"} {
		i := r.shown(name)
		if i == nil || i.Alias != alias || (i.Group == "uplink") != (name != "lan0") {
			t.Errorf("%s: %+v", name, i)
		}
	}
	r.end(sent)
	for name, alias := range map[string]string{"rx0": "from-inside", "tx0": "from-outside", "lan0": "office"} {
		if !slices.ContainsFunc(r.lines, func(line string) bool {
			return strings.Contains(line, `"name":"`+name+`"`) && strings.Contains(line, `"alias":"`+alias+`"`) && strings.Contains(line, "evil-test-domain.com")
		}) {
			t.Errorf("no event of %s as %s in\n%s", name, alias, strings.Join(r.lines, "\n"))
		}
	}
}

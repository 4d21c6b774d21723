package live

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"trailhound/agent/capture/device"
)

// Down, up and renamed under load: sent = seen + dropped. The kernel itself
// shows no packet socket what is sent between a link's coming up and the
// notification of that, so the flood waits meanwhile.
func TestDownUpRenamed(t *testing.T) {
	s := newSpace(t)
	s.veth("lv0", "lv1")
	c := openOne(t, Options{Interfaces: []Interface{{Name: "lv0"}}, Workers: 2, RingTotal: 32 << 20})
	seen, wait := count(t, c)
	s.watch(c)
	f := s.flood("lv0", 60, 0)
	up := func() bool { return c.Snapshot().Links[0].Up }
	for i, name := range []string{"lan0", "dmz0", "lv0"} {
		f.more(t, 2000)
		s.IP("link set lv0 down")
		until(t, "it is seen to be down", func() bool { return !up() })
		f.gate.Lock()
		s.IP("link set lv0 up")
		f.gate.Unlock()
		until(t, "it is seen to be up", up)
		f.more(t, 2000)
		old := c.Snapshot().Links[0].Name
		s.IP("link set " + old + " down")
		f.gate.Lock()
		s.IP("link set " + old + " name " + name + "\nlink set " + name + " up")
		f.gate.Unlock()
		until(t, "the new name is known", func() bool {
			snap := c.Snapshot()
			return snap.Links[0].Name == name && snap.Rings[0].Interface == name && snap.Interfaces[0].Name == name
		})
		if i < 2 {
			s.IP("link set " + name + " down\nlink set " + name + " name lv0")
			f.gate.Lock()
			s.IP("link set lv0 up")
			f.gate.Unlock()
			until(t, "it is seen to be up", func() bool { return up() && c.Snapshot().Links[0].Name == "lv0" })
		}
	}
	f.more(t, 2000)
	f.end()
	wait()
	// While a link goes down the kernel takes frames and throws them away before
	// they come to the device (noop_enqueue), so the device is asked.
	list, err := device.List()
	if err != nil {
		t.Fatal(err)
	}
	d, _ := device.Find(list, "lv0")
	t.Logf("%d frames were taken", f.sent.Load())
	balance(t, c, d.TxPackets, seen.Load())
}

// Deleted and made again under load, until there are no sockets left: all that
// was sent before the deletion began is seen once.
func TestDeletedAndMadeAgain(t *testing.T) {
	s := newSpace(t)
	s.veth("lv0", "lv1")
	c := openOne(t, Options{Interfaces: []Interface{{Name: "lv0"}}, Workers: 2, RingTotal: 32 << 20, Spare: 4})
	seen := new(atomic.Uint64)
	var mu sync.Mutex
	numbers := make(map[uint32]int)
	r := read(t, c, func(g got) bool {
		n, _ := number(g.Data)
		mu.Lock()
		numbers[n]++
		mu.Unlock()
		seen.Add(1)
		return false
	})
	s.watchDropped(c)
	last := func() Ring {
		if rings := c.Snapshot().Rings; len(rings) > 0 {
			return rings[len(rings)-1]
		}
		return Ring{}
	}
	var must []uint32 // first and behind last number of each round
	for round := range 3 {
		from := uint32(round) << 28
		f := s.flood("lv0", 60, from)
		index := last().Index
		f.more(t, 5000)
		must = append(must, from, from+uint32(f.sent.Load()))
		s.IP("link del lv0")
		f.end()
		s.veth("lv0", "lv1")
		if round == 2 {
			break
		}
		until(t, "the link is captured again", func() bool { return last().Index > index && !last().Draining })
		if left := c.Snapshot().Spare; left != 2-2*round {
			t.Errorf("%d spare sockets left", left)
		}
	}
	until(t, "a restart is asked for", func() bool { return slices.Equal(c.Snapshot().RestartNeeded, []string{"lv0"}) })
	r.rest(c)
	// What the device got and lost while it was deleted is not known to have
	// been sent, so the kernel's count holds.
	for _, i := range balance(t, c, c.Snapshot().Closed.Packets, seen.Load()).Interfaces {
		if i.Name != "lv0" {
			t.Errorf("%+v", i)
		}
	}
	for i := 0; i < len(must); i += 2 {
		for n := must[i]; n < must[i+1]; n++ {
			if numbers[n] != 1 {
				t.Fatalf("frame %#x was seen %d times", n, numbers[n])
			}
		}
	}
	for n, times := range numbers {
		if times != 1 {
			t.Errorf("frame %#x was seen %d times", n, times)
		}
	}
}

// watchDropped runs Watch on a thread that has no capabilities.
func (s *space) watchDropped(c *Capture) {
	s.t.Helper()
	ready := make(chan error)
	stop := s.watching(c, func() {
		head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		err := unix.Capset(&head, &none[0])
		if err == nil {
			if fd, err := openSocket(); err == nil {
				unix.Close(fd)
				s.t.Error("a packet socket can be opened without capabilities")
			}
		}
		ready <- err
	})
	if err := <-ready; err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(stop)
}

// Optional interfaces and those of a pattern that come late are served from the
// spare sockets after the capabilities are gone.
func TestLateWithoutCapabilities(t *testing.T) {
	s := newSpace(t)
	s.veth("lv0", "lv1")
	c := openOne(t, Options{Interfaces: []Interface{{Name: "lv0"}, {Name: "late0", Optional: true}, {Name: "glob*", Alias: "globs"}}, Workers: 2, RingTotal: 32 << 20, Spare: 6})
	r := read(t, c, ours)
	s.watchDropped(c)
	if got := c.Snapshot().Missing; len(got) != 2 {
		t.Errorf("%+v", got)
	}
	captured := func(name string) func() bool {
		return func() bool {
			return slices.ContainsFunc(c.Snapshot().Rings, func(r Ring) bool { return r.Interface == name })
		}
	}
	s.veth("late0", "late1")
	s.veth("glob0", "peer0")
	until(t, "late0 is captured", captured("late0"))
	until(t, "glob0 is captured", captured("glob0"))
	for i, name := range []string{"late1", "peer0", "late0", "glob0"} {
		s.sender(name).send(udp(1, 2, uint32(i), 60))
	}
	names := make(map[string]int)
	for _, f := range r.want(t, 4) {
		names[f.port.Name+f.port.Alias]++
	}
	if names["late0"] != 2 || names["glob0globs"] != 2 {
		t.Error(names)
	}
	for _, l := range c.Snapshot().Links {
		if !l.Promiscuous {
			t.Errorf("%+v", l)
		}
	}
	s.veth("glob1", "peer1")
	until(t, "glob1 is captured", captured("glob1"))
	s.veth("glob2", "peer2")
	until(t, "a restart is asked for", func() bool { return slices.Equal(c.Snapshot().RestartNeeded, []string{"glob2"}) })
	s.IP("link del glob2")
	until(t, "it is forgotten", func() bool { return len(c.Snapshot().RestartNeeded) == 0 })
	s.IP("link del glob1\nlink del late0")
	until(t, "rings are closed", func() bool { return len(c.Snapshot().Rings) == 4 })
}

// Without spare sockets what comes late needs a restart as well; unless one is
// given back, which with one worker can be used again.
func TestLateWithoutSpareSockets(t *testing.T) {
	s := newSpace(t)
	s.veth("lv0", "peer0")
	c := openOne(t, Options{Interfaces: []Interface{{Name: "lv*"}}, Workers: 1, RingTotal: 16 << 20})
	read(t, c, nil)
	s.watchDropped(c)
	s.veth("lv1", "peer1")
	until(t, "a restart is asked for", func() bool { return slices.Equal(c.Snapshot().RestartNeeded, []string{"lv1"}) })
	if m := c.Snapshot().Missing; len(m) != 1 || !strings.Contains(m[0].Reason, ErrPrivilege.Error()) {
		t.Errorf("%+v", m)
	}
	s.IP("link del lv0")
	until(t, "the socket is given back", func() bool { return c.Snapshot().Spare == 1 })
	s.IP("link set peer1 down\nlink set peer1 up") // a reason to look
	until(t, "lv1 is captured", func() bool {
		snap := c.Snapshot()
		return len(snap.Rings) == 1 && snap.Rings[0].Interface == "lv1" && len(snap.RestartNeeded) == 0
	})
}

// With one worker no socket is used up.
func TestSocketsAreUsedAgain(t *testing.T) {
	s := newSpace(t)
	s.veth("lv0", "lv1")
	c := openOne(t, Options{Interfaces: []Interface{{Name: "lv*", Group: "g"}}, Workers: 1, Spare: 1})
	r := read(t, c, ours)
	s.watchDropped(c)
	for i := range 5 {
		s.IP("link del lv0")
		until(t, "both rings are closed", func() bool { snap := c.Snapshot(); return len(snap.Rings) == 0 && snap.Spare > 1 })
		s.veth("lv0", "lv1")
		until(t, "both are captured", func() bool {
			snap := c.Snapshot()
			return len(snap.Rings) == 2 && len(snap.Links) == 2 && snap.Links[0].Up && snap.Links[1].Up
		})
		s.sender("lv0").send(udp(1, 2, uint32(i), 60))
		for _, f := range r.want(t, 2) {
			if n, _ := number(f.Data); n != uint32(i) {
				t.Errorf("frame %d in round %d", n, i)
			}
		}
	}
	if rest := r.rest(c); len(rest) > 0 {
		t.Errorf("%d frames too many", len(rest))
	}
}

// Close under load: what came into the rings comes out.
func TestCloseUnderLoad(t *testing.T) {
	s := newSpace(t)
	s.veth("lv0", "lv1")
	for range 5 {
		c := openOne(t, Options{Interfaces: []Interface{{Name: "lv0"}, {Name: "lv1"}}, Workers: 2, RingTotal: 32 << 20})
		seen := new(atomic.Uint64)
		r := read(t, c, func(got) bool { seen.Add(1); return false })
		f := s.flood("lv0", 200, 0)
		f.more(t, 3000)
		start := time.Now()
		r.rest(c)
		t.Logf("drained in %v", time.Since(start))
		f.end()
		snap := c.Snapshot()
		if len(snap.Rings) != 0 || snap.Lost != 0 || snap.Closed.Packets != seen.Load()+snap.Closed.Drops || seen.Load() == 0 {
			t.Errorf("seen %d, kernel %+v, %d lost", seen.Load(), snap.Closed, snap.Lost)
		}
	}
}

// A source may be closed with frames in its rings, and a capture without
// anybody reading.
func TestCloseWithoutReading(t *testing.T) {
	s := newSpace(t)
	s.veth("lv0", "lv1")
	c := openOne(t, Options{Interfaces: []Interface{{Name: "lv0"}}, Workers: 2, Spare: 2})
	s.sender("lv1").send(udp(1, 2, 3, 60), udp(2, 4, 5, 60))
	if err := c.Sources()[0].Close(); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := c.Sources()[1].Close(); err != nil {
		t.Error(err)
	}
	if snap := c.Snapshot(); len(snap.Rings) != 0 || snap.Spare != 0 || snap.Closed.Packets != 2 {
		t.Errorf("%+v", snap)
	}
	if err := c.Reconfigure(Options{Interfaces: []Interface{{Name: "lv0"}}, Workers: 2, Spare: 2, RingTotal: 16 << 20}); err == nil {
		t.Error("a closed capture takes options")
	}
}

// A link that is made again under its old index is another one.
func TestSameIndexAgain(t *testing.T) {
	s := newSpace(t)
	s.IP("link add lv0 index 70 type veth peer name lv1\nlink set lv0 up\nlink set lv1 up")
	for _, name := range []string{"lv0", Any} {
		c := openOne(t, Options{Interfaces: []Interface{{Name: name}}, Workers: 2})
		r := read(t, c, ours)
		s.IP("link del lv0\nlink add lv0 index 70 type veth peer name lv1\nlink set lv0 up\nlink set lv1 up")
		s.running("lv0", "lv1")
		c.look()
		s.sender("lv1").send(udp(1, 2, 5, 60))
		if f := r.want(t, 1)[0]; f.port.Index == 0 {
			t.Errorf("%+v", f.port)
		}
		list, err := device.List()
		if err != nil {
			t.Fatal(err)
		}
		if d, _ := device.Find(list, "lv0"); d.Index != 70 || d.Promiscuity == 0 {
			t.Errorf("%s: %+v", name, d)
		}
		r.rest(c)
	}
}

// While nobody reads, what the ring cannot hold is dropped and counted.
func TestDropsAreCounted(t *testing.T) {
	s := newSpace(t)
	s.veth("lv0", "lv1")
	c := openOne(t, Options{Interfaces: []Interface{{Name: "lv0"}}, Workers: 1, RingTotal: 1 << 20})
	f := s.flood("lv0", 1000, 0)
	until(t, "the ring is full", func() bool { return c.Snapshot().Rings[0].Drops > 1000 })
	f.end()
	seen, wait := count(t, c)
	wait()
	if snap := balance(t, c, f.sent.Load(), seen.Load()); snap.Closed.Drops == 0 || snap.Closed.Freezes == 0 || seen.Load() == 0 {
		t.Errorf("%+v", snap.Closed)
	}
}

// A link that is down does not keep the reader busy.
func TestDownIsQuiet(t *testing.T) {
	s := newSpace(t)
	s.veth("lv0", "lv1")
	c := openOne(t, Options{Interfaces: []Interface{{Name: "lv0"}}, Workers: 1, Idle: time.Hour})
	source := c.Sources()[0]
	var calls atomic.Uint64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			if _, err := source.Next(); err != nil {
				source.Close()
				return
			}
			calls.Add(1)
		}
	}()
	for range 5 {
		s.IP("link set lv0 down\nlink set lv0 up")
		before := calls.Load()
		source.Interrupt()
		until(t, "it is awake", func() bool { return calls.Load() > before })
	}
	c.Close()
	<-done
	// Per round: the error, the signal, frames that the kernel itself sends.
	if n := calls.Load(); n > 1000 {
		t.Errorf("%d calls", n)
	}
}

// Without the privilege the error says what to do.
func TestNoPrivilege(t *testing.T) {
	s := newSpace(t)
	s.veth("lv0", "lv1")
	err := s.Inside(func() error {
		head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err := unix.Capset(&head, &none[0]); err != nil {
			return err
		}
		for _, name := range []string{"lv0", Any} {
			_, err := Open(Options{Interfaces: []Interface{{Name: name}}, RingTotal: 16 << 20, Log: quiet()})
			if !errors.Is(err, ErrPrivilege) {
				t.Error(err)
			}
			for _, hint := range []string{"CAP_NET_RAW", "setcap cap_net_raw=ep", "AmbientCapabilities", "root"} {
				if err == nil || !strings.Contains(err.Error(), hint) {
					t.Errorf("%v does not say %s", err, hint)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

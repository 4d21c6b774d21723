package live

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"trailhound/agent/packet"
)

func openOne(t *testing.T, opt Options) *Capture {
	t.Helper()
	if opt.RingTotal == 0 {
		opt.RingTotal = 16 << 20
	}
	if opt.Log == nil {
		opt.Log = quiet()
	}
	c, err := Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A named interface shows both directions, whole, once, with time and kind.
func TestNamed(t *testing.T) {
	s := newSpace(t)
	s.veth("lv0", "lv1")
	for _, workers := range []int{1, 3} {
		c := openOne(t, Options{Interfaces: []Interface{{Name: "lv0", Alias: "lan", Group: "g"}}, Workers: workers})
		if len(c.Sources()) != workers {
			t.Fatal(len(c.Sources()))
		}
		r := read(t, c, ours)
		start := time.Now()
		in, out := s.sender("lv1"), s.sender("lv0")
		in.send(udp(1, 2, 1, 1400))
		out.send(udp(2, 1, 2, 60))
		frames := r.want(t, 2)
		if more := r.rest(c); len(more) > 0 {
			t.Errorf("%d frames too many", len(more))
		}
		for _, f := range frames {
			n, _ := number(f.Data)
			want := udp(1, 2, 1, 1400)
			if n == 2 {
				want = udp(2, 1, 2, 60)
			}
			if !bytes.Equal(f.Data, want) || f.Length != len(want) || f.Tag != 0 || f.Link != packet.LinkEthernet || f.Number != 0 {
				t.Errorf("frame %d: %d bytes, %+v", n, len(f.Data), f.Frame)
			}
			if f.port.Name != "lv0" || f.port.Alias != "lan" || f.port.Group != "g" || f.port.Index == 0 {
				t.Errorf("%+v", f.port)
			}
			if f.Time.Before(start.Add(-time.Second)) || f.Time.After(time.Now().Add(time.Second)) || f.Time.Location() != time.UTC {
				t.Error(f.Time)
			}
		}
		if a, b := frames[0].worker, frames[1].worker; a != b {
			t.Errorf("directions at workers %d and %d", a, b)
		}
		snap := c.Snapshot()
		var traffic Traffic
		for _, row := range snap.Interfaces {
			traffic.add(row.Traffic)
		}
		if traffic.OtherHost != 1 || traffic.Outgoing != 1 || traffic.Packets != 2 || traffic.Bytes != 1414+74 {
			t.Errorf("%+v", traffic)
		}
		if len(snap.Rings) != 0 || snap.Closed.Packets != 2 || snap.Lost != 0 || snap.Damaged != 0 {
			t.Errorf("%+v", snap)
		}
	}
}

func TestSnapshotOfRings(t *testing.T) {
	s := newSpace(t)
	s.veth("lv0", "lv1")
	c := openOne(t, Options{Interfaces: []Interface{{Name: "lv0"}, {Name: "later", Optional: true}}, Workers: 2, RingTotal: 16 << 20, Snaplen: 18 << 10, Spare: 3})
	snap := c.Snapshot()
	if len(snap.Rings) != 2 || snap.Spare != 3 {
		t.Fatalf("%+v", snap)
	}
	for i, r := range snap.Rings {
		if r.Worker != i || r.Interface != "lv0" || r.Bytes != 3<<20 || r.Wanted != 3<<20 || r.Block != 32<<10 || r.Blocks != 96 || r.Retire != 50 || r.Draining {
			t.Errorf("%+v", r)
		}
	}
	if len(snap.Missing) != 1 || snap.Missing[0].Interface != "later" || snap.Missing[0].Restart || len(snap.RestartNeeded) != 0 {
		t.Errorf("%+v", snap.Missing)
	}
	if len(snap.Links) != 1 || !snap.Links[0].Up || !snap.Links[0].Promiscuous || snap.Links[0].Name != "lv0" {
		t.Errorf("%+v", snap.Links)
	}
	read(t, c, nil)
}

// A frame longer than the snaplen is cut and counted.
func TestSnaplen(t *testing.T) {
	s := newSpace(t)
	s.veth("lv0", "lv1")
	c := openOne(t, Options{Interfaces: []Interface{{Name: "lv0"}}, Workers: 1, Snaplen: 100})
	r := read(t, c, nil)
	s.sender("lv1").send(udp(1, 2, 1, 1000))
	f := r.want(t, 1)[0]
	if len(f.Data) != 100 || f.Length != 1014 {
		t.Errorf("%d of %d bytes", len(f.Data), f.Length)
	}
	r.rest(c)
	if row := c.Snapshot().Interfaces[0]; row.Truncated != 1 || row.Bytes != 1014 {
		t.Errorf("%+v", row)
	}
}

func TestNoSuchInterface(t *testing.T) {
	s := newSpace(t)
	s.veth("lv0", "lv1")
	_, err := Open(Options{Interfaces: []Interface{{Name: "eth9"}}, RingTotal: 1 << 20, Log: quiet()})
	if err == nil || !strings.Contains(err.Error(), `"eth9"`) || !strings.Contains(err.Error(), "lo, lv0, lv1") {
		t.Error(err)
	}
	for _, bad := range []Options{
		{},
		{Interfaces: []Interface{{Name: "any"}, {Name: "lv0"}}},
		{Interfaces: []Interface{{Name: "lv0"}, {Name: "lv0", Group: "x"}}},
		{Interfaces: []Interface{{Name: "lv["}}},
		{Interfaces: []Interface{{Name: "lv0"}}, Workers: 300},
		{Interfaces: []Interface{{Name: "lv0"}}, Workers: -1},
		{Interfaces: []Interface{{Name: "lv0"}}, Snaplen: 1 << 20},
		{Interfaces: []Interface{{Name: "lv0"}}, RingTotal: 100 << 10, Workers: 2},
	} {
		if c, err := Open(bad); err == nil {
			t.Errorf("%+v is taken", bad)
			c.Close()
		}
	}
}

// Memory that the kernel refuses is asked for again in halves.
func TestMemoryRefused(t *testing.T) {
	s := newSpace(t)
	s.veth("lv0", "lv1")
	var most int64
	grant := func(fd, block, count int) error {
		if int64(block)*int64(count) > most {
			return unix.ENOMEM
		}
		return requestRing(fd, block, count)
	}
	opt := Options{Interfaces: []Interface{{Name: "lv0"}}, Workers: 2, RingTotal: 64 << 20, Log: quiet()}
	most = 4 << 20
	c, err := open(opt, grant)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range c.Snapshot().Rings {
		if r.Bytes != 3<<20 || r.Wanted != 24<<20 {
			t.Errorf("%+v", r)
		}
	}
	r := read(t, c, ours)
	s.sender("lv1").send(udp(1, 2, 1, 60))
	r.want(t, 1)
	r.rest(c)
	most = 64 << 10
	if _, err := open(opt, grant); !errors.Is(err, unix.ENOMEM) {
		t.Error(err)
	}
}

// Interrupt ends a wait, and without frames Next waits no longer than Idle.
func TestInterrupt(t *testing.T) {
	s := newSpace(t)
	s.veth("lv0", "lv1")
	c := openOne(t, Options{Interfaces: []Interface{{Name: "lv0"}}, Workers: 1, Idle: time.Hour})
	source := c.Sources()[0]
	if _, err := source.Next(); err != nil { // the news of the ring
		t.Fatal(err)
	}
	go source.Interrupt() // before or during the wait
	if frames, err := source.Next(); len(frames) != 0 || err != nil {
		t.Error(len(frames), err)
	}
	source.Close()
	source.Interrupt()
	if err := source.Close(); err != nil {
		t.Error(err)
	}
	c.Close()
}

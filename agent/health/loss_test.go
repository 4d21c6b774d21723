package health

import (
	"testing"
	"time"
)

// lossyTraffic is n packets a step of which some are dropped and some cut.
func lossyTraffic(n, dropped, cut uint64) func(*Interface) {
	return func(i *Interface) {
		unicast(n - dropped)(i)
		i.KernelPackets += n
		i.KernelDrops += dropped
		i.Freezes += min(dropped, 1)
		i.Truncated += cut
	}
}

func TestDrops(t *testing.T) {
	s := newSensor(t, Options{}, "eth1")
	s.run(time.Minute, lossyTraffic(10_000, 0, 0))
	s.run(time.Minute, lossyTraffic(10_000, 5, 0)) // 0.05 %
	s.want()
	s.run(2*time.Minute, lossyTraffic(10_000, 10, 0)) // 0.1 %
	s.want()
	s.run(time.Minute, lossyTraffic(10_000, 100, 0))
	s.want("raised capture.drops eth1")
	e := s.log[0]
	if share := measure(e, "drop_share"); share <= 0.001 || share > 0.002 || measure(e, "drops") < 600 || measure(e, "packets") < 600_000 || measure(e, "freezes") < 60 {
		t.Errorf("%+v", e.Health)
	}
	if got := e.Health.Since; !got.Equal(e.Time) {
		t.Errorf("since %v", got)
	}
	// Between the two marks nothing changes.
	s.run(time.Hour-s.now.Sub(e.Time), lossyTraffic(10_000, 7, 0))
	s.want("reminded capture.drops eth1")
	s.run(20*time.Minute, lossyTraffic(10_000, 7, 0))
	s.want()
	// Below the lower one for a minute, after the minute that slides.
	s.run(time.Minute, lossyTraffic(10_000, 1, 0))
	s.want()
	s.run(time.Minute, lossyTraffic(10_000, 1, 0))
	s.want("recovered capture.drops eth1")
	s.info(0, "the kernel drops less than 0.05 % of the packets on eth1 again")
}

func TestDropsText(t *testing.T) {
	s := newSensor(t, Options{}, "eth1")
	s.run(time.Second, lossyTraffic(1000, 123, 0))
	s.want("raised capture.drops eth1")
	s.info(0, "the kernel drops 12.3 % of the packets on eth1: 123 of 1000 in the last minute")
	for part, want := range map[uint64]string{0: "0 %", 1: "0.001 %", 123: "0.12 %", 1000: "1.0 %", 100_000: "100.0 %"} {
		if got := percent(part, 100_000); got != want {
			t.Errorf("%d: %s, want %s", part, got, want)
		}
	}
}

// A loss that returns before it has been away for a minute is no new one.
func TestDropsHysteresis(t *testing.T) {
	s := newSensor(t, Options{}, "eth1")
	s.run(time.Second, lossyTraffic(1000, 100, 0))
	s.want("raised capture.drops eth1")
	for range 10 {
		s.run(100*time.Second, lossyTraffic(1000, 0, 0)) // of these the first minute still sees the burst
		s.want()
		s.run(time.Second, lossyTraffic(1000, 100, 0))
		s.want()
	}
	s.run(65*time.Second+calm, lossyTraffic(1000, 0, 0))
	s.want("recovered capture.drops eth1")
}

func TestLossMinimum(t *testing.T) {
	for _, c := range []struct {
		name       string
		n, dropped uint64
		want       bool
	}{
		{"one in ten", 10, 1, false},
		{"nine", 5000, 9, false},
		{"ten of many", 5000, 10, true},
		{"ten of few", 50, 10, false},
		{"all", 100, 100, true},
		{"one in a thousand", 100_000, 100, false},
		{"a bit more", 100_000, 101, true},
	} {
		s := newSensor(t, Options{}, "eth1")
		s.run(time.Second, lossyTraffic(c.n, c.dropped, 0))
		if got := len(s.log) > 0; got != c.want {
			t.Errorf("%s dropped: %v", c.name, s.log)
		}
		s = newSensor(t, Options{}, "eth1")
		s.run(time.Second, lossyTraffic(c.n, 0, c.dropped))
		if got := len(s.log) > 0; got != c.want {
			t.Errorf("%s cut: %v", c.name, s.log)
		}
	}
}

// The kernel's number of packets may be missing, or leave the drops out.
func TestDropsWithoutKernelPackets(t *testing.T) {
	for _, kernel := range []uint64{0, 900, 1000} {
		s := newSensor(t, Options{}, "eth1")
		s.run(time.Second, func(i *Interface) { i.Packets += 900; i.Host += 900; i.KernelDrops += 100; i.KernelPackets += kernel })
		s.want("raised capture.drops eth1")
		if got := measure(s.log[0], "drop_share"); got != 0.1 {
			t.Errorf("%d: %v", kernel, got)
		}
	}
}

func TestTruncated(t *testing.T) {
	s := newSensor(t, Options{}, "eth1")
	s.run(5*time.Minute, lossyTraffic(10_000, 0, 10))
	s.want()
	s.run(time.Minute, lossyTraffic(10_000, 0, 1000))
	s.want("raised capture.truncated eth1")
	s.run(3*time.Minute, lossyTraffic(10_000, 0, 0))
	s.want("recovered capture.truncated eth1")
	s.info(0, "less than 0.05 % of the frames on eth1 are cut again")
}

// Counters that begin anew are no loss, and start a new minute.
func TestLossAfterReset(t *testing.T) {
	s := newSensor(t, Options{}, "eth1")
	s.run(time.Minute, lossyTraffic(1_000_000, 999, 0))
	s.want()
	s.in[0] = Interface{Name: "eth1", Up: true}
	s.run(time.Second, lossyTraffic(1000, 0, 0))
	s.want()
	s.run(time.Second, lossyTraffic(1000, 20, 0)) // much of what there is now, little of what there was
	s.want("raised capture.drops eth1")
}

// What was lost before the first sample of an interface has no time and no
// share: neither of the start, nor of an interface that comes later, nor of one
// that is made anew with fewer packets than losses.
func TestFirstSampleIsWhereCountingBegins(t *testing.T) {
	m := New(Options{})
	s := &sensor{Monitor: m, t: t, now: time.Date(2026, 2, 16, 9, 0, 0, 0, time.UTC), step: time.Second}
	s.in = []Interface{{Name: "eth1", Up: true, KernelDrops: 5000}}
	s.run(2*time.Minute, unicast(100))
	s.want()
	s.in = append(s.in, Interface{Name: "eth2", Up: true, Packets: 10, Host: 10, KernelDrops: 5000, KernelPackets: 5010, Truncated: 9})
	s.run(2*time.Minute, unicast(100))
	s.want()
	s.in[1] = Interface{Name: "eth2", Up: true, KernelDrops: 4000}
	s.run(2*time.Minute, unicast(100))
	s.want()
}

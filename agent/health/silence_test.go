package health

import (
	"testing"
	"time"

	"trailhound/agent/event"
)

const five = 5 * time.Minute

func TestSilent(t *testing.T) {
	s := newSensor(t, Options{Silence: five}, "eth1")
	s.in[0].Alias = "dmz"
	s.run(61*time.Minute, unicast(2))
	s.want()
	s.run(five-time.Second, nil)
	s.want()
	s.run(time.Second, nil)
	s.want("raised capture.silent eth1")
	s.info(0, "no frame on eth1 (dmz) for 5m0s")
	e := s.log[0]
	if !e.Health.Since.Equal(s.now.Add(-five)) || e.Severity != event.Medium || e.Interface != "eth1" || e.Alias != "dmz" || e.Trail != "eth1" ||
		e.Type != event.HEALTH || measure(e, "silent_seconds") != 300 || measure(e, "limit_seconds") != 300 || measure(e, "packets") != 7320 || measure(e, "bytes") != 732000 {
		t.Errorf("%+v", e)
	}
	s.run(time.Hour-time.Second, nil)
	s.want()
	s.run(time.Second, nil)
	s.want("reminded capture.silent eth1")
	s.info(0, "no frame on eth1 (dmz) for 1h5m0s")
	if !s.log[0].Health.Since.Equal(e.Health.Since) || s.log[0].ID == e.ID {
		t.Errorf("%+v", s.log[0])
	}
	s.run(2*time.Hour, nil)
	s.want("reminded capture.silent eth1", "reminded capture.silent eth1")
	s.in[0].Up = false
	s.run(time.Hour, nil)
	s.info(0, "no frame on eth1 (dmz) for 4h5m0s: the interface is down")
	s.in[0].Up = true
	s.run(time.Second, unicast(1))
	s.want("recovered capture.silent eth1")
	s.info(0, "frames on eth1 (dmz) again after 4h5m0s")
	if s.log[0].Severity != event.Info || !s.log[0].Health.Since.Equal(e.Health.Since) || measure(s.log[0], "silent_seconds") != 4*3600+300 {
		t.Errorf("%+v", s.log[0])
	}
	// Hardly any traffic in the hour before: nothing to miss.
	s.run(2*time.Hour, nil)
	s.want()
}

func TestSilentNeedsTraffic(t *testing.T) {
	for _, c := range []struct {
		name  string
		opt   Options
		busy  time.Duration
		each  uint64 // packets per step
		step  time.Duration
		quiet time.Duration
		want  bool
	}{
		{"never a packet", Options{Silence: five}, time.Hour, 0, time.Second, time.Hour, false},
		{"too slow", Options{Silence: five}, 2 * time.Hour, 1, 2 * time.Second, time.Hour, false},
		{"one a second is not more than one", Options{Silence: five}, 2 * time.Hour, 1, time.Second, time.Hour, false},
		{"more than one", Options{Silence: five}, 2 * time.Hour, 3, 2 * time.Second, five, true},
		{"not for an hour", Options{Silence: five}, 59 * time.Minute, 100, time.Second, time.Hour, false},
		{"for an hour", Options{Silence: five}, 61 * time.Minute, 100, time.Second, five, true},
		{"off", Options{}, 2 * time.Hour, 100, time.Second, 2 * time.Hour, false},
		{"off by name", Options{Silence: five, SilenceBy: map[string]time.Duration{"eth1": 0}}, 2 * time.Hour, 100, time.Second, 2 * time.Hour, false},
		{"by name", Options{SilenceBy: map[string]time.Duration{"eth1": time.Minute}}, time.Minute, 1, time.Second, time.Minute, true},
		{"by name, from the start", Options{SilenceBy: map[string]time.Duration{"eth1": time.Minute}}, 0, 0, time.Second, time.Minute, true},
		{"by name, longer", Options{Silence: five, SilenceBy: map[string]time.Duration{"eth1": 12 * time.Hour}}, 2 * time.Hour, 100, time.Second, 11 * time.Hour, false},
		{"another's name", Options{SilenceBy: map[string]time.Duration{"eth2": 12 * time.Hour}}, 2 * time.Hour, 100, time.Second, 9 * time.Hour, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSensor(t, c.opt, "eth1")
			s.step = c.step
			if c.busy > 0 {
				s.run(c.busy, unicast(c.each))
				s.want()
			}
			s.run(c.quiet-s.step, nil)
			s.want()
			s.run(s.step, nil)
			if c.want {
				s.want("raised capture.silent eth1")
			} else {
				s.want()
			}
		})
	}
}

// A burst must not count for the whole hour once it is more than an hour old.
func TestSilentSlides(t *testing.T) {
	s := newSensor(t, Options{Silence: five}, "eth1")
	s.run(time.Hour, unicast(100))
	s.step = 10 * time.Second
	s.run(62*time.Minute, unicast(1))
	s.run(2*time.Hour, nil)
	s.want()
}

func TestSilentOfWhatIsNotThere(t *testing.T) {
	s := newSensor(t, Options{SilenceBy: map[string]time.Duration{"eth7": time.Minute}}, "eth1")
	s.run(time.Minute, unicast(1))
	s.want("raised capture.silent eth7")
	s.info(0, "no frame on eth7 for 1m0s: the interface is not there")
	s.in = append(s.in, Interface{Name: "eth7", Up: true, Packets: 1, Host: 1})
	s.run(time.Second, nil)
	s.want("recovered capture.silent eth7")
}

func TestSilentOfWhatVanished(t *testing.T) {
	s := newSensor(t, Options{Silence: five}, "eth1", "eth2")
	s.run(61*time.Minute, unicast(10))
	kept := s.in
	s.in = kept[:1]
	s.run(five, unicast(10))
	s.want("raised capture.silent eth2")
	s.info(0, "no frame on eth2 for 5m0s: the interface is not there")
	// Made anew, its counters begin at 0.
	s.in = []Interface{kept[0], {Name: "eth2", Up: true}}
	s.run(time.Minute, nil)
	s.want()
	s.run(time.Second, func(i *Interface) { i.Packets++ })
	s.want("recovered capture.silent eth2")
}

// A container that is gone for good is not missed for ever.
func TestVanishedIsRetired(t *testing.T) {
	s := newSensor(t, Options{Silence: five, SilenceBy: map[string]time.Duration{"eth3": time.Hour}}, "veth1", "veth2", "eth3")
	s.run(10*time.Second, func(i *Interface) {
		if i.Name != "veth2" {
			unicast(10)(i)
		}
	})
	s.run(61*time.Minute, func(i *Interface) {
		if i.Name != "veth2" {
			unicast(10)(i)
		}
	})
	s.in = nil
	s.step = 10 * time.Second
	s.run(retire-10*time.Second, nil)
	raised := map[string]int{}
	for _, e := range s.log {
		raised[string(e.Health.State)+" "+e.Health.Cause]++
	}
	if len(raised) != 4 || raised["raised veth1"] != 1 || raised["raised eth3"] != 1 || raised["reminded veth1"] != 23 || raised["reminded eth3"] != 22 {
		t.Errorf("%v", raised)
	}
	if len(s.links) != 2 {
		t.Errorf("%d links", len(s.links))
	}
	s.run(10*time.Second, nil)
	s.want("reminded capture.silent eth3", "recovered capture.silent veth1")
	s.info(1, "veth1 is gone and not watched any more")
	s.run(2*time.Hour, nil)
	s.want("reminded capture.silent eth3", "reminded capture.silent eth3")
	if len(s.links) != 1 || len(s.conditions) != 1 {
		t.Errorf("%d links, %d conditions", len(s.links), len(s.conditions))
	}
}

func TestConfigure(t *testing.T) {
	s := newSensor(t, Options{SilenceBy: map[string]time.Duration{"eth1": time.Minute, "eth9": time.Minute}}, "eth1")
	s.run(time.Minute, nil)
	s.want("raised capture.silent eth1", "raised capture.silent eth9")
	by := map[string]time.Duration{"eth1": time.Hour}
	s.Configure(Options{SilenceBy: by})
	by["eth1"] = 1 // the caller's map stays the caller's
	s.run(time.Second, nil)
	s.want("recovered capture.silent eth1", "recovered capture.silent eth9")
	s.info(0, "the silence of eth1 is not watched any more")
	s.run(59*time.Minute-2*time.Second, nil)
	s.want()
	s.run(2*time.Second, nil)
	s.want("raised capture.silent eth1")
	if len(s.links) != 1 {
		t.Errorf("%d links", len(s.links))
	}
}

// A stamp of the frame makes Since exact; one from another time is not believed.
func TestSilentSince(t *testing.T) {
	for _, c := range []struct{ off, want time.Duration }{{-700 * time.Millisecond, -700 * time.Millisecond}, {-time.Hour, 0}, {24 * time.Hour, 0}} {
		s := newSensor(t, Options{SilenceBy: map[string]time.Duration{"eth1": time.Minute}}, "eth1")
		s.run(time.Second, func(i *Interface) { i.Packets++; i.Last = s.now.Add(time.Second + c.off) })
		last := s.now
		s.run(time.Minute, nil)
		s.want("raised capture.silent eth1")
		if got := s.log[0].Health.Since; !got.Equal(last.Add(c.want)) {
			t.Errorf("%v: since %v, want %v", c.off, got, last.Add(c.want))
		}
	}
}

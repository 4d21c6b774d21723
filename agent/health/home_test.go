package health

import (
	"testing"
	"time"

	"trailhound/agent/event"
)

// sides is so many packets a second with a side at home and without.
func sides(home, foreign uint64) func(*Interface) {
	return func(i *Interface) {
		unicast(home + foreign)(i)
		i.Home += home
		i.Foreign += foreign
	}
}

func TestHome(t *testing.T) {
	for _, c := range []struct {
		name          string
		home, foreign uint64 // per second
		want          bool
	}{
		{"all at home", 10, 0, false},
		{"half", 10, 10, false},
		{"more than half", 10, 11, true},
		{"nothing at home", 0, 10, true},
		{"too few", 0, 3, false},
		{"just enough", 0, 4, true},
		{"none looked at", 0, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSensor(t, Options{}, "eth1")
			s.run(five-time.Second, sides(c.home, c.foreign))
			s.want()
			s.run(time.Second, sides(c.home, c.foreign))
			if !c.want {
				s.want()
				return
			}
			s.want("raised detection.home eth1")
			if e := s.log[0]; e.Interface != "eth1" || e.Severity != event.Medium || !e.Health.Since.Equal(s.now.Add(-five)) {
				t.Errorf("%+v", e)
			}
			s.run(30*time.Minute, nil) // no traffic says nothing
			s.want()
		})
	}
}

// It takes less than two fifths to be over.
func TestHomeRecovers(t *testing.T) {
	s := newSensor(t, Options{}, "eth1")
	s.in[0].Alias = "tap"
	s.run(five, sides(20, 80))
	s.want("raised detection.home eth1")
	s.info(0, "80.0 % of the packets on eth1 (tap) have no side in detection.home_networks: are all of one's own networks listed there?")
	if share, n := measure(s.log[0], "foreign_share"), measure(s.log[0], "foreign"); share != 0.8 || n != 24_000 {
		t.Errorf("share %v, %v packets", share, n)
	}
	s.run(20*time.Minute, sides(60, 40))
	s.want()
	s.run(10*time.Minute, sides(61, 39))
	s.want("recovered detection.home eth1")
	s.info(0, "most packets on eth1 (tap) have a side in detection.home_networks")
}

// Each interface is judged by itself.
func TestHomeByInterface(t *testing.T) {
	s := newSensor(t, Options{}, "eth0", "eth1")
	s.run(five, func(i *Interface) {
		if i.Name == "eth0" {
			sides(100, 0)(i)
		} else {
			sides(0, 50)(i)
		}
	})
	s.want("raised detection.home eth1")
}

// What is wrong with the configured networks is about no interface.
func TestHomeSet(t *testing.T) {
	m := New(Options{})
	said := m.Set(time.Unix(1e9, 0), event.HealthDetectionHome, "home_networks", true, "none")
	if len(said) != 1 || said[0].Interface != "" || said[0].Health.Cause != "home_networks" || said[0].Severity != event.Medium {
		t.Errorf("%+v", said)
	}
}

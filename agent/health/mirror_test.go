package health

import (
	"testing"
	"time"

	"trailhound/agent/event"
)

// tcp is so many segments a second on top of some unicast.
func tcp(syn, synack, data uint64) func(*Interface) {
	return func(i *Interface) {
		unicast(syn + synack + data)(i)
		i.TCPSyn += syn
		i.TCPSynAck += synack
		i.TCPData += data
	}
}

func TestOneway(t *testing.T) {
	for _, c := range []struct {
		name              string
		syn, synack, data uint64 // per second
		want              bool
	}{
		{"both", 10, 10, 100, false},
		{"requests only", 10, 0, 100, true},
		{"answers only", 0, 10, 100, true},
		{"a scan and nothing else", 1000, 0, 0, false},
		{"a scan amid traffic", 10_000, 5, 1000, false},
		{"some are answered", 100, 1, 1000, false},
		{"few are answered", 201, 2, 1000, true},
		{"no handshakes", 0, 0, 1000, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSensor(t, Options{}, "eth1")
			s.run(five-time.Second, tcp(c.syn, c.synack, c.data))
			s.want()
			s.run(time.Second, tcp(c.syn, c.synack, c.data))
			if !c.want {
				s.want()
				return
			}
			s.want("raised capture.oneway eth1")
			if !s.log[0].Health.Since.Equal(s.now.Add(-five)) {
				t.Errorf("since %v", s.log[0].Health.Since)
			}
			s.run(30*time.Minute, nil) // no traffic says nothing
			s.want()
			s.run(30*time.Second, tcp(10, 10, 100))
			s.want("recovered capture.oneway eth1")
			s.info(0, "both directions of the traffic on eth1 are seen again")
		})
	}
	// Enough in five minutes, but barely.
	for _, syn := range []uint64{49, 50} {
		s := newSensor(t, Options{}, "eth1")
		s.run(time.Second, tcp(syn, 0, 50))
		s.run(five, nil)
		if raised := len(s.log) == 1; raised != (syn == 50) {
			t.Errorf("%d handshakes: %v", syn, s.log)
		}
	}
}

func groups(n uint64) func(*Interface) {
	return func(i *Interface) { i.Packets += 2 * n; i.Broadcast += n; i.Multicast += n }
}

func TestBroadcast(t *testing.T) {
	s := newSensor(t, Options{}, "eth1")
	s.run(five-time.Second, groups(1))
	s.want()
	s.run(time.Second, groups(1))
	s.want("raised capture.broadcast eth1")
	if measure(s.log[0], "broadcast") != 300 || measure(s.log[0], "multicast") != 300 {
		t.Errorf("%+v", s.log[0].Health)
	}
	s.run(30*time.Minute, nil)
	s.want()
	s.run(time.Second, func(i *Interface) { i.Packets++; i.OtherHost++ })
	s.want("recovered capture.broadcast eth1")
	s.info(0, "eth1 sees unicast frames again")

	for name, one := range map[string]func(*Interface){
		"to us":    func(i *Interface) { i.Packets++; i.Host++ },
		"to other": func(i *Interface) { i.Packets++; i.OtherHost++ },
		"from us":  func(i *Interface) { i.Packets++; i.Outgoing++ },
	} {
		s := newSensor(t, Options{}, "eth1")
		s.run(time.Second, one)
		s.run(five-time.Second, groups(1))
		s.want()
		s.run(30*time.Second, groups(1)) // the one frame has left the window
		if len(s.log) != 1 {
			t.Errorf("%s: %v", name, s.log)
		}
	}
	s = newSensor(t, Options{}, "eth1")
	s.run(29*time.Second, groups(1))
	s.run(five, nil)
	s.want()
}

func TestRestartNeeded(t *testing.T) {
	s := newSensor(t, Options{}, "eth1")
	s.in[0].RestartNeeded = true
	s.run(10*time.Second, nil)
	s.want("raised capture.restart_needed eth1")
	s.in[0].RestartNeeded = false
	s.run(10*time.Second, nil)
	s.want("recovered capture.restart_needed eth1")
	s.in[0].RestartNeeded = true
	s.run(2*time.Hour, nil)
	s.want("raised capture.restart_needed eth1", "reminded capture.restart_needed eth1")
	s.in[0].RestartNeeded = false
	s.run(time.Hour+time.Second, nil) // it has flapped
	s.want("reminded capture.restart_needed eth1", "recovered capture.restart_needed eth1")
}

// An interface that is deleted needs the restart still: made anew it would
// wait for one as before.
func TestRestartNeededOfWhatIsMadeAnew(t *testing.T) {
	s := newSensor(t, Options{}, "eth0", "veth1")
	here, made := s.in, s.in[:1]
	s.in[1].RestartNeeded = true
	s.run(time.Second, nil)
	s.want("raised capture.restart_needed veth1")
	for range 3 {
		s.in = made
		s.run(10*time.Minute, nil)
		s.want()
		s.in = here
		s.run(9*time.Minute, nil)
		s.want()
	}
	if list := s.States(); len(list) != 1 || list[0].Times != 1 {
		t.Errorf("%+v", list)
	}
	s.in = made
	s.run(time.Minute, nil)
	here[1].RestartNeeded = false // a socket was given back
	s.in = here
	s.run(time.Second, nil)
	s.want("recovered capture.restart_needed veth1")
	s.info(0, "veth1 needs no restart any more")
}

// What is raised of an interface that was taken out of the configuration is
// over, be it there or not.
func TestRestartNeededOfWhatIsNotWanted(t *testing.T) {
	wanted := map[string]bool{"eth0": true, "veth1": true}
	opt := Options{Wanted: func(name string) bool { return wanted[name] }}
	s := newSensor(t, opt, "eth0", "veth1")
	s.in[1].RestartNeeded = true
	s.run(time.Second, nil)
	s.want("raised capture.restart_needed veth1")
	delete(wanted, "veth1")
	s.Configure(opt)
	s.run(time.Second, nil)
	s.want() // it is there: the capture has the last word
	s.in = s.in[:1]
	s.run(time.Second, nil)
	s.want("recovered capture.restart_needed veth1")
	s.info(0, "veth1 is not to be captured any more")
	if len(s.links) != 1 {
		t.Errorf("%d links", len(s.links))
	}
}

// One that never comes back is not held for ever.
func TestRestartNeededIsRetired(t *testing.T) {
	s := newSensor(t, Options{}, "eth0", "veth1")
	s.in[1].RestartNeeded = true
	s.run(time.Second, nil)
	s.in, s.step = s.in[:1], 10*time.Second
	s.run(retire+time.Minute, nil)
	if last := s.log[len(s.log)-1]; last.Health.State != event.Recovered || last.Info != "veth1 is gone and not watched any more" {
		t.Errorf("%+v", last)
	}
}

package health

import (
	"testing"
	"time"
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
	s.in = nil
	s.run(time.Hour+time.Second, nil) // it has flapped
	s.want("reminded capture.restart_needed eth1", "recovered capture.restart_needed eth1")
}

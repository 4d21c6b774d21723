package e2e

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"trailhound/outputs"
	"trailhound/outputs/logstash"
)

func newLogstash(t testing.TB, k logstash.Keys) *logstash.Output {
	t.Helper()
	o, err := logstash.New(k, logstash.Env{Log: slog.New(slog.DiscardHandler), Identity: edge()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

// Every event arrives exactly once, with all that it says, over every transport.
func TestLogstashEveryEventArrives(t *testing.T) {
	for _, c := range []struct {
		name, protocol, profile string
		events                  int
	}{
		{"tcp", "tcp", "ecs", everything},
		{"tls", "tcp", "compat", everything / 5},
		{"udp", "udp", "compat", everything / 5},
		{"udp ecs", "udp", "ecs", everything / 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := startJSONReceiver(t)
			k := logstash.Keys{Protocol: c.protocol, Profile: c.profile, Addresses: []string{r.address("tcp")}}
			switch {
			case c.name == "tls":
				k.Addresses, k.TLS.CA = []string{r.address("tls")}, r.certificate()
			case c.protocol == "udp":
				k.Addresses, k.MaxDatagram = []string{r.address("udp")}, 65507
			}
			o := newLogstash(t, k)
			if err := o.Check(t.Context()); err != nil {
				t.Error(err)
			}
			begin := time.Now()
			l := newDeliveryLine(t, o, outputs.Settings{})
			for l.appended < c.events {
				n := 500
				if c.protocol == "udp" {
					// Nothing but the receiver itself says how full the buffer of its socket is.
					n = 100
					r.until("datagrams arrive", func() bool { return l.appended-r.written() < 400 })
				}
				l.feed(n)
			}
			l.end()
			r.until("all lines are in the file", func() bool { return r.written() >= c.events })
			t.Logf("%d events in %s: %+v", c.events, time.Since(begin).Round(time.Millisecond), o.Stats())
			if twice := r.received(l.epoch(), c.profile == "compat").check(t, c.events); twice > 0 {
				t.Errorf("%d came twice", twice)
			}
			if s := o.Stats(); s.Events != uint64(c.events) || s.Resent != 0 || s.Truncated != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// Every event is acknowledged exactly once by the server of the Beats' own
// protocol.
func TestLumberjackEveryEventArrives(t *testing.T) {
	for name, c := range map[string]struct {
		secure bool
		events int
	}{"tcp": {false, enough()}, "tls": {true, enough() / 5}} {
		t.Run(name, func(t *testing.T) {
			r := startLumberReceiver(t, c.secure)
			k := logstash.Keys{Protocol: "lumberjack", Addresses: []string{r.address()}, Compression: 3}
			if c.secure {
				k.TLS.CA = filepath.Join(r.dir, "cert.pem")
			}
			o := newLogstash(t, k)
			begin := time.Now()
			l := newDeliveryLine(t, o, outputs.Settings{})
			r.expect(l.epoch())
			l.feed(c.events)
			l.end()
			t.Logf("%d events in %s: %+v", c.events, time.Since(begin).Round(time.Millisecond), o.Stats())
			r.stop(0)
			if twice := r.seen.check(t, c.events); twice > 0 {
				t.Errorf("%d came twice", twice)
			}
			if s := o.Stats(); s.Events != uint64(c.events) || s.Resent != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

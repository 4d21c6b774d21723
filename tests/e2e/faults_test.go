package e2e

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"trailhound/outputs"
	"trailhound/outputs/logstash"
	"trailhound/outputs/syslog"
)

// A faultTarget is a receiver behind a wire, and the output that leads there.
type faultTarget struct {
	out     outputs.Output
	wire    *wire
	stop    func(syscall.Signal)
	start   func()
	expect  func(epoch uint64) // nil: not needed
	arrived func(last int) bool
	seen    func(epoch uint64) times
	stats   func() any
	secure  bool
}

func syslogTarget(scheme string) func(t *testing.T) faultTarget {
	return func(t *testing.T) faultTarget {
		r := startRsyslog(t)
		f := faultTarget{wire: newWire(t, r.address(scheme)), stop: r.stop, start: r.start, secure: scheme == "tls"}
		k := syslog.Keys{Address: scheme + "://" + f.wire.address()}
		if f.secure {
			k.TLS.CA = r.certificate()
		}
		o := newSyslog(t, k)
		f.out, f.stats = o, func() any { return o.Stats() }
		f.arrived = func(last int) bool { return r.last() == uint64(last) }
		f.seen = func(epoch uint64) times {
			r.settles()
			return r.received(epoch, 8000)
		}
		return f
	}
}

func linesTarget(scheme string) func(t *testing.T) faultTarget {
	return func(t *testing.T) faultTarget {
		r := startJSONReceiver(t)
		f := faultTarget{wire: newWire(t, r.address(scheme)), stop: r.stop, start: r.start, secure: scheme == "tls"}
		k := logstash.Keys{Addresses: []string{f.wire.address()}}
		if f.secure {
			k.TLS.CA = r.certificate()
		}
		o := newLogstash(t, k)
		f.out, f.stats = o, func() any { return o.Stats() }
		f.arrived = func(last int) bool { return r.last() == uint64(last) }
		f.seen = func(epoch uint64) times {
			r.settles()
			r.cut = true
			return r.received(epoch, false)
		}
		return f
	}
}

func lumberTarget(scheme string) func(t *testing.T) faultTarget {
	return func(t *testing.T) faultTarget {
		r := startLumberReceiver(t, scheme == "tls")
		f := faultTarget{wire: newWire(t, r.address()), stop: r.stop, start: r.start, expect: r.expect, secure: scheme == "tls"}
		k := logstash.Keys{Protocol: "lumberjack", Addresses: []string{f.wire.address()}, AckTimeout: time.Second, Window: 100}
		if f.secure {
			k.TLS.CA = filepath.Join(r.dir, "cert.pem")
		}
		o := newLogstash(t, k)
		f.out, f.stats = o, func() any { return o.Stats() }
		f.arrived = func(last int) bool { return r.missing(last) == 0 }
		f.seen = func(uint64) times {
			r.stop(0)
			return r.seen
		}
		return f
	}
}

// TestReceiverFaults takes an output through everything that a receiver may do
// to it, while events come, and counts after each what has arrived. Nothing is
// ever missing, what comes twice is the same event, and the sums add up. What a
// receiver had taken and not yet written when it was killed is lost to it, so it
// is not to be further behind than what is sent again; max_rate sees to that
// otherwise.
func TestReceiverFaults(t *testing.T) {
	receiversFolder(t) // outputs/logstash has the same for Lumberjack in small
	for name, target := range map[string]func(*testing.T) faultTarget{
		"rsyslog tcp": syslogTarget("tcp"), "rsyslog tls": syslogTarget("tls"), "logstash tcp": linesTarget("tcp"), "logstash tls": linesTarget("tls"),
		"lumberjack tcp": lumberTarget("tcp"), "lumberjack tls": lumberTarget("tls"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := target(t)
			l := newDeliveryLine(t, f.out, outputs.Settings{Batch: 100, Timeout: 2 * time.Second})
			if f.expect != nil {
				f.expect(l.epoch())
			}
			faults := []struct {
				name  string
				fault func()
			}{
				{"nothing", func() {}},
				{"restarted", func() { f.stop(syscall.SIGTERM); l.add(500); f.start() }},
				{"killed", func() { f.stop(syscall.SIGKILL); l.failsWith(500); f.start() }},
				{"slow", func() {
					f.wire.set(wireDrips)
					l.add(1000)
					l.settles()
					f.wire.set(wirePasses)
				}},
				{"ended in mid-batch", func() {
					for range 3 {
						l.add(300)
						f.wire.cut(false)
					}
				}},
				{"reset in mid-batch", func() {
					for range 3 {
						l.add(300)
						f.wire.cut(true)
					}
				}},
				{"black hole", func() {
					f.wire.set(wireHole)
					l.failsWith(4000)
					f.wire.cut(true)
					f.wire.set(wirePasses)
				}},
				{"handshake refused", func() {
					f.wire.set(wireRefuses)
					f.wire.cut(true)
					l.failsWith(500)
					f.wire.set(wirePasses)
				}},
			}
			for _, fault := range faults {
				begin := time.Now()
				l.feed(1500)
				fault.fault()
				l.feed(500)
				l.settles()
				before := l.loop.Counts()
				if !within(patience, func() bool { return f.arrived(l.appended) }) {
					t.Fatalf("%s: the last event does not arrive: %+v", fault.name, f.stats())
				}
				t.Logf("%s: %d events in %v, %d errors up to now: %+v", fault.name, l.appended, time.Since(begin).Round(time.Millisecond), before.Errors, f.stats())
			}
			l.end()
			twice := f.seen(l.epoch()).check(t, l.appended)
			t.Logf("%d of %d events came twice: %+v", twice, l.appended, f.stats())
		})
	}
}

// failsWith appends events while nothing can arrive, and waits until the output
// has noticed.
func (l *deliveryLine) failsWith(n int) {
	l.t.Helper()
	errors := l.loop.Counts().Errors
	l.add(n)
	until(l.t, "the output fails", func() bool { return l.loop.Counts().Errors > errors })
	addsUp(l.t, l.loop.State())
}

package e2e

import (
	"encoding/json"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/agent/self"
	"trailhound/outputs"
	"trailhound/outputs/remote"
	"trailhound/outputs/syslog"
)

func newSyslog(t testing.TB, k syslog.Keys) *syslog.Output {
	t.Helper()
	if k.Format != "json" && k.Profile != "maltrail" {
		k.Extra = map[string]string{"tenant": "acme = 1"}
	}
	o, err := syslog.New(k, syslog.Env{Log: slog.New(slog.DiscardHandler), Identity: edge(), Trails: func() time.Time { return time.Unix(1771150000, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

// Every event arrives exactly once, with all that it says, over every transport.
func TestSyslogEveryEventArrives(t *testing.T) {
	for _, w := range []struct {
		name   string
		start  func(testing.TB) *syslogReceiver
		port   string
		keys   syslog.Keys
		events int
	}{
		{"rsyslog/tcp newline 3164", startRsyslog, "tcp", syslog.Keys{Address: "tcp"}, everything},
		{"rsyslog/tls counted 5424", startRsyslog, "tls", syslog.Keys{Address: "tls"}, everything},
		{"rsyslog/tcp counted 5424", startRsyslog, "tcp", syslog.Keys{Address: "tcp", Framing: "octet-counting", RFC: "5424"}, everything / 10},
		{"rsyslog/udp go-syslog", startRsyslog, "udp", syslog.Keys{Address: "udp"}, everything},
		{"rsyslog/udp 5424", startRsyslog, "udp", syslog.Keys{Address: "udp", RFC: "5424"}, everything / 10},
		{"rsyslog/unix", startRsyslog, "", syslog.Keys{Address: "unix"}, everything / 5},
		{"syslog-ng/tcp newline 3164", startSyslogNG, "lines", syslog.Keys{Address: "tcp"}, everything / 10},
		{"syslog-ng/tcp counted 5424", startSyslogNG, "tcp", syslog.Keys{Address: "tcp", Framing: "octet-counting", RFC: "5424"}, everything / 10},
		{"syslog-ng/tls counted 5424", startSyslogNG, "tls", syslog.Keys{Address: "tls"}, everything / 10},
		{"syslog-ng/udp 5424", startSyslogNG, "udp", syslog.Keys{Address: "udp", RFC: "5424"}, everything / 10},
	} {
		t.Run(w.name, func(t *testing.T) {
			r := w.start(t)
			scheme, limit := w.keys.Address, 8000
			w.keys.Address = scheme + "://" + r.address(w.port)
			switch scheme {
			case "tls":
				w.keys.TLS = remote.TLSKeys{CA: r.certificate()}
			case "udp":
				limit = 1400
			case "unix":
				w.keys.Address = "unix://" + r.socket()
			}
			o := newSyslog(t, w.keys)
			if err := o.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			l := newDeliveryLine(t, o, outputs.Settings{})
			for l.appended < w.events {
				l.feed(500)
				if scheme == "udp" {
					// Nothing but the receiver itself says how full the buffer of its socket is.
					r.until("datagrams arrive", func() bool { return l.appended-r.written() < 2000 })
				}
			}
			l.end()
			r.until("all messages arrive", func() bool { return r.written() >= w.events })
			t.Logf("%d events in %v: %+v", w.events, time.Since(begin).Round(time.Millisecond), o.Stats())
			if twice := r.received(l.epoch(), limit).check(t, w.events); twice > 0 {
				t.Errorf("%d events came twice", twice)
			}
			n := 0
			r.eachMessage(func(m *syslogMessage) bool {
				host := "edge-host"
				switch {
				case strings.HasSuffix(w.name, "go-syslog"):
					host, _ = os.Hostname()
				case scheme == "unix":
					host = "collector"
				}
				if m.Host != host || strings.HasSuffix(w.name, "5424") && !strings.HasPrefix(m.MsgID, "http.") && !strings.HasPrefix(m.MsgID, "trail.") {
					t.Errorf("header of %+v", *m)
				}
				n++
				return n < 10
			})
			if s := o.Stats(); s.Events != uint64(w.events) || s.Rejected != 0 || (s.Truncated > 0) != (scheme == "udp") || s.Resent != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestSyslogJSON: an ECS document comes through a syslog daemon as it was.
func TestSyslogJSON(t *testing.T) {
	r := startRsyslog(t)
	o := newSyslog(t, syslog.Keys{Address: "tcp://" + r.address("tcp"), Format: "json"})
	const n = 1000
	l := newDeliveryLine(t, o, outputs.Settings{})
	l.feed(n)
	l.end()
	r.until("all messages arrive", func() bool { return r.written() >= n })
	for i, m := range r.messages() {
		doc, err := decodeNumbers(m.Msg)
		if err != nil {
			t.Fatalf("%v in %s", err, m.Msg)
		}
		e := variedEvent(i)
		e.Epoch = l.epoch()
		if !strings.HasPrefix(e.Trail, "long/") {
			sameFields(t, doc, &e, false)
		} else if id := dig(doc, "event.id"); id != event.IDString(e.ID) { // its texts were cut to fit into 8 KiB
			t.Errorf("event %d has the id %v", e.Seq, id)
		}
	}
}

// TestSyslogMaltrail: what reaches a collector is the reference's line.
func TestSyslogMaltrail(t *testing.T) {
	r := startRsyslog(t)
	o := newSyslog(t, syslog.Keys{Address: "udp://" + r.address("udp"), Profile: "maltrail", TimeZone: "UTC"})
	e := event.Event{Time: time.Unix(1771234571, 0), Type: event.IP, Code: event.TrailIP, Severity: event.Low, Trail: "198.51.100.9", Info: "bad reputation",
		Reference: "feed.test", Src: netip.MustParseAddr("192.0.2.12"), Dst: netip.MustParseAddr("198.51.100.9"), Protocol: "ICMP"}
	if _, err := o.Send(t.Context(), []event.Event{e}); err != nil {
		t.Fatal(err)
	}
	raw := filepath.Join(r.dir, "raw.out")
	r.until("it arrives", func() bool { return exists(raw) && (&lineCounter{path: raw}).count() == 1 })
	const want = "Feb 16 09:36:11 edge-host CEF:0|Maltrail|sensor|3.1.2|2026-02-15|bad reputation|0|src=192.0.2.12 spt=- dst=198.51.100.9 dpt=- trail=198.51.100.9 ref=feed.test"
	eachLine(t, raw, func(line []byte) bool {
		var m struct{ App, Host, Raw string }
		if err := json.Unmarshal(line, &m); err != nil || m.Raw != want || m.Host != "edge-host" {
			t.Errorf("%v: got\n%+v\nwant\n%s", err, m, want)
		}
		return true
	})
}

// TestSyslogOwnFlow: what goes through go-syslog is known as the sensor's own
// before it leaves, as a sensor that captures it has to know.
func TestSyslogOwnFlow(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	own := self.New()
	o, err := syslog.New(syslog.Keys{Address: "udp://" + pc.LocalAddr().String()}, syslog.Env{Log: slog.New(slog.DiscardHandler),
		Dial: own.Dialer(net.Dialer{}).DialContext, Resolver: own.Resolver()})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if _, err := o.Send(t.Context(), variedEvents(0, 1)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 2000)
	_, from, err := pc.ReadFrom(b)
	if err != nil {
		t.Fatal(err)
	}
	src, dst := from.(*net.UDPAddr).AddrPort(), pc.LocalAddr().(*net.UDPAddr).AddrPort()
	if !own.Own(self.UDP, src.Addr(), src.Port(), dst.Addr(), dst.Port()) {
		t.Error("its datagrams would raise events")
	}
}

// TestSyslogThroughput reports, and asserts nothing: how fast a real rsyslog
// takes messages over TCP, and how fast somebody who throws them away does.
func TestSyslogThroughput(t *testing.T) {
	r := startRsyslog(t)
	list := variedEvents(0, 1000)
	const rounds = 50
	for name, address := range map[string]string{"rsyslog": r.address("tcp"), "null": nullSink(t)} {
		o := newSyslog(t, syslog.Keys{Address: "tcp://" + address})
		begin := time.Now()
		for range rounds {
			if _, err := o.Send(t.Context(), list); err != nil {
				t.Fatal(err)
			}
		}
		o.Close()
		if name == "rsyslog" {
			r.until("all messages arrive", func() bool { return r.written() >= rounds*len(list) })
		}
		took := time.Since(begin)
		t.Logf("%s: %.0f events/s, %.0f MB/s", name, float64(rounds*len(list))/took.Seconds(), float64(o.Stats().Bytes)/1e6/took.Seconds())
	}
}

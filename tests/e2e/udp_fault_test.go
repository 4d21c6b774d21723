package e2e

import (
	"log/slog"
	"net"
	"path/filepath"
	"syscall"
	"testing"

	"trailhound/outputs"
	"trailhound/outputs/logstash"
	"trailhound/outputs/maltrail"
	"trailhound/outputs/remote"
	"trailhound/outputs/syslog"
)

// TestUDPReceiverAway: a receiver of datagrams ends, is away for a while, and
// comes back. While it is away its host says that nobody listens: events wait,
// and no more is lost than what was under way when it went.
func TestUDPReceiverAway(t *testing.T) {
	receiversFolder(t)
	for name, sig := range map[string]syscall.Signal{"stopped": syscall.SIGTERM, "killed": syscall.SIGKILL} {
		for _, rfc := range []string{"auto", "5424"} {
			t.Run("syslog "+name+" "+rfc, func(t *testing.T) {
				r := startRsyslog(t)
				o := newSyslog(t, syslog.Keys{Address: "udp://" + r.address("udp"), RFC: rfc})
				l := newDeliveryLine(t, o, outputs.Settings{Batch: 100})
				away(t, l, func() { r.stop(sig) }, r.start, r.written, func() times { return r.received(l.epoch(), 1400) })
			})
		}
		t.Run("logstash "+name, func(t *testing.T) {
			r := startJSONReceiver(t)
			o := newLogstash(t, logstash.Keys{Protocol: "udp", Addresses: []string{r.address("udp")}, MaxDatagram: 65507})
			l := newDeliveryLine(t, o, outputs.Settings{Batch: 100})
			away(t, l, func() { r.stop(sig) }, r.start, r.written, func() times { return r.received(l.epoch(), false) })
		})
	}
}

// away checks what arrives of the events before, while and after a receiver is
// away.
func away(t *testing.T, l *deliveryLine, stop, start func(), written func() int, received func() times) {
	t.Helper()
	l.add(1000)
	l.settles()
	until(t, "all arrive", func() bool { return written() >= 1000 })
	stop()
	l.failsWith(1000)
	errors := l.loop.Counts().Errors
	until(t, "it is tried again", func() bool { return l.loop.Counts().Errors > errors })
	if s := l.loop.State(); s.Delivered > 1001 || s.Pending < 999 {
		t.Errorf("delivered to nobody: %+v", s)
	}
	start()
	l.settles()
	l.add(1000)
	l.end()
	until(t, "all but one arrive", func() bool { return written() >= l.appended-1 })
	seen := received()
	missing, first := seen.missing(l.appended)
	if missing > 1 || missing == 1 && first != 1001 {
		t.Errorf("%d are missing, the first is %d", missing, first)
	}
	t.Logf("%d of %d events are lost; %+v", missing, l.appended, l.loop.Counts())
}

// TestMaltrailServerAway is the same for the reference's server.
func TestMaltrailServerAway(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := pc.LocalAddr().String()
	o, err := maltrail.New(maltrail.Keys{Address: address}, maltrail.Env{Identity: edge(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	pc.Close()
	l := newDeliveryLine(t, o, outputs.Settings{Batch: 10})
	l.failsWith(100)
	if s := l.loop.State(); s.Delivered > 1 {
		t.Errorf("%+v", s)
	}
	if pc, err = net.ListenPacket("udp", address); err != nil {
		t.Skipf("the port is taken: %v", err)
	}
	defer pc.Close()
	l.end()
	b := make([]byte, 65536)
	for n := range 99 {
		if _, _, err := pc.ReadFrom(b); err != nil {
			t.Fatalf("datagram %d: %v", n, err)
		}
	}
}

// TestTLSHandshakeRefused: a receiver that cannot be trusted gets nothing.
func TestTLSHandshakeRefused(t *testing.T) {
	r := startRsyslog(t)
	other := t.TempDir()
	writeCertificate(t, other)
	o := newSyslog(t, syslog.Keys{Address: "tls://" + r.address("tls"), TLS: remote.TLSKeys{CA: filepath.Join(other, "cert.pem")}})
	l := newDeliveryLine(t, o, outputs.Settings{})
	l.failsWith(100)
	if s := l.loop.State(); s.Delivered != 0 || s.Pending != 100 || r.written() != 0 {
		t.Errorf("%+v, %d written", s, r.written())
	}
}

package syslog

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs"
	"trailhound/outputs/remote"
)

// send sends a batch of which every event has to be taken.
func send(t testing.TB, o *Output, batch []event.Event) {
	t.Helper()
	r, err := o.Send(t.Context(), batch)
	if err != nil || len(r.Outcomes) != len(batch) {
		t.Fatalf("%d outcomes, %v", len(r.Outcomes), err)
	}
	for i, outcome := range r.Outcomes {
		if outcome != outputs.Delivered {
			t.Fatalf("event %d: %v %q", i, outcome, r.Reasons[i])
		}
	}
}

// check reads messages back and compares them with the events from first on.
func check(t testing.TB, read func(string) (parsed, error), lines []string, first int) {
	t.Helper()
	for i, line := range lines {
		p, err := read(line)
		if err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
		_, keys, err := parseCEF(p.text)
		want := events()[(first+i-1)%6]
		if err != nil || keys["cn3"] != strconv.Itoa(first+i) || keys["externalId"] != event.IDString(want.ID) || p.priority != 20<<3|want.Severity.Syslog() {
			t.Fatalf("message %d: %v in %q", i, err, line)
		}
	}
}

func collect(t testing.TB, l net.Listener) chan string {
	t.Helper()
	t.Cleanup(func() { l.Close() })
	got := make(chan string, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			text, _ := io.ReadAll(c)
			c.Close()
			got <- string(text)
		}
	}()
	return got
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func read3164(line string) (parsed, error) { return parseWith(header3164, line) }

func TestTCP(t *testing.T) {
	for _, c := range []struct {
		keys  Keys
		read  func(string) (parsed, error)
		split func(string) ([]string, error)
	}{
		{Keys{}, read3164, lines},
		{Keys{RFC: "5424"}, parse5424, lines},
		{Keys{Framing: "octet-counting"}, read3164, frames},
		{Keys{Framing: "octet-counting", RFC: "5424"}, parse5424, frames},
	} {
		l := listen(t)
		got := collect(t, l)
		c.keys.Address = "tcp://" + l.Addr().String()
		o := newOutput(t, c.keys)
		if err := o.Check(t.Context()); err != nil {
			t.Error(err)
		}
		if text := <-got; text != "" {
			t.Errorf("the check sends %q", text)
		}
		send(t, o, numbered(1, 1000))
		send(t, o, numbered(1001, 1))
		if err := o.Close(); err != nil {
			t.Error(err)
		}
		list, err := c.split(<-got)
		if err != nil || len(list) != 1001 {
			t.Fatalf("%d messages, %v", len(list), err)
		}
		check(t, c.read, list, 1)
		if s := o.Stats(); s.Events != 1001 || s.Connects != 1 || s.Resent != 0 || s.Truncated != 0 || s.Bytes == 0 {
			t.Errorf("%+v", s)
		}
	}
}

func lines(text string) ([]string, error) {
	list := strings.Split(text, "\n")
	if list[len(list)-1] != "" {
		return nil, io.ErrUnexpectedEOF
	}
	return list[:len(list)-1], nil
}

// TestClosesBetween: the receiver ends the connection between two messages; both
// arrive.
func TestClosesBetween(t *testing.T) {
	l := listen(t)
	defer l.Close()
	o := newOutput(t, Keys{Address: "tcp://" + l.Addr().String()})
	for i := 1; i <= 3; i++ {
		send(t, o, numbered(i, 1))
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		for r := bufio.NewReader(c); ; {
			line, err := r.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			p, err := read3164(strings.TrimSuffix(line, "\n"))
			if err != nil {
				t.Fatal(err)
			}
			if _, keys, _ := parseCEF(p.text); keys["cn3"] == strconv.Itoa(i) {
				break
			}
		}
		c.Close()
	}
}

func TestRejected(t *testing.T) {
	l := listen(t)
	got := collect(t, l)
	o := newOutput(t, Keys{Address: "tcp://" + l.Addr().String(), MaxMessage: 512, Hostname: strings.Repeat("h", 130)})
	batch := numbered(1, 6)
	r, err := o.Send(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	rejected := 0
	for i, outcome := range r.Outcomes {
		if outcome == outputs.Rejected {
			if rejected++; !strings.Contains(r.Reasons[i], "max_message") {
				t.Errorf("reason %q", r.Reasons[i])
			}
		} else if outcome != outputs.Delivered {
			t.Errorf("event %d: %v", i, outcome)
		}
	}
	o.Close()
	list, err := lines(<-got)
	if err != nil || len(list) != 6-rejected {
		t.Errorf("%d messages, %v", len(list), err)
	}
	if s := o.Stats(); s.Rejected != uint64(rejected) || rejected == 0 || s.Events != uint64(6-rejected) || s.Truncated == 0 {
		t.Errorf("%+v", s)
	}
}

func TestNobodyThere(t *testing.T) {
	l := listen(t)
	l.Close()
	o := newOutput(t, Keys{Address: "tcp://" + l.Addr().String()})
	r, err := o.Send(t.Context(), numbered(1, 3))
	if err == nil || !strings.Contains(err.Error(), l.Addr().String()) || len(r.Outcomes) != 3 || r.Outcomes[0] != outputs.Retry {
		t.Errorf("%v %v", r, err)
	}
	if err := o.Check(t.Context()); err == nil {
		t.Error("the check finds nothing")
	}
	if s := o.Stats(); s.Events != 0 || s.Failures != 1 {
		t.Errorf("%+v", s)
	}
}

func TestUDP(t *testing.T) {
	for _, c := range []struct {
		keys Keys
		read func(string) (parsed, error)
	}{
		{Keys{}, func(line string) (parsed, error) { return parseWith(headerLibrary, line) }},
		{Keys{RFC: "3164"}, read3164},
		{Keys{RFC: "5424"}, parse5424},
	} {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer pc.Close()
		c.keys.Address = "udp://" + pc.LocalAddr().String()
		o := newOutput(t, c.keys)
		if err := o.Check(t.Context()); err != nil {
			t.Error(err)
		}
		for i := 1; i <= 300; i += 3 { // fewer than the socket holds
			send(t, o, numbered(i, 3))
			check(t, c.read, datagramsOf(t, pc, 3), i)
		}
		long := numbered(1, 1)
		long[0].Trail = strings.Repeat("x", 4000)
		send(t, o, long)
		if list := datagramsOf(t, pc, 1); len(list[0]) > 1400 || len(list[0]) < 1350 {
			t.Errorf("a datagram of %d bytes", len(list[0]))
		}
		if s := o.Stats(); s.Events != 301 || s.Truncated != 1 || s.Connects != 2 && s.Connects != 1 {
			t.Errorf("%+v", s)
		}
	}
}

func datagramsOf(t testing.TB, pc net.PacketConn, n int) (list []string) {
	t.Helper()
	b := make([]byte, 70_000)
	for range n {
		pc.SetReadDeadline(time.Now().Add(20 * time.Second))
		k, _, err := pc.ReadFrom(b)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, string(b[:k]))
	}
	return list
}

// TestUDPReceiverDown: the library would re-dial at each refusal; here the
// socket stays the same, and so does the flow.
func TestUDPReceiverDown(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := pc.LocalAddr().String()
	o := newOutput(t, Keys{Address: "udp://" + address})
	send(t, o, numbered(1, 1))
	b := make([]byte, 2000)
	_, from, err := pc.ReadFrom(b)
	if err != nil {
		t.Fatal(err)
	}
	pc.Close()
	// What the host says comes too late for the first, but not for the others.
	for i, want := range []outputs.Outcome{outputs.Delivered, outputs.Retry} {
		if r, err := o.Send(t.Context(), numbered(2, 5)); err == nil || r.Outcomes[0] != want || r.Outcomes[1] != outputs.Retry {
			t.Errorf("%d: %v %v", i, r.Outcomes, err)
		}
	}
	if pc, err = net.ListenPacket("udp", address); err != nil {
		t.Skipf("the port is taken: %v", err)
	}
	defer pc.Close()
	send(t, o, numbered(7, 1))
	_, again, err := pc.ReadFrom(b)
	if err != nil || again.String() != from.String() {
		t.Errorf("from %v, before from %v, %v", again, from, err)
	}
}

func TestMaltrail(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	o := newOutput(t, Keys{Address: "udp://" + pc.LocalAddr().String(), Profile: "maltrail", TimeZone: "UTC"})
	send(t, o, numbered(1, 6))
	list := datagramsOf(t, pc, 5)
	const want = "Feb 16 09:36:11 edge-host CEF:0|Maltrail|sensor|3.1.2|2026-02-16|bad reputation|0|src=192.0.2.12 spt=- dst=198.51.100.9 dpt=- trail=198.51.100.9 ref=feed.test"
	if list[2] != want {
		t.Errorf("got\n%s\nwant\n%s", list[2], want)
	}
	if s := o.Stats(); s.Events != 5 || s.Skipped != 1 {
		t.Errorf("%+v", s)
	}
}

func TestSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	listen := func() *net.UnixConn {
		os.Remove(path)
		pc, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		return pc
	}
	o := newOutput(t, Keys{Address: "unix://" + path})
	if _, err := o.Send(t.Context(), numbered(1, 1)); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
	if o.Check(t.Context()) == nil {
		t.Error("the check finds nothing")
	}
	pc := listen()
	here := func(line string) (parsed, error) { return parseWith(headerHere, line) }
	send(t, o, numbered(1, 3))
	check(t, here, datagramsOf(t, pc, 3), 1)
	// The receiver is restarted.
	pc.Close()
	pc = listen()
	defer pc.Close()
	send(t, o, numbered(4, 3))
	check(t, here, datagramsOf(t, pc, 3), 4)
	if err := o.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestLoopIsOurs: what another process sends to the socket between us and the
// library is not taken for a message.
func TestLoopIsOurs(t *testing.T) {
	l, err := newLoop()
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	if os.Getenv("TRAILHOUND_LOOP") != "" {
		return
	}
	c, err := net.Dial("unixgram", l.name)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write([]byte("ours"))
	if b, err := l.read(); err != nil || string(b) != "ours" {
		t.Errorf("%q %v", b, err)
	}
	if l.own(nil) || l.own([]byte("garbage that is no control message")) {
		t.Error("taken without a sender")
	}
}

func TestLocal(t *testing.T) {
	o := newOutput(t, Keys{Address: "local"})
	_, err := os.Stat("/dev/log")
	if err == nil {
		t.Skip("this host has a syslog, which tests leave alone")
	}
	if _, err := o.Send(t.Context(), numbered(1, 1)); err == nil || !strings.Contains(err.Error(), "/dev/log") {
		t.Errorf("got %v", err)
	}
	if err := o.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "no syslog") {
		t.Errorf("got %v", err)
	}
	if s := o.Stats(); s != (Stats{}) {
		t.Errorf("%+v", s)
	}
}

func TestTLS(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	l := tls.NewListener(listen(t), &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	got := collect(t, l)
	address := "tls://" + l.Addr().String()
	if _, err := newOutput(t, Keys{Address: address}).Send(t.Context(), numbered(1, 1)); err == nil || !strings.Contains(err.Error(), "set tls.ca") {
		t.Errorf("got %v", err)
	}
	<-got
	o := newOutput(t, Keys{Address: address, TLS: remote.TLSKeys{CA: ca}})
	send(t, o, numbered(1, 500))
	if err := o.Close(); err != nil {
		t.Error(err)
	}
	list, err := frames(<-got)
	if err != nil || len(list) != 500 {
		t.Fatalf("%d messages, %v", len(list), err)
	}
	check(t, parse5424, list, 1)
}

// BenchmarkSend sends to somebody who reads and throws away.
func BenchmarkSend(b *testing.B) {
	l := listen(b)
	defer l.Close()
	go func() {
		if c, err := l.Accept(); err == nil {
			io.Copy(io.Discard, c)
		}
	}()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer pc.Close()
	for name, address := range map[string]string{"tcp": "tcp://" + l.Addr().String(), "udp": "udp://" + pc.LocalAddr().String()} {
		b.Run(name, func(b *testing.B) {
			o := newOutput(b, Keys{Address: address})
			batch := numbered(1, 1000)
			b.ReportAllocs()
			for b.Loop() {
				send(b, o, batch)
			}
			b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "events/s")
		})
	}
}

package logstash

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trailhound/agent/config"
	"trailhound/agent/event"
	"trailhound/outputs"
	"trailhound/outputs/format"
)

func TestKeys(t *testing.T) {
	for _, c := range []struct {
		want string
		k    Keys
	}{
		{"addresses: none is given", Keys{}},
		{"addresses: \"h\" is no address", Keys{Addresses: []string{"h"}}},
		{"addresses: \"http://h:1\": the scheme is neither tls nor tcp", Keys{Addresses: []string{"http://h:1"}}},
		{"addresses: \"h:1\" is in clear text", Keys{Addresses: []string{"tls://g:1", "h:1"}}},
		{"tls: datagrams cannot be encrypted", Keys{Protocol: "udp", Addresses: []string{"tls://g:1"}}},
		{"proxy: datagrams go through none", Keys{Protocol: "udp", Addresses: []string{"g:1"}, Proxy: "http://h:1"}},
		{"protocol: \"http\" is none of", Keys{Protocol: "http", Addresses: []string{"g:1"}}},
		{"profile: \"cef\" is none of", Keys{Profile: "cef", Addresses: []string{"g:1"}}},
		{"namespace: ", Keys{Namespace: "a-b", Addresses: []string{"g:1"}}},
		{"max_datagram: 100 is not from", Keys{MaxDatagram: 100, Addresses: []string{"g:1"}}},
		{"max_datagram: 1400 is too little for ECS documents", Keys{MaxDatagram: 1400, Protocol: "udp", Addresses: []string{"g:1"}}},
		{"window: ", Keys{Window: -1, Addresses: []string{"g:1"}}},
		{"compression: 10", Keys{Compression: 10, Addresses: []string{"g:1"}}},
		{"ack_timeout: ", Keys{AckTimeout: -1, Addresses: []string{"g:1"}}},
		{"tls.ca: ", func() Keys {
			k := Keys{Addresses: []string{"g:1"}}
			k.TLS.CA = "/nowhere.pem"
			return k
		}()},
	} {
		_, err := New(c.k, Env{})
		mustFail(t, err, c.want)
	}
	for _, k := range []Keys{{Addresses: []string{"tls://g:1"}}, {Addresses: []string{"tcp://g:1"}}, {Protocol: "lumberjack", Addresses: []string{"lumberjack://[::1]:5044", "h:5044"}},
		{Protocol: "udp", Profile: "compat", MaxDatagram: 1024, Addresses: []string{"udp://g:1"}}} {
		if o, err := New(k, Env{}); err != nil {
			t.Errorf("%+v: %v", k, err)
		} else if o.Close() != nil {
			t.Error("cannot close what was never used")
		}
	}
}

// The sample is read as the program reads it, and has every key.
func TestSample(t *testing.T) {
	text := "outputs:\n"
	for i, line := range strings.Split(strings.TrimSpace(Sample()), "\n") {
		indent := "    "
		if i == 1 {
			indent = "  - "
		}
		text += indent + line + "\n"
	}
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(config.Options{File: file, Explicit: true})
	if err != nil {
		t.Fatal(err)
	}
	var k Keys
	if err := c.Outputs[0].Decode(&k); err != nil {
		t.Fatal(err)
	}
	k.Proxy = ""
	if _, err := New(k, Env{}); err != nil {
		t.Error(err)
	}
	bare := filepath.Join(t.TempDir(), "config.yaml")
	os.WriteFile(bare, []byte("outputs:\n- {name: x, type: logstash, addresses: ['h:1']}\n"), 0o600)
	if c, err = config.Load(config.Options{File: bare}); err != nil {
		t.Fatal(err)
	}
	var d Keys
	if err := c.Outputs[0].Decode(&d); err != nil {
		t.Fatal(err)
	}
	d.Protocol, d.Addresses = k.Protocol, k.Addresses
	if fmt.Sprint(k) != fmt.Sprint(d) || d.Compression != 3 || d.Window != 2048 || d.AckTimeout != 30*time.Second || !d.Enrichments {
		t.Errorf("the sample does not show the defaults:\n%+v\n%+v", k, d)
	}
	for _, doc := range []string{Sample(), readme(t)} {
		for _, key := range []string{"protocol", "addresses", "profile", "namespace", "enrichments", "tls", "proxy", "max_datagram", "window", "ack_timeout", "compression"} {
			if !strings.Contains(doc, key) {
				t.Errorf("key %s is missing in the sample or the README", key)
			}
		}
	}
}

func readme(t *testing.T) string {
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestTCPLines(t *testing.T) {
	got := make(chan []byte, 1)
	address := scripted(t, func(p *peer) {
		b, _ := io.ReadAll(p.in)
		got <- b
	})
	o := newOutput(t, Keys{Addresses: []string{address}}, nil)
	if o.Guarantee() != outputs.Sent || o.Limits() != (outputs.Limits{}) {
		t.Error("lines are sent, not acknowledged, and have no limits")
	}
	batch := numbered(1, 1000)
	batch[7].HTTP.UserAgent = strings.Repeat("x\n", 64<<10)
	if r, err := o.Send(t.Context(), batch); err != nil || delivered(t, r) != 1000 {
		t.Fatalf("%d delivered, %v", delivered(t, r), err)
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
	lines := bytes.Split(<-got, []byte("\n"))
	if len(lines) != 1001 || len(lines[1000]) > 0 {
		t.Fatalf("%d lines", len(lines)-1)
	}
	for i, line := range lines[:1000] {
		var doc any
		if err := json.Unmarshal(line, &doc); err != nil || number(t, doc) != i+1 {
			t.Fatalf("line %d: %v", i+1, err)
		}
	}
	if s := o.Stats(); s.Events != 1000 || s.Connects != 1 || s.Bytes == 0 {
		t.Errorf("%+v", s)
	}
}

// Over TLS, with the name that the certificate bears, and in the other profile.
func TestTLSLines(t *testing.T) {
	server, ca := certificates(t)
	l, err := tlsListen(server)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan []byte, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		b, _ := io.ReadAll(c)
		c.Close()
		got <- b
	}()
	keys := Keys{Addresses: []string{l.Addr().String()}, Profile: "compat"}
	keys.TLS.CA, keys.TLS.ServerName = ca, "logstash.test"
	o := newOutput(t, keys, nil)
	if r, err := o.Send(t.Context(), numbered(1, 2)); err != nil || delivered(t, r) != 2 {
		t.Fatalf("%v", err)
	}
	o.Close()
	want := ""
	for _, e := range numbered(1, 2) {
		want += string(format.AppendLogstash(nil, &e, identity)) + "\n"
	}
	if text := string(<-got); text != want {
		t.Errorf("got %q", text)
	}
}

// A receiver that restarts gets the last lines again and misses none.
func TestTCPReceiverRestarts(t *testing.T) {
	first, second := make(chan []byte, 1), make(chan []byte, 1)
	address := scripted(t, func(p *peer) {
		line, _ := p.in.ReadBytes('\n')
		first <- line // and all the others are lost with this connection
	}, func(p *peer) {
		b, _ := io.ReadAll(p.in)
		second <- b
	})
	o := newOutput(t, Keys{Addresses: []string{address}, Profile: "compat"}, nil)
	sent := 0
	send := func(n int) {
		r, _ := o.Send(t.Context(), numbered(sent+1, n))
		sent += delivered(t, r)
	}
	send(20)
	<-first
	for sent < 30 {
		send(30 - sent)
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
	text := string(<-second)
	for n := 2; n <= 30; n++ {
		if !strings.Contains(text, fmt.Sprintf(`"n%d.bad.test`, n)) {
			t.Errorf("event %d is lost", n)
		}
	}
	if s := o.Stats(); s.Resent == 0 || s.Connects != 2 {
		t.Errorf("%+v", s)
	}
}

func TestDatagrams(t *testing.T) {
	receiver, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer receiver.Close()
	for _, c := range []struct {
		profile string
		limit   int
	}{{"ecs", 8192}, {"ecs", minECSDatagram}, {"compat", 1400}, {"compat", minDatagram}} {
		o := newOutput(t, Keys{Protocol: "udp", Profile: c.profile, MaxDatagram: c.limit, Addresses: []string{receiver.LocalAddr().String()}}, nil)
		long := strings.Repeat("日\U0001D11E\"\\", 300)
		batch := append(numbered(1, 1), worst(long))
		r, err := o.Send(t.Context(), batch)
		if err != nil || delivered(t, r) != 2 {
			t.Fatalf("%+v: %d delivered, %v", c, delivered(t, r), err)
		}
		buf := make([]byte, 70_000)
		for i := range batch {
			n, err := receiver.Read(buf)
			if err != nil || n > c.limit {
				t.Fatalf("%+v: %d bytes, %v", c, n, err)
			}
			var doc map[string]any
			if err := json.Unmarshal(buf[:n], &doc); err != nil || bytes.ContainsRune(buf[:n], '\n') {
				t.Errorf("%+v: %v in %s", c, err, buf[:n])
			}
			cut := bytes.Contains(buf[:n], []byte("[truncated]"))
			if cut != (i == 1) {
				t.Errorf("%+v: event %d: truncated %v", c, i, cut)
			}
		}
		if s := o.Stats(); s.Truncated != 1 || s.Events != 2 || s.Rejected != 0 {
			t.Errorf("%+v: %+v", c, s)
		}
	}
}

// worst is an event with everything long that can be.
func worst(long string) event.Event {
	e := numbered(2, 1)[0]
	e.Trail, e.Observable, e.Indicator, e.Forwarded = long, long, long, long
	e.Info, e.Reference = strings.Repeat("i", 300), strings.Repeat("r", 60)
	e.HTTP = event.HTTPFacts{Method: long, Host: long, Target: "/" + long, UserAgent: long, Status: 200}
	e.DNS = event.DNSFacts{Question: long, Type: 1, Class: 1}
	e.TLS = event.TLSFacts{ServerName: long, SHA1: strings.Repeat("a", 40), SHA256: strings.Repeat("a", 64)}
	e.Interface, e.Alias, e.VLANs, e.Application = "enp0s31f6", long, []uint16{4000, 4001}, "http"
	e.Src, e.Dst = netip.MustParseAddr("2001:db8:1111:2222:3333:4444:5555:6666"), netip.MustParseAddr("2001:db8:1111:2222:3333:4444:5555:7777")
	e.Aggregate = event.Aggregate{ID: e.ID, Summary: true, Count: 1 << 60, First: e.Time, Last: e.Time}
	for i := range event.MaxValues {
		e.Aggregate.SrcPorts = append(e.Aggregate.SrcPorts, uint16(60000+i))
		e.Aggregate.DstPorts = append(e.Aggregate.DstPorts, uint16(60000+i))
		e.Aggregate.Dsts = append(e.Aggregate.Dsts, netip.MustParseAddr(fmt.Sprintf("2001:db8:1111:2222:3333:4444:5555:%x", 0x6000+i)))
	}
	return e
}

// What can never fit is rejected with the reason; the others go on.
func TestDatagramThatCannotFit(t *testing.T) {
	receiver, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer receiver.Close()
	env := Env{Identity: &event.Identity{Hostname: strings.Repeat("h", 200)}}
	o, err := New(Keys{Protocol: "udp", Profile: "compat", MaxDatagram: minDatagram, Addresses: []string{receiver.LocalAddr().String()}}, env)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	batch := numbered(1, 3)
	batch[1].Protocol = strings.Repeat("p", 900)
	r, err := o.Send(t.Context(), batch)
	if err != nil || !slices.Equal(r.Outcomes, []outputs.Outcome{outputs.Delivered, outputs.Rejected, outputs.Delivered}) || o.Stats().Rejected != 1 {
		t.Errorf("%v, %v", r, err)
	}
	mustFail(t, fmt.Errorf("%s", r.Reasons[1]), "a datagram of 1024 bytes")
}

// What the host of a receiver that is not there says comes too late for the
// datagram that it is about, but not for the others.
func TestNobodyTakesDatagrams(t *testing.T) {
	receiver, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	receiver.Close()
	o := newOutput(t, Keys{Protocol: "udp", Profile: "compat", Addresses: []string{receiver.LocalAddr().String()}}, nil)
	for _, want := range []int{1, 0, 0} {
		if r, err := o.Send(t.Context(), numbered(1, 50)); err == nil || delivered(t, r) != want || o.Guarantee() != outputs.Sent {
			t.Errorf("%d delivered, %v", delivered(t, r), err)
		}
	}
}

// What goes out is what format says, for the fixed set of events.
func TestFrameIsTheFormats(t *testing.T) {
	id := &event.Identity{Name: "s", Hostname: "h"}
	for _, profile := range []string{"ecs", "compat"} {
		encode := (&Keys{Profile: profile, Namespace: "prod", Enrichments: true}).encoder(id)
		e := numbered(1, 1)[0]
		want := string(format.AppendLogstash(nil, &e, id))
		if profile == "ecs" {
			want = string(format.NewECS(id, format.ECSOptions{Namespace: "prod"}).AppendLogstash(nil, &e))
		}
		if got := string(encode(nil, &e, 0)); got != want {
			t.Errorf("%s: %s", profile, got)
		}
	}
}

func TestSecretsStayInside(t *testing.T) {
	_, err := New(Keys{Addresses: []string{"h:1"}, Proxy: "ftp://user:hunter2@p:1"}, Env{Log: slog.New(slog.DiscardHandler)})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v", err)
	}
	if text := fmt.Sprintf("%+v %#v %v", Keys{Proxy: "hunter2"}, Keys{Proxy: "hunter2"}, Keys{Proxy: "hunter2"}); strings.Contains(text, "hunter2") {
		t.Error(text)
	}
}

func FuzzAck(f *testing.F) {
	f.Add(append(ack(0), ack(5)...), 3)
	f.Add([]byte("2A\x00"), 1)
	f.Add([]byte("HTTP/1.1 400"), 100)
	f.Fuzz(func(t *testing.T, in []byte, step int) {
		step = max(step%7, 1)
		var a ackReader
		var got []byte
		for rest := in; len(rest) > 0; {
			n := copy(a.rest(), rest[:min(step, len(rest))])
			rest = rest[n:]
			sequence, complete, err := a.add(n)
			if err != nil {
				// Up to the frame that is wrong all was right.
				if wrong := in[len(got):]; len(wrong) > 1 && string(wrong[:2]) == "2A" {
					t.Fatalf("%q is refused: %v", in, err)
				}
				return
			}
			if complete {
				got = append(got, ack(sequence)...)
			}
		}
		if !bytes.HasPrefix(in, got) || len(in)-len(got) >= shortHeader {
			t.Fatalf("%q reads as %q", in, got)
		}
	})
}

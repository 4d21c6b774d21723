package e2e

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs"
	"trailhound/outputs/logstash"
)

// logstashEvents is how many events a test sends.
const logstashEvents = 20_000

// jsonReceiver is a syslog-ng that takes JSON lines, in the place of Logstash's
// tcp and udp inputs, which no registry of packages has.
type jsonReceiver struct {
	t             *testing.T
	root, dir     string
	tcp, tls, udp int
	process       *exec.Cmd
}

func startJSONReceiver(t *testing.T) *jsonReceiver {
	t.Helper()
	home := os.Getenv("TRAILHOUND_RECEIVERS")
	if home == "" {
		t.Skip("TRAILHOUND_RECEIVERS is not set: it names the folder with the receivers that tests/receivers made")
	}
	r := &jsonReceiver{t: t, root: filepath.Join(home, "syslog-ng"), dir: t.TempDir()}
	if _, err := os.Stat(filepath.Join(r.root, "usr/sbin/syslog-ng")); err != nil {
		r.root = "/"
		if _, err := os.Stat("/usr/sbin/syslog-ng"); err != nil {
			t.Fatalf("there is no syslog-ng: run tests/receivers/syslog-ng/unpack.sh %s", filepath.Join(home, "syslog-ng"))
		}
	}
	r.tcp, r.tls, r.udp = freePort(t), freePort(t), freePort(t)
	writeCertificate(t, r.dir)
	conf, err := os.ReadFile("../receivers/syslog-ng/json.conf")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("@DIR@", r.dir, "@TCP@", strconv.Itoa(r.tcp), "@TLS@", strconv.Itoa(r.tls), "@UDP@", strconv.Itoa(r.udp)).Replace(string(conf))
	if err := os.WriteFile(filepath.Join(r.dir, "syslog-ng.conf"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	r.start()
	t.Cleanup(func() { r.stop(syscall.SIGKILL) })
	return r
}

func (r *jsonReceiver) start() {
	r.t.Helper()
	path := func(name string) string { return filepath.Join(r.dir, name) }
	r.process = exec.Command("../receivers/syslog-ng/run.sh", r.root, "-F", "--no-caps", "-f", path("syslog-ng.conf"), "-R", path("persist"),
		"-p", path("pid"), "-c", path("ctl"))
	log, err := os.OpenFile(path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		r.t.Fatal(err)
	}
	defer log.Close()
	r.process.Stdout, r.process.Stderr = log, log
	r.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := r.process.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.until("syslog-ng listens", func() bool {
		c, err := net.Dial("tcp", r.address(r.tls))
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func (r *jsonReceiver) stop(sig os.Signal) {
	if r.process != nil {
		r.process.Process.Signal(sig)
		r.process.Wait()
		r.process = nil
	}
}

func (r *jsonReceiver) address(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

// until asks again and again; what it waits for has no event to wait on.
func (r *jsonReceiver) until(what string, is func() bool) {
	r.t.Helper()
	end := time.Now().Add(2 * time.Minute)
	for !is() {
		if time.Now().After(end) {
			log, _ := os.ReadFile(filepath.Join(r.dir, "log"))
			r.t.Fatalf("it does not happen that %s: %s", what, log)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// lines is what arrived and was JSON to syslog-ng's parser; what was not is an
// error.
func (r *jsonReceiver) lines() [][]byte {
	r.t.Helper()
	if bad, err := os.ReadFile(filepath.Join(r.dir, "refused.out")); err == nil && len(bad) > 0 {
		r.t.Fatalf("this was no JSON to syslog-ng: %.2000s", bad)
	}
	all, err := os.ReadFile(filepath.Join(r.dir, "json.out"))
	if err != nil && !os.IsNotExist(err) {
		r.t.Fatal(err)
	}
	return bytes.SplitAfter(all, []byte("\n"))[:bytes.Count(all, []byte("\n"))]
}

func (r *jsonReceiver) count() int {
	all, _ := os.ReadFile(filepath.Join(r.dir, "json.out"))
	return bytes.Count(all, []byte("\n"))
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// writeCertificate makes cert.pem, which is its own authority, and key.pem.
func writeCertificate(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// logstashEvent makes the n-th event. All that can differ does, and the texts
// are what an attacker might send.
func logstashEvent(n int) event.Event {
	texts := []string{"plain.test", `say "hi"`, "a\r\nb", "tab\there", `back\slash`, "p|q=r", "ü 日本 \U0001D11E", "\x00\x1b[31m", "\u2028line", strings.Repeat("long/", 200), "<&>'"}
	text := texts[n%len(texts)] + " " + strconv.Itoa(n)
	e := event.Event{Epoch: 0xFEDCBA9876543210, Seq: uint64(n + 1), Time: time.Unix(1771234567+int64(n), int64(n%1e6)*1000).UTC(), Type: event.DNS, Code: event.TrailDNS,
		Severity: event.Severity(n % 4), Confidence: uint8(n % 101), Direction: event.Outbound, Trail: text, Observable: text, Info: "lumma (malware)", Reference: "(static)",
		Src: netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), SrcPort: uint16(n%65535 + 1), Dst: netip.MustParseAddr("2001:db8::1"), DstPort: 53, Protocol: "UDP"}
	if n%3 == 0 {
		e.Type, e.Code, e.Protocol, e.SrcPort, e.DstPort = event.IP, event.TrailIP, "ICMP", 0, 0
	}
	if n%5 == 0 {
		e.HTTP = event.HTTPFacts{Method: "GET", Host: "shop.test", Target: "/" + text, UserAgent: text}
		e.Forwarded = text
	}
	binary.BigEndian.PutUint64(e.ID[8:], uint64(n+1))
	return e
}

// dig follows a dotted path; absent is nil.
func dig(doc map[string]any, path string) any {
	var v any = doc
	for _, name := range strings.Split(path, ".") {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

// sameFields compares a document with what the event says, not with what the
// encoder makes of it.
func sameFields(t *testing.T, doc map[string]any, e *event.Event, compat bool) {
	t.Helper()
	label := map[event.Severity]string{event.Info: "info", event.Low: "low", event.Medium: "medium", event.High: "high"}[e.Severity]
	port := func(n uint16, none any) any {
		if n == 0 {
			return none
		}
		return json.Number(strconv.Itoa(int(n)))
	}
	src := e.Src.String()
	if e.Forwarded != "" {
		src += "," + e.Forwarded
	}
	var want map[string]any
	if compat {
		want = map[string]any{"timestamp": json.Number(strconv.FormatInt(e.Time.Unix(), 10)), "sensor": "edge-host", "severity": label, "src_ip": src,
			"src_port": port(e.SrcPort, "-"), "dst_ip": "2001:db8::1", "dst_port": port(e.DstPort, "-"), "proto": e.Protocol, "type": string(e.Type),
			"trail": e.Trail, "info": e.Info, "reference": e.Reference}
		if len(doc) != len(want) {
			t.Errorf("event %d has %d keys", e.Seq, len(doc))
		}
	} else {
		want = map[string]any{"@timestamp": e.Time.Format("2006-01-02T15:04:05.000000Z"), "@version": "1", "event.id": event.IDString(e.ID),
			"event.sequence": json.Number(strconv.Itoa(int(e.Seq))), "event.code": string(e.Code), "event.reason": e.Info, "trailhound.epoch": "fedcba9876543210",
			"trailhound.severity": label, "trailhound.confidence": json.Number(strconv.Itoa(int(e.Confidence))), "trailhound.trail": e.Trail,
			"trailhound.observable": e.Observable, "trailhound.reference": e.Reference, "trailhound.type": string(e.Type), "source.ip": e.Src.String(),
			"source.address": src, "source.port": port(e.SrcPort, nil), "destination.ip": "2001:db8::1", "destination.port": port(e.DstPort, nil),
			"network.transport": map[string]string{"UDP": "udp", "ICMP": "icmp"}[e.Protocol], "network.direction": "outbound", "observer.name": "edge-1",
			"host.name": "edge-host", "labels.site": "berlin", "data_stream.dataset": "trailhound.event"}
		if e.HTTP.UserAgent != "" {
			want["user_agent.original"], want["http.request.method"] = e.HTTP.UserAgent, "GET"
		}
	}
	for path, w := range want {
		if got := dig(doc, path); got != w {
			t.Errorf("event %d: %s is %.200q, want %.200q", e.Seq, path, fmt.Sprint(got), fmt.Sprint(w))
		}
	}
}

func newLogstash(t *testing.T, k logstash.Keys) *logstash.Output {
	t.Helper()
	o, err := logstash.New(k, logstash.Env{Log: slog.New(slog.DiscardHandler), Identity: &event.Identity{Name: "edge-1", ID: "5c1f",
		Hostname: "edge-host", Version: "1.0.0", Labels: map[string]string{"site": "berlin"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

// deliver sends events [from, to) as a delivery loop does: what was not taken is
// handed over again. After each batch it calls between.
func deliver(t *testing.T, o *logstash.Output, from, to, batch int, between func(sent int)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for sent := from; sent < to; {
		events := make([]event.Event, min(batch, to-sent))
		for i := range events {
			events[i] = logstashEvent(sent + i)
		}
		r, err := o.Send(ctx, events)
		for _, outcome := range r.Outcomes {
			if outcome == outputs.Rejected {
				t.Fatalf("rejected: %v", r.Reasons)
			}
			if outcome != outputs.Delivered {
				break
			}
			sent++
		}
		if ctx.Err() != nil {
			t.Fatalf("only %d of %d events are out: %v", sent, to, err)
		}
		if err != nil {
			time.Sleep(100 * time.Millisecond) // the loop's first pause
		}
		if between != nil {
			between(sent)
		}
	}
}

// received reads every line and gives how often each event came.
func received(t *testing.T, r *jsonReceiver, compat bool) map[int]int {
	t.Helper()
	times := make(map[int]int)
	for _, line := range r.lines() {
		d := json.NewDecoder(bytes.NewReader(line))
		d.UseNumber()
		var doc map[string]any
		if err := d.Decode(&doc); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		var n int
		var err error
		if compat {
			trail := doc["trail"].(string)
			n, err = strconv.Atoi(trail[strings.LastIndexByte(trail, ' ')+1:])
		} else {
			n, err = strconv.Atoi(fmt.Sprint(dig(doc, "event.sequence")))
			n--
		}
		if err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		e := logstashEvent(n)
		sameFields(t, doc, &e, compat)
		times[n]++
		if t.Failed() {
			t.Fatalf("in %.2000s", line)
		}
	}
	return times
}

func TestLogstashEveryEventArrives(t *testing.T) {
	for _, c := range []struct {
		name, protocol, profile string
		events                  int
	}{{"tcp", "tcp", "ecs", logstashEvents}, {"tls", "tcp", "compat", logstashEvents}, {"udp", "udp", "compat", logstashEvents}, {"udp-ecs", "udp", "ecs", 2000}} {
		t.Run(c.name, func(t *testing.T) {
			r := startJSONReceiver(t)
			k := logstash.Keys{Protocol: c.protocol, Profile: c.profile, Addresses: []string{r.address(r.tcp)}}
			var between func(int)
			switch {
			case c.name == "tls":
				k.Addresses, k.TLS.CA = []string{r.address(r.tls)}, filepath.Join(r.dir, "cert.pem")
			case c.protocol == "udp":
				// Nothing holds a sender of datagrams back: no more are under way than
				// the receiver's socket holds.
				k.Addresses, k.MaxDatagram = []string{r.address(r.udp)}, 65507
				between = func(sent int) {
					r.until("the datagrams arrive", func() bool { return r.count() >= sent })
				}
			}
			o := newLogstash(t, k)
			if err := o.Check(t.Context()); err != nil {
				t.Error(err)
			}
			begun := time.Now()
			deliver(t, o, 0, c.events, 50, between)
			if err := o.Close(); err != nil {
				t.Error(err)
			}
			t.Logf("%d events in %s", c.events, time.Since(begun).Round(time.Millisecond))
			r.until("all lines are in the file", func() bool { return r.count() >= c.events })
			times := received(t, r, c.profile == "compat")
			for n := range c.events {
				if times[n] != 1 {
					t.Fatalf("event %d came %d times", n, times[n])
				}
			}
			if s := o.Stats(); s.Events != uint64(c.events) || s.Resent != 0 || s.Truncated != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// A receiver that restarts misses nothing; one that is killed may, and how much
// is measured.
func TestLogstashReceiverRestarts(t *testing.T) {
	for name, sig := range map[string]os.Signal{"restarted": syscall.SIGTERM, "killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			r := startJSONReceiver(t)
			o := newLogstash(t, logstash.Keys{Addresses: []string{r.address(r.tcp)}})
			at := []int{logstashEvents / 4, logstashEvents / 2, logstashEvents * 3 / 4}
			deliver(t, o, 0, logstashEvents, 100, func(sent int) {
				if len(at) > 0 && sent >= at[0] {
					at = at[1:]
					r.stop(sig)
					r.start()
				}
			})
			if err := o.Close(); err != nil {
				t.Error(err)
			}
			r.stop(syscall.SIGTERM) // writes what it holds
			times := received(t, r, false)
			lost, twice := 0, 0
			for n := range logstashEvents {
				switch times[n] {
				case 0:
					lost++
				case 1:
				default:
					twice++
				}
			}
			t.Logf("%d of %d events are lost, %d came more than once; %+v", lost, logstashEvents, twice, o.Stats())
			if s := o.Stats(); s.Connects < 4 || s.Resent == 0 {
				t.Errorf("the receiver went away three times: %+v", s)
			}
			if sig == syscall.SIGTERM && lost > 0 {
				t.Errorf("%d events are lost", lost)
			}
		})
	}
}

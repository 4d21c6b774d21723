package e2e

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
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
	"trailhound/agent/self"
	"trailhound/outputs"
	"trailhound/outputs/remote"
	"trailhound/outputs/syslog"
)

// syslogEvents is how many events a test sends.
const syslogEvents = 20_000

// syslogReceiver is a real rsyslog or syslog-ng that writes what it has taken
// apart to a file, as JSON.
type syslogReceiver struct {
	t       *testing.T
	dir     string
	command []string
	ports   map[string]int // of tcp, tls, udp and lines
	process *exec.Cmd
	killed  bool
}

func startRsyslog(t *testing.T) *syslogReceiver {
	t.Helper()
	r := newSyslogReceiver(t, "../receivers/rsyslog/rsyslog.conf")
	for _, file := range []string{"/usr/sbin/rsyslogd", "/usr/lib/*/rsyslog/lmnsd_ossl.so"} {
		if found, _ := filepath.Glob(file); len(found) == 0 {
			t.Fatalf("%s is missing: install the packages rsyslog and rsyslog-openssl", file)
		}
	}
	r.command = []string{"../receivers/rsyslog/run.sh", r.dir}
	r.start()
	return r
}

func startSyslogNG(t *testing.T) *syslogReceiver {
	t.Helper()
	r := newSyslogReceiver(t, "../receivers/syslog-ng/syslog.conf")
	root := filepath.Join(os.Getenv("TRAILHOUND_RECEIVERS"), "syslog-ng")
	if _, err := os.Stat(filepath.Join(root, "usr/sbin/syslog-ng")); err != nil {
		if _, err := os.Stat("/usr/sbin/syslog-ng"); err != nil {
			t.Fatalf("there is no syslog-ng: run tests/receivers/syslog-ng/unpack.sh %s", root)
		}
		root = "/"
	}
	path := func(name string) string { return filepath.Join(r.dir, name) }
	r.command = []string{"../receivers/syslog-ng/run.sh", root, "-F", "--no-caps", "-f", path("syslog.conf"), "-R", path("persist"), "-p", path("pid"), "-c", path("ctl")}
	r.start()
	return r
}

func newSyslogReceiver(t *testing.T, conf string) *syslogReceiver {
	t.Helper()
	if os.Getenv("TRAILHOUND_RECEIVERS") == "" {
		t.Skip("TRAILHOUND_RECEIVERS is not set: it names the folder with the receivers that tests/receivers made")
	}
	r := &syslogReceiver{t: t, dir: t.TempDir(), ports: map[string]int{}}
	writeCertificate(t, r.dir)
	text, err := os.ReadFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte("@DIR@"), []byte(r.dir))
	for _, name := range []string{"tcp", "tls", "udp", "lines"} {
		r.ports[name] = freePort(t)
		text = bytes.ReplaceAll(text, []byte("@"+strings.ToUpper(name)+"@"), []byte(strconv.Itoa(r.ports[name])))
	}
	if err := os.WriteFile(filepath.Join(r.dir, filepath.Base(conf)), text, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.stop(syscall.SIGKILL) })
	return r
}

func (r *syslogReceiver) start() {
	r.t.Helper()
	log, err := os.OpenFile(filepath.Join(r.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		r.t.Fatal(err)
	}
	defer log.Close()
	r.process = exec.Command(r.command[0], r.command[1:]...)
	r.process.Stdout, r.process.Stderr = log, log
	r.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := r.process.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.until("it listens", func() bool {
		c, err := net.Dial("tcp", r.address("tls"))
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func (r *syslogReceiver) stop(sig os.Signal) {
	if r.process != nil {
		r.process.Process.Signal(sig)
		r.process.Wait()
		r.process = nil
		r.killed = r.killed || sig == syscall.SIGKILL
	}
}

func (r *syslogReceiver) address(port string) string {
	return "127.0.0.1:" + strconv.Itoa(r.ports[port])
}

// until asks again and again: a file has nothing to wait on.
func (r *syslogReceiver) until(what string, is func() bool) {
	r.t.Helper()
	for end := time.Now().Add(3 * time.Minute); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			log, _ := os.ReadFile(filepath.Join(r.dir, "log"))
			r.t.Fatalf("it does not happen that %s: %.2000s", what, log)
		}
	}
}

// syslogMessage is what a receiver has read.
type syslogMessage struct{ Pri, Version, Time, Host, App, Pid, MsgID, Msg, Raw string }

func (r *syslogReceiver) count() int {
	all, _ := os.ReadFile(filepath.Join(r.dir, "messages.out"))
	return bytes.Count(all, []byte("\n"))
}

func (r *syslogReceiver) messages() (list []syslogMessage) {
	r.t.Helper()
	all, err := os.ReadFile(filepath.Join(r.dir, "messages.out"))
	if err != nil {
		r.t.Fatal(err)
	}
	for _, line := range bytes.Split(bytes.TrimSuffix(all, []byte("\n")), []byte("\n")) {
		var m syslogMessage
		err := json.Unmarshal(line, &m)
		if at := bytes.LastIndex(line, []byte(`{"pri":`)); err != nil && r.killed && at > 0 {
			m = syslogMessage{} // in front is what was being written when it was killed
			err = json.Unmarshal(line[at:], &m)
		}
		if err != nil {
			r.t.Fatalf("%v in %s", err, line)
		}
		list = append(list, m)
	}
	return list
}

// syslogEvent makes the n-th event. The texts are what an attacker might send.
func syslogEvent(n int) event.Event {
	texts := []string{"plain.test", `say "hi"`, "a\r\nb", "tab\there", `back\slash`, "p|q=r", "ü 日本 \U0001D11E", "\x00\x1b[31m", "CEF:0|x|", strings.Repeat("long/", 200), " <13>1 - "}
	text := texts[n%len(texts)] + " " + strconv.Itoa(n)
	e := event.Event{Epoch: 4711, Seq: uint64(n + 1), Time: time.Unix(1771234567+int64(n), int64(n%1e6)*1000).UTC(), Type: event.URL, Code: event.HTTPSQLi,
		Severity: event.Severity(n % 4), Confidence: uint8(n % 101), Direction: event.Inbound, Trail: text, Info: "potential injection | " + text, Reference: "(heuristic)",
		Src: netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), SrcPort: uint16(n%65535 + 1), Dst: netip.MustParseAddr("2001:db8::1"), DstPort: 80, Protocol: "TCP",
		HTTP: event.HTTPFacts{Method: "GET", Host: "shop.test", Target: "/" + text, UserAgent: text}, Forwarded: text}
	if n%3 == 0 {
		e.Type, e.Code, e.Protocol, e.SrcPort, e.DstPort, e.HTTP = event.IP, event.TrailIP, "ICMP", 0, 0, event.HTTPFacts{}
	}
	binary.BigEndian.PutUint64(e.ID[8:], uint64(n+1))
	return e
}

// syslogCEF reads a CEF record, by the book and not by what the encoder does.
func syslogCEF(text string) (header []string, keys map[string]string, err error) {
	rest, ok := strings.CutPrefix(strings.TrimPrefix(text, " "), "CEF:0|")
	if !ok {
		return nil, nil, errors.New("no CEF")
	}
	for field := []byte(nil); len(header) < 6; rest = rest[1:] {
		switch {
		case rest == "":
			return nil, nil, errors.New("the header ends early")
		case rest[0] == '\\' && len(rest) > 1:
			rest = rest[1:]
			field = append(field, rest[0])
		case rest[0] == '|':
			header, field = append(header, string(field)), nil
		default:
			field = append(field, rest[0])
		}
	}
	keys = map[string]string{}
	for rest != "" {
		key, value, ok := strings.Cut(rest, "=")
		if !ok {
			return nil, nil, fmt.Errorf("no key in %q", rest)
		}
		out, end := []byte(nil), len(value)
		for i := 0; i < len(value) && end == len(value); i++ {
			switch c := value[i]; {
			case c == '\\' && i+1 < len(value):
				i++
				out = append(out, map[byte]byte{'n': '\n', 'r': '\r'}[value[i]])
				if out[len(out)-1] == 0 {
					out[len(out)-1] = value[i]
				}
			case c == '=':
				end = strings.LastIndexByte(value[:i], ' ')
				out = out[:len(out)-(i-end)]
			default:
				out = append(out, c)
			}
		}
		keys[key], rest = string(out), strings.TrimPrefix(value[end:], " ")
	}
	return header, keys, nil
}

// syslogClean is what becomes of text in a value.
func syslogClean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r != '\n' && r != '\r' && r < 0x20:
			return -1
		}
		return r
	}, s)
}

// sameMessage compares what arrived with what the event says. In what was cut
// the values are beginnings.
func sameMessage(t *testing.T, m syslogMessage, e *event.Event, short bool) {
	t.Helper()
	header, keys, err := syslogCEF(m.Msg)
	if err != nil {
		t.Fatalf("event %d: %v in %q", e.Seq, err, m.Msg)
	}
	severity := map[event.Severity][2]string{event.Info: {"166", "1"}, event.Low: {"165", "3"}, event.Medium: {"164", "5"}, event.High: {"162", "8"}}[e.Severity]
	oneLine := strings.NewReplacer("\r", " ", "\n", " ").Replace(syslogClean(e.Info))
	port := func(n uint16) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(int(n))
	}
	for what, pair := range map[string][2]string{"priority": {m.Pri, severity[0]}, "app": {m.App, "trailhound"}, "pid": {m.Pid, strconv.Itoa(os.Getpid())},
		"version": {header[2], "1.0.0"}, "code": {header[3], string(e.Code)}, "severity": {header[5], severity[1]},
		"rt": {keys["rt"], strconv.FormatInt(e.Time.UnixMilli(), 10)}, "src": {keys["src"], e.Src.String()}, "spt": {keys["spt"], port(e.SrcPort)},
		"dst": {keys["dst"], "2001:db8::1"}, "c6a3": {keys["c6a3"], "2001:db8::1"}, "dpt": {keys["dpt"], port(e.DstPort)}, "proto": {keys["proto"], e.Protocol},
		"externalId": {keys["externalId"], event.IDString(e.ID)}, "sensor": {keys["deviceExternalId"], "edge-1"}, "epoch": {keys["cn2"], "4711"},
		"sequence": {keys["cn3"], strconv.FormatUint(e.Seq, 10)}, "confidence": {keys["flexNumber1"], strconv.Itoa(int(e.Confidence))},
		"tenant": {keys["tenant"], "acme = 1"}, "method": {keys["requestMethod"], e.HTTP.Method}} {
		if pair[0] != pair[1] {
			t.Errorf("event %d: %s is %q, want %q", e.Seq, what, pair[0], pair[1])
		}
	}
	request := ""
	if e.HTTP.Host != "" {
		request = "http://" + e.HTTP.Host + syslogClean(e.HTTP.Target)
	}
	for what, pair := range map[string][2]string{"name": {header[4], oneLine}, "trail": {keys["cs1"], syslogClean(e.Trail)}, "forwarded": {keys["cs4"], syslogClean(e.Forwarded)},
		"agent": {keys["requestClientApplication"], syslogClean(e.HTTP.UserAgent)}, "request": {keys["request"], request}, "msg": {keys["msg"], syslogClean(e.Info)}} {
		want, most := pair[1], 1023
		switch what {
		case "name":
			most = 512
		case "trail", "forwarded":
			most = 4000
		}
		if r := []rune(want); len(r) > most {
			want = string(r[:most])
		}
		if pair[0] != want && !(short && strings.HasPrefix(want, pair[0])) {
			t.Errorf("event %d: %s is %q, want %q", e.Seq, what, pair[0], want)
		}
	}
}

func newSyslog(t *testing.T, k syslog.Keys) *syslog.Output {
	t.Helper()
	if k.Format != "json" {
		k.Extra = map[string]string{"tenant": "acme = 1"}
	}
	o, err := syslog.New(k, syslog.Env{Log: slog.New(slog.DiscardHandler), Identity: &event.Identity{Name: "edge-1", ID: "0198c3f2-a1b0-4c10-8000-000000000001",
		Hostname: "edge-host", Version: "1.0.0", Labels: map[string]string{"site": "berlin"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

// deliverSyslog sends events [from, to) as a delivery loop does: what was not
// taken is handed over again. After each batch it calls between.
func deliverSyslog(t *testing.T, o *syslog.Output, from, to, batch int, between func(sent int)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	list := make([]event.Event, 0, batch)
	for sent := from; sent < to; {
		list = list[:0]
		for n := sent; n < min(sent+batch, to); n++ {
			list = append(list, syslogEvent(n))
		}
		r, err := o.Send(ctx, list)
		taken := 0
		for taken < len(list) && r.Outcomes[taken] == outputs.Delivered {
			taken++
		}
		if err == nil && taken < len(list) {
			t.Fatalf("event %d: %v %q and no error", sent+taken, r.Outcomes[taken], r.Reasons[taken])
		}
		if ctx.Err() != nil {
			t.Fatalf("%d events were taken: %v", sent+taken, err)
		}
		if sent += taken; between != nil {
			between(sent)
		}
		if err != nil {
			time.Sleep(50 * time.Millisecond) // the pause of the delivery loop
		}
	}
}

// received checks that all events are there, in order where none came twice, and
// compares each with what was sent.
func (r *syslogReceiver) received(n, limit int) (twice int) {
	r.t.Helper()
	seen := make([]int, n)
	for i, m := range r.messages() {
		_, keys, err := syslogCEF(m.Msg)
		seq, bad := strconv.Atoi(keys["cn3"])
		if err != nil || bad != nil || seq < 1 || seq > n {
			r.t.Fatalf("message %d: %v in %q", i, err, m)
		}
		e := syslogEvent(seq - 1)
		if seen[seq-1]++; seen[seq-1] > 1 {
			twice++
			continue
		}
		sameMessage(r.t, m, &e, len(m.Msg) > limit-200)
		if r.t.Failed() {
			return twice
		}
	}
	missing := 0
	for _, times := range seen {
		if times == 0 {
			missing++
		}
	}
	if missing > 0 {
		r.t.Errorf("%d of %d events are missing", missing, n)
	}
	return twice
}

func TestSyslogReceivers(t *testing.T) {
	type way struct {
		port  string
		keys  syslog.Keys
		limit int
	}
	rsyslog := map[string]way{
		"tcp newline 3164": {"tcp", syslog.Keys{Address: "tcp"}, 8192},
		"tcp counted 5424": {"tcp", syslog.Keys{Address: "tcp", Framing: "octet-counting", RFC: "5424"}, 8192},
		"tls counted 5424": {"tls", syslog.Keys{Address: "tls"}, 8192},
		"udp go-syslog":    {"udp", syslog.Keys{Address: "udp"}, 1400},
		"udp 5424":         {"udp", syslog.Keys{Address: "udp", RFC: "5424"}, 1400},
	}
	ng := map[string]way{
		"tcp newline 3164": {"lines", syslog.Keys{Address: "tcp"}, 8192},
		"tcp counted 5424": {"tcp", syslog.Keys{Address: "tcp", Framing: "octet-counting", RFC: "5424"}, 8192},
		"tls counted 5424": {"tls", syslog.Keys{Address: "tls"}, 8192},
		"udp 5424":         {"udp", syslog.Keys{Address: "udp", RFC: "5424"}, 1400},
	}
	for name, list := range map[string]map[string]way{"rsyslog": rsyslog, "syslog-ng": ng} {
		for how, w := range list {
			t.Run(name+" "+how, func(t *testing.T) {
				start := startRsyslog
				if name != "rsyslog" {
					start = startSyslogNG
				}
				r := start(t)
				scheme := w.keys.Address
				w.keys.Address = scheme + "://" + r.address(w.port)
				if scheme == "tls" {
					w.keys.TLS = remote.TLSKeys{CA: filepath.Join(r.dir, "cert.pem")}
				}
				o := newSyslog(t, w.keys)
				if err := o.Check(t.Context()); err != nil {
					t.Fatal(err)
				}
				begin := time.Now()
				batch, between := 1000, func(int) {}
				if scheme == "udp" {
					// Nothing but the receiver itself says when its buffer is full.
					batch = 200
					between = func(sent int) { r.until("all datagrams arrive", func() bool { return r.count() >= sent }) }
				}
				deliverSyslog(t, o, 0, syslogEvents, batch, between)
				sent := time.Since(begin)
				if err := o.Close(); err != nil {
					t.Error(err)
				}
				r.until("all messages arrive", func() bool { return r.count() >= syslogEvents })
				t.Logf("%d events sent in %v, written in %v: %+v", syslogEvents, sent, time.Since(begin), o.Stats())
				if twice := r.received(syslogEvents, w.limit); twice > 0 {
					t.Errorf("%d events came twice", twice)
				}
				for _, m := range r.messages()[:10] {
					if want := "edge-host"; m.Host != want && w.keys.RFC+how != "udp go-syslog" || strings.HasSuffix(how, "5424") && !strings.HasPrefix(m.MsgID, "http.") && m.MsgID != "trail.ip" {
						t.Errorf("header of %+v", m)
					}
				}
				if s := o.Stats(); s.Events != syslogEvents || s.Rejected != 0 || (s.Truncated > 0) != (scheme == "udp") {
					t.Errorf("%+v", s)
				}
			})
		}
	}
}

// TestSyslogJSON: an ECS document comes through a syslog daemon as it was.
func TestSyslogJSON(t *testing.T) {
	r := startRsyslog(t)
	o := newSyslog(t, syslog.Keys{Address: "tcp://" + r.address("tcp"), Format: "json"})
	const n = 1000
	deliverSyslog(t, o, 0, n, 100, nil)
	o.Close()
	r.until("all messages arrive", func() bool { return r.count() >= n })
	for i, m := range r.messages() {
		var doc map[string]any
		d := json.NewDecoder(strings.NewReader(m.Msg))
		d.UseNumber()
		if err := d.Decode(&doc); err != nil {
			t.Fatal(err)
		}
		e := syslogEvent(i)
		for path, want := range map[string]any{"event.id": event.IDString(e.ID), "event.sequence": json.Number(strconv.Itoa(i + 1)), "trailhound.trail": e.Trail, "labels.site": "berlin"} {
			got := dig(doc, path)
			if text, ok := got.(string); ok && strings.HasSuffix(text, event.TruncatedMark) { // to fit into 8 KiB
				got = want
				if !strings.HasPrefix(want.(string), strings.TrimSuffix(text, event.TruncatedMark)) {
					got = text
				}
			}
			if got != want {
				t.Fatalf("event %d: %s is %v, want %v", i+1, path, got, want)
			}
		}
	}
}

// TestSyslogMaltrail: what reaches a collector is the reference's line.
func TestSyslogMaltrail(t *testing.T) {
	r := startRsyslog(t)
	o := newSyslog(t, syslog.Keys{Address: "udp://" + r.address("udp"), Profile: "standard"})
	o.Close()
	var err error
	if o, err = syslog.New(syslog.Keys{Address: "udp://" + r.address("udp"), Profile: "maltrail", TimeZone: "UTC"},
		syslog.Env{Identity: &event.Identity{Hostname: "edge-host"}, Trails: func() time.Time { return time.Unix(1771150000, 0) }}); err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	e := event.Event{Time: time.Unix(1771234571, 0), Type: event.IP, Code: event.TrailIP, Severity: event.Low, Trail: "198.51.100.9", Info: "bad reputation",
		Reference: "feed.test", Src: netip.MustParseAddr("192.0.2.12"), Dst: netip.MustParseAddr("198.51.100.9"), Protocol: "ICMP"}
	if _, err := o.Send(t.Context(), []event.Event{e}); err != nil {
		t.Fatal(err)
	}
	r.until("it arrives", func() bool { return r.count() == 1 })
	const want = "Feb 16 09:36:11 edge-host CEF:0|Maltrail|sensor|3.1.2|2026-02-15|bad reputation|0|src=192.0.2.12 spt=- dst=198.51.100.9 dpt=- trail=198.51.100.9 ref=feed.test"
	if m := r.messages()[0]; m.Raw != want || m.Host != "edge-host" {
		t.Errorf("got\n%s\nwant\n%s", m.Raw, want)
	}
}

// last is the sequence number of the event that was written last.
func (r *syslogReceiver) last() int {
	f, err := os.Open(filepath.Join(r.dir, "messages.out"))
	if err != nil {
		return 0
	}
	defer f.Close()
	end, _ := f.Seek(0, io.SeekEnd)
	b := make([]byte, 64<<10)
	n, _ := f.ReadAt(b, max(end-int64(len(b)), 0))
	_, after, _ := bytes.Cut(b[max(bytes.LastIndex(b[:n], []byte(" cn3=")), 0):n], []byte(" cn3="))
	digits, _, _ := bytes.Cut(after, []byte(" "))
	seq, _ := strconv.Atoi(string(digits))
	return seq
}

// TestSyslogRestarts: the receiver is ended and killed while events are sent;
// none is missing, and those that came twice are counted as sent again. What it
// had read and not yet written is lost to it, so it must not be further behind
// than what is sent again; max_rate sees to that otherwise.
func TestSyslogRestarts(t *testing.T) {
	for _, scheme := range []string{"tcp", "tls"} {
		t.Run(scheme, func(t *testing.T) {
			r := startRsyslog(t)
			k := syslog.Keys{Address: scheme + "://" + r.address(scheme)}
			if scheme == "tls" {
				k.TLS.CA = filepath.Join(r.dir, "cert.pem")
			}
			o := newSyslog(t, k)
			next := syslogEvents / 5
			signals := []os.Signal{syscall.SIGTERM, syscall.SIGKILL, syscall.SIGTERM, syscall.SIGKILL}
			deliverSyslog(t, o, 0, syslogEvents, 200, func(sent int) {
				r.until("it keeps up", func() bool { return r.last() >= sent-2000 })
				if len(signals) > 0 && sent >= next {
					r.stop(signals[0])
					r.start()
					signals, next = signals[1:], next+syslogEvents/5
				}
			})
			if err := o.Close(); err != nil {
				t.Error(err)
			}
			s := o.Stats()
			r.until("nothing more arrives", func() bool {
				n := r.count()
				time.Sleep(500 * time.Millisecond)
				return n >= syslogEvents && n == r.count()
			})
			twice := r.received(syslogEvents, 8192)
			t.Logf("%d came twice: %+v", twice, s)
			if s.Resent < uint64(twice) || s.Losses == 0 {
				t.Errorf("%d came twice: %+v", twice, s)
			}
		})
	}
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
	if _, err := o.Send(t.Context(), []event.Event{syslogEvent(1)}); err != nil {
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
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			io.Copy(io.Discard, c)
			c.Close()
		}
	}()
	list := make([]event.Event, 1000)
	for i := range list {
		list[i] = syslogEvent(i)
	}
	const rounds = 50
	for name, address := range map[string]string{"rsyslog": r.address("tcp"), "null": l.Addr().String()} {
		o := newSyslog(t, syslog.Keys{Address: "tcp://" + address})
		begin := time.Now()
		for range rounds {
			if _, err := o.Send(t.Context(), list); err != nil {
				t.Fatal(err)
			}
		}
		o.Close()
		if name == "rsyslog" {
			r.until("all messages arrive", func() bool { return r.count() >= rounds*len(list) })
		}
		took := time.Since(begin)
		t.Logf("%s: %.0f events/s, %.0f MB/s", name, float64(rounds*len(list))/took.Seconds(), float64(o.Stats().Bytes)/1e6/took.Seconds())
	}
}

package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"hash/maphash"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	lumber "github.com/elastic/go-lumber/server/v2"

	"trailhound/tests/corpus"
)

// buildTrailhound builds the program.
func buildTrailhound(t testing.TB) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "trailhound")
	cmd := exec.Command("go", "build", "-o", path, "./cmd/trailhound")
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// listedCapture writes a capture in which each packet raises one event for
// evil.example: questions, and requests with what an attacker might ask for.
func listedCapture(t testing.TB, path string, events int) {
	t.Helper()
	targets := []string{"plain", `say="hi"&b='x'`, "p|q=r", `back\slash`, "\xff\xfe\x80", "\x00\x1b[31m", "ü日本", "CEF:0|x|", "<13>1", `{"create":{}}`, strings.Repeat("long/", 300)}
	frames := make([]corpus.Stamped, events)
	for i := range frames {
		src := fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)
		port := uint16(1024 + i%60000)
		p := corpus.IP(src, "198.51.100.53", corpus.UDP(port, 53, corpus.Query(corpus.Ask(fmt.Sprintf("x%d.evil.example", i)))))
		if i%4 == 3 {
			p = corpus.IP(src, "198.51.100.80", corpus.Data(port, 80, corpus.Get("h.evil.example", fmt.Sprintf("/%s/%d", targets[i/4%len(targets)], i), "User-Agent: "+targets[i/4%len(targets)])))
		}
		frames[i] = corpus.At(i, p.Ethernet())
	}
	if err := os.WriteFile(path, corpus.Pcap(frames), 0o600); err != nil {
		t.Fatal(err)
	}
}

// documents are ECS documents by their sequence numbers, each as a hash of its
// text.
type documents struct {
	seed maphash.Seed
	all  map[uint64]uint64
}

// numberOf finds event.sequence in the text of a document.
func numberOf(doc []byte) (n uint64) {
	_, rest, _ := bytes.Cut(doc, []byte(`"sequence":`))
	digits, _, _ := bytes.Cut(rest, []byte("}"))
	n, _ = strconv.ParseUint(string(digits), 10, 64)
	return n
}

func (d *documents) put(doc []byte) { d.all[numberOf(doc)] = maphash.Bytes(d.seed, doc) }

// arrivals checks what one receiver got.
type documentArrivals struct {
	t    testing.TB
	name string
	want *documents
	mu   sync.Mutex
	seen times
}

// take wants the text as the journal exports it. Nil, false: the first few
// faults are enough.
func (a *documentArrivals) take(doc []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := numberOf(doc)
	if a.seen == nil {
		a.seen = make(times)
	}
	if a.seen[n]++; a.want.all[n] != maphash.Bytes(a.want.seed, doc) && !a.t.Failed() {
		a.t.Errorf("%s: not as the journal has it: %s", a.name, doc)
	}
}

func (a *documentArrivals) check(last int) {
	a.t.Helper()
	if twice := a.seen.check(a.t, last); twice > 0 || a.t.Failed() {
		a.t.Errorf("%s: %d of %d arrived, %d twice", a.name, len(a.seen), last, twice)
	}
}

// TestReplayDeliversEverything: the program itself reads a capture of 100,000
// events and delivers them to real receivers over TCP, TLS and Lumberjack, to a
// file and to its standard output. Each gets each event once, byte for byte as
// journal export shows it.
func TestReplayDeliversEverything(t *testing.T) {
	const events = everything
	syslog, lines := startRsyslog(t), startJSONReceiver(t)
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	program := buildTrailhound(t)
	listedCapture(t, path("listed.pcap"), events)
	beats, address := rawLumber(t)
	for name, text := range map[string]string{
		"trails.csv": "evil.example,test (malware),(static)\n",
		"config.yaml": fmt.Sprintf(`state: %[1]s
sensor: {name: edge-1, labels: {site: berlin}}
outputs:
  - {name: file, type: csv, path: %[1]s/events.csv, daily: false, max_size: 1GiB}
  - {name: console, type: stdout, format: json}
  - {name: tcp, type: syslog, address: "tcp://%[2]s", format: json, app_name: overtcp}
  - {name: tls, type: syslog, address: "tls://%[3]s", format: json, app_name: overtls, tls: {ca: %[4]s}}
  - {name: lines, type: logstash, addresses: ["%[5]s"]}
  - {name: beats, type: logstash, protocol: lumberjack, addresses: ["%[6]s"]}
`, dir, syslog.address("tcp"), syslog.address("tls"), syslog.certificate(), lines.address("tcp"), address)} {
		if err := os.WriteFile(path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(to string, args ...string) {
		t.Helper()
		out, err := os.Create(path(to))
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		cmd := exec.Command(program, append(args, "-c", path("config.yaml"))...)
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = out, &said
		begin := time.Now()
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, said.Bytes())
		}
		t.Logf("%s: %v\n%s", strings.Join(args[:2], " "), time.Since(begin).Round(time.Millisecond), said.Bytes())
	}
	run("console.json", "replay", "--deliver", "--every", "--whitelist", "none", "--trails", path("trails.csv"), "--journal", path("journal"), path("listed.pcap"))
	run("export.json", "journal", "export", "--journal", path("journal"), "--format", "json")
	run("export.csv", "journal", "export", "--journal", path("journal"), "--format", "csv")

	want := &documents{seed: maphash.MakeSeed(), all: make(map[uint64]uint64)}
	eachLine(t, path("export.json"), func(line []byte) bool { want.put(line); return true })
	if len(want.all) != events || want.all[0] != 0 {
		t.Fatalf("the journal has %d events", len(want.all))
	}
	to := func(name string) *documentArrivals { return &documentArrivals{t: t, name: name, want: want} }

	console := to("console")
	eachLine(t, path("console.json"), func(line []byte) bool { console.take(line); return !t.Failed() })
	console.check(events)

	overtcp, overtls := to("tcp"), to("tls")
	syslog.until("all messages arrive", func() bool { return syslog.written() >= 2*events })
	syslog.eachMessage(func(m *syslogMessage) bool {
		over := overtcp
		if m.App == "overtls" {
			over = overtls
		}
		over.take([]byte(strings.TrimPrefix(m.Msg, " ")))
		return !t.Failed()
	})
	overtcp.check(events)
	overtls.check(events)

	// Logstash's own version stands in front of the rest of the document.
	plain := func(line []byte) []byte { return bytes.Replace(line, []byte(`{"@version":"1",`), []byte(`{`), 1) }
	ndjson := to("lines")
	lines.until("all lines arrive", func() bool { return lines.written() >= events })
	eachLine(t, lines.lines.path, func(line []byte) bool { ndjson.take(plain(line)); return !t.Failed() })
	ndjson.check(events)

	acknowledged := to("beats")
	for _, doc := range beats() {
		acknowledged.take(plain(doc))
	}
	acknowledged.check(events)
	sameFile(t, path("events.csv"), path("export.csv"))
}

// rawLumber is a Lumberjack server that keeps the text of each event. What it
// returns ends it.
func rawLumber(t testing.TB) (end func() [][]byte, address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv, err := lumber.NewWithListener(l, lumber.JSONDecoder(func(text []byte, to any) error {
		*to.(*any) = bytes.Clone(text)
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	var docs [][]byte
	var reads sync.WaitGroup
	reads.Go(func() {
		for batch := range srv.ReceiveChan() {
			for _, e := range batch.Events {
				docs = append(docs, e.([]byte))
			}
			batch.ACK()
		}
	})
	stop := sync.OnceFunc(func() { srv.Close(); reads.Wait() })
	t.Cleanup(stop)
	return func() [][]byte { stop(); return docs }, l.Addr().String()
}

// sameFile wants two files to have the same lines.
func sameFile(t testing.TB, got, want string) {
	t.Helper()
	var in [2]*bufio.Reader
	for i, path := range []string{got, want} {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		in[i] = bufio.NewReaderSize(f, 1<<20)
	}
	for n := 1; ; n++ {
		a, err := in[0].ReadBytes('\n')
		b, errB := in[1].ReadBytes('\n')
		if !bytes.Equal(a, b) || err != errB {
			t.Fatalf("%s, line %d: %v %q, want %v %q", got, n, err, a, errB, b)
		}
		if err == io.EOF {
			return
		}
	}
}

package live

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"trailhound/agent/status"
)

// patience is how long anything may take that should take a moment. It decides
// only when a test gives up, never whether what came is right.
const patience = 60 * time.Second

// setup is how a sensor is started.
type setup struct {
	interfaces string // as in the configuration: [v0]
	table      string
	workers    int
	extra      string   // YAML that is added to the configuration
	by         []string // a program, with arguments, that starts the sensor
	env        []string // added to the environment
	json       bool     // events are JSON, and kept as lines
	deaf       bool     // nobody reads the events until hear
}

// write writes the configuration below dir.
func (c setup) write(t testing.TB, dir string) (path string) {
	t.Helper()
	text := fmt.Sprintf(`
capture: {interfaces: %s, workers: %d, ring_total: 64MiB, snaplen: 66KiB, silence: off}
trails: {table: %q, builtin_whitelist: false, max_age: 0s}
detection: {missing_host: true}
suppress: {aggregate: 0s}
outputs: [{name: console, type: stdout, format: %s}]
health: {canary: 0s}
status: {listen: "unix:%s/status"}
log: {format: json}
state: %q
`, c.interfaces, max(c.workers, 1), c.table, map[bool]string{false: "csv", true: "json"}[c.json], dir, filepath.Join(dir, "state"))
	path = filepath.Join(dir, "trailhound.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(dir, "conf.d")
	if err := os.MkdirAll(conf, 0o700); err != nil {
		t.Fatal(err)
	}
	if c.extra != "" {
		if err := os.WriteFile(filepath.Join(conf, "extra.yaml"), []byte(c.extra), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// A sensor is the running program.
type sensor struct {
	t     testing.TB
	dir   string
	pid   int
	http  http.Client
	began time.Time
	ready time.Duration // until it said so

	hear   func()        // begins to read the events
	heard  chan struct{} // closed by hear
	exited chan struct{} // closed when it has ended and all it wrote is read
	err    error         // then: of its end

	mu     sync.Mutex
	told   []string  // by sd_notify
	log    []entry   // of standard error
	events []finding // of standard output
	lines  []string  // of it, when it is no CSV
}

// entry is a line of the log.
type entry struct {
	Message     string `json:"msg"`
	Level       string
	Error       string
	Packets     uint64
	KernelDrops uint64 `json:"kernel_drops"`
	Events      uint64
	QueueDrops  uint64 `json:"queue_drops"`
	Passed      uint64
	text        string
}

// start starts the sensor in the namespace and waits until it is ready.
func start(s *space, c setup) *sensor {
	s.t.Helper()
	dir, err := os.MkdirTemp("", "thtl-")
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { os.RemoveAll(dir) })
	r := &sensor{t: s.t, dir: dir, heard: make(chan struct{}), exited: make(chan struct{})}
	r.hear = sync.OnceFunc(func() { close(r.heard) })
	if !c.deaf {
		r.hear()
	}
	r.http.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(dir, "status"))
	}}
	config := c.write(s.t, dir)
	said, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { said.Close() })
	go r.listen(said)

	args := append(slices.Clone(c.by), program, "run", "-c", config, "--user", "")
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), append(c.env, "NOTIFY_SOCKET="+filepath.Join(dir, "notify"))...)
	read := r.readEvents
	if c.json {
		read = r.readLines
	}
	if err := r.launch(s, cmd, read); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(r.kill)
	r.until("it is ready", func() bool { return r.readies() > 0 })
	return r
}

// launch starts the program on a thread that stays until the program has ended,
// so that it does not outlive the tests.
func (r *sensor) launch(s *space, cmd *exec.Cmd, read func(io.Reader)) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	text, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	started := make(chan error)
	go func() {
		err := s.Join()
		r.began = time.Now()
		if err == nil {
			err = cmd.Start()
		}
		if err == nil {
			r.pid = cmd.Process.Pid
		}
		started <- err
		if err != nil {
			return
		}
		var reading sync.WaitGroup
		reading.Go(func() { <-r.heard; read(out) })
		reading.Go(func() { r.readLog(text) })
		reading.Wait()
		r.err = cmd.Wait()
		close(r.exited)
	}()
	return <-started
}

func (r *sensor) listen(from *net.UnixConn) {
	b := make([]byte, 4096)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		r.mu.Lock()
		for line := range strings.Lines(string(b[:n])) {
			line = strings.TrimSpace(line)
			if line == "READY=1" && r.ready == 0 {
				r.ready = time.Since(r.began)
			}
			r.told = append(r.told, line)
		}
		r.mu.Unlock()
	}
}

// readies is how often it said that it is ready: at the start, and after each
// reload.
func (r *sensor) readies() int { return r.tells("READY=1") }

// tells is how often it told the service manager something.
func (r *sensor) tells(what string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, line := range r.told {
		if line == what {
			n++
		}
	}
	return n
}

func (r *sensor) readLog(from io.Reader) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		e := entry{text: lines.Text()}
		_ = json.Unmarshal(lines.Bytes(), &e) // a crash is no JSON
		r.mu.Lock()
		r.log = append(r.log, e)
		r.mu.Unlock()
	}
}

func (r *sensor) readEvents(from io.Reader) {
	err := readCSV(from, func(f finding) {
		r.mu.Lock()
		r.events = append(r.events, f)
		r.mu.Unlock()
	})
	if err != nil {
		r.t.Errorf("the sensor's events: %v", err)
	}
	io.Copy(io.Discard, from)
}

func (r *sensor) readLines(from io.Reader) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		r.mu.Lock()
		r.lines = append(r.lines, lines.Text())
		r.mu.Unlock()
	}
}

// finding is an event as the CSV output writes it.
type finding struct {
	src, srcPort, dst, dstPort, protocol, typ, trail, info, reference string
	code, iface, vlan, state                                          string
}

// key is what live and replay must agree in.
func (f *finding) key() string {
	return fmt.Sprintf("%s %s > %s %s vlan %q %s %s %s | %s | %s", f.src, f.srcPort, f.dst, f.dstPort, f.vlan, f.protocol, f.typ, f.trail, f.info, f.reference)
}

// readCSV reads detections and health events until the end. Follow-ups, which stand
// for no detection, it leaves out.
func readCSV(from io.Reader, take func(finding)) error {
	in := csv.NewReader(from)
	in.ReuseRecord = true
	head, err := in.Read()
	if err == io.EOF {
		return nil
	}
	if err != nil {
		return err
	}
	column := make(map[string]int)
	for i, name := range head {
		column[name] = i
	}
	var f finding
	fields := map[string]*string{"src_ip": &f.src, "src_port": &f.srcPort, "dst_ip": &f.dst, "dst_port": &f.dstPort, "protocol": &f.protocol, "type": &f.typ,
		"trail": &f.trail, "info": &f.info, "reference": &f.reference, "code": &f.code, "interface": &f.iface, "vlan": &f.vlan, "health_state": &f.state}
	for name := range fields {
		if _, ok := column[name]; !ok {
			return fmt.Errorf("no column %q in %q", name, head)
		}
	}
	for {
		record, err := in.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if at, ok := column["count"]; ok && record[at] == "0" {
			continue
		}
		for name, to := range fields {
			*to = strings.Clone(record[column[name]])
		}
		take(f)
	}
}

// found gives the events so far whose code begins with a prefix.
func (r *sensor) found(code string) []finding {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.events), func(f finding) bool { return !strings.HasPrefix(f.code, code) })
}

// logged gives the log's lines with a message.
func (r *sensor) logged(message string) (list []entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.log {
		if e.Message == message {
			list = append(list, e)
		}
	}
	return list
}

// until waits for a state of the sensor. It must not end before.
func (r *sensor) until(what string, ok func() bool) {
	r.t.Helper()
	for late := time.Now().Add(patience); !ok(); {
		select {
		case <-r.exited:
			r.t.Fatalf("the sensor ended (%v) before %s\n%s", r.err, what, r.tail())
		case <-time.After(5 * time.Millisecond): // a look at a state that nobody announces
		}
		if time.Now().After(late) {
			r.t.Fatalf("it never came to be that %s\n%s", what, r.tail())
		}
	}
}

// tailLines is how much of the log a failure shows.
const tailLines = 100

// tail is the end of the log.
func (r *sensor) tail() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	for _, e := range r.log[max(0, len(r.log)-tailLines):] {
		b.WriteString(e.text + "\n")
	}
	return b.String()
}

// status asks the endpoint.
func (r *sensor) status() (s status.Snapshot) {
	r.t.Helper()
	answer, err := r.http.Get("http://localhost/status")
	if err != nil {
		r.t.Fatalf("status: %v\n%s", err, r.tail())
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&s); err != nil || answer.StatusCode != http.StatusOK {
		r.t.Fatalf("status: %s, %v", answer.Status, err)
	}
	return s
}

// reckoned is what became of frames.
func reckoned(s *status.Snapshot) (seen, dropped, skipped uint64) {
	for i := range s.Capture.Interfaces {
		seen += s.Capture.Interfaces[i].Packets
		skipped += s.Capture.Interfaces[i].Skipped
	}
	for i := range s.Capture.Rings {
		dropped += s.Capture.Rings[i].KernelDrops
	}
	return seen, dropped, skipped
}

// account waits until status knows of all frames that were sent, and says when
// they are more.
func (r *sensor) account(sent uint64) (s status.Snapshot) {
	r.t.Helper()
	r.until(fmt.Sprintf("%d frames are accounted for", sent), func() bool {
		s = r.status()
		seen, dropped, _ := reckoned(&s)
		if r.pausing(); seen+dropped > sent {
			r.t.Fatalf("%d frames seen and %d dropped of %d", seen, dropped, sent)
		}
		return seen+dropped == sent && s.Detection.Packets == seen // which is told a batch later
	})
	return s
}

// pausing keeps from asking for a page that is the same for a while.
func (r *sensor) pausing() { time.Sleep(20 * time.Millisecond) }

// end ends the sensor by SIGTERM and gives its last words. It must leave with 0,
// with all frames accounted for.
func (r *sensor) end(sent uint64) entry {
	r.t.Helper()
	r.signal(syscall.SIGTERM)
	last := r.leave()
	if last.Packets+last.KernelDrops != sent || last.QueueDrops != 0 {
		r.t.Errorf("%d frames sent, %d seen, %d dropped by the kernel; %d events dropped", sent, last.Packets, last.KernelDrops, last.QueueDrops)
	}
	return last
}

// leave waits for the end, which must be in order, and gives the last words.
func (r *sensor) leave() entry {
	r.t.Helper()
	select {
	case <-r.exited:
	case <-time.After(patience):
		r.t.Fatalf("the sensor does not end\n%s", r.tail())
	}
	if r.err != nil {
		r.t.Fatalf("the sensor ended with %v\n%s", r.err, r.tail())
	}
	last := r.logged("ended")
	if len(last) != 1 {
		r.t.Fatalf("no last words\n%s", r.tail())
	}
	return last[0]
}

func (r *sensor) signal(s syscall.Signal) {
	r.t.Helper()
	if err := syscall.Kill(r.pid, s); err != nil {
		r.t.Fatal(err)
	}
}

func (r *sensor) kill() {
	r.hear()
	select {
	case <-r.exited:
	default:
		syscall.Kill(r.pid, syscall.SIGKILL)
		<-r.exited
	}
	if r.t.Failed() {
		r.t.Logf("the sensor's log:\n%s", r.tail())
	}
}

// command runs the program to its end, with cmd prepared on the thread that
// starts it.
func command(s *space, prepare func() error, args ...string) (code int, out, text string) {
	s.t.Helper()
	var stdout, stderr strings.Builder
	err := s.Inside(func() error {
		if prepare != nil {
			if err := prepare(); err != nil {
				return err
			}
		}
		cmd := exec.Command(program, args...)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			code, err = exit.ExitCode(), nil
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return code, stdout.String(), stderr.String()
}

package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"trailhound/outputs/dead"
	"trailhound/outputs/journal"
	"trailhound/tests/corpus"
)

// jsonSink takes JSON lines over TCP.
type jsonSink struct {
	t        *testing.T
	listener net.Listener
	limit    int // connections are closed after so many lines; 0: never

	mu    sync.Mutex
	lines []string
}

func newJSONSink(t *testing.T, limit int) *jsonSink {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &jsonSink{t: t, listener: l, limit: limit}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { s.read(c) })
		}
	})
	t.Cleanup(func() { l.Close(); all.Wait() })
	return s
}

func (s *jsonSink) read(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	for n := 0; s.limit == 0 || n < s.limit; n++ {
		line, err := in.ReadString('\n')
		if err != nil {
			return // a line that was cut off counts as none
		}
		s.mu.Lock()
		s.lines = append(s.lines, line)
		s.mu.Unlock()
	}
}

// ids gives the events that came, and how often each.
func (s *jsonSink) ids() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := make(map[string]int)
	for _, line := range s.lines {
		var v struct {
			Event struct{ ID string }
		}
		if err := json.Unmarshal([]byte(line), &v); err != nil || v.Event.ID == "" {
			s.t.Errorf("%v: %s", err, line)
		}
		ids[v.Event.ID]++
	}
	return ids
}

// configure writes the outputs of the configuration.
func (r *replayed) configure(t *testing.T, outputs string) {
	t.Helper()
	writeTest(t, filepath.Join(r.dir, "config.yaml"), fmt.Sprintf("state: %s\nlog: {format: text}\noutputs:\n%s", r.dir, outputs))
}

// temporary has temporary directories made in a directory, and lists it.
func temporary(t *testing.T) (list func() []string) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	return func() []string {
		all, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
}

func rowsOf(t *testing.T, path string) (ids []string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) == 0 {
		t.Fatal(err, len(rows))
	}
	at := slices.Index(rows[0], "event_id")
	for _, row := range rows[1:] {
		ids = append(ids, row[at])
	}
	return ids
}

// Every output gets every event, the same ones each time; nothing is left behind.
func TestReplayDelivers(t *testing.T) {
	r, left := newReplayed(t), temporary(t)
	const events = 250
	file := r.capture(t, "a.pcap", events)
	sink := newJSONSink(t, 0)
	rows := filepath.Join(r.dir, "events.csv")
	r.configure(t, fmt.Sprintf("  - {name: local, type: csv, path: %s}\n  - {name: tcp, type: logstash, addresses: [\"%s\"], max_rate: 10}\n"+
		"  - {name: few, type: csv, path: %s.few, filter: {severity: high, codes: [scan.*]}}\n", rows, sink.listener.Addr(), rows))
	code, out, errs := r.run(t, "--every", "--deliver", file)
	if code != exitDone || out != "" {
		t.Fatalf("code %d\n%s%s", code, out, errs)
	}
	for _, want := range []string{
		fmt.Sprintf("output    local: %d delivered (acknowledged), 0 rejected, 0 filtered, 0 pending, ", events),
		fmt.Sprintf("output    tcp: %d delivered (sent), 0 rejected, 0 filtered, 0 pending, ", events),
		fmt.Sprintf("output    few: 0 delivered (acknowledged), 0 rejected, %d filtered, 0 pending", events),
		" events/s\n",
	} {
		if !strings.Contains(errs, want) {
			t.Errorf("no %q in\n%s", want, errs)
		}
	}
	if strings.Contains(errs, "\x1b") || strings.Contains(errs, "\r") {
		t.Errorf("%q", errs)
	}
	ids := rowsOf(t, rows)
	eventually(t, func() string { return fmt.Sprint(len(sink.ids())) }, func() bool { return len(sink.ids()) == events })
	if len(ids) != events || len(slices.Compact(slices.Sorted(slices.Values(ids)))) != events {
		t.Errorf("%d rows", len(ids))
	}
	for _, id := range ids {
		if sink.ids()[id] != 1 {
			t.Errorf("%s came %d times", id, sink.ids()[id])
		}
	}
	if l := left(); len(l) > 0 {
		t.Errorf("left behind: %v", l)
	}
	// Again, to one of them: the same ids.
	if code, out, errs := r.run(t, "-q", "--every", "--deliver", "--to", "local", file); code != exitDone || out != "" || errs != "" {
		t.Fatalf("code %d\n%s%s", code, out, errs)
	}
	if again := rowsOf(t, rows); !slices.Equal(again[events:], ids) {
		t.Error("other ids the second time")
	}
	if len(sink.ids()) != events {
		t.Error("--to is not heeded")
	}
}

// A receiver that is away: the others get all, the journal stays and is named,
// and a later run delivers the rest from it without the captures.
func TestReplayDeliversTheRestLater(t *testing.T) {
	for _, named := range []bool{false, true} {
		r, left := newReplayed(t), temporary(t)
		file := r.capture(t, "a.pcap", 50)
		rows, there := filepath.Join(r.dir, "events.csv"), filepath.Join(r.dir, "away")
		writeTest(t, there, "") // no directory can be made where a file is
		r.configure(t, fmt.Sprintf("  - {name: local, type: csv, path: %s}\n  - {name: gone, type: csv, path: %s/events.csv}\n", rows, there))
		args := []string{"--every", "--deliver", "--wait", "100ms"}
		dir := filepath.Join(r.dir, "kept")
		if named {
			args = append(args, "--journal", dir)
		}
		code, out, errs := r.run(t, append(args, file)...)
		if !named {
			l := left()
			if len(l) != 1 {
				t.Fatalf("left: %v\n%s", l, errs)
			}
			dir = l[0]
		}
		for _, want := range []string{"local: 50 delivered", "gone: 0 delivered (acknowledged), 0 rejected, 0 filtered, 50 pending",
			fmt.Sprintf("the journal stays in %q", dir), "gone lacks 50 events: replay --deliver --journal " + dir + " -c " + r.dir + "/config.yaml goes on"} {
			if !strings.Contains(errs, want) {
				t.Errorf("no %q in\n%s", want, errs)
			}
		}
		if code != exitFailed || out != "" || len(rowsOf(t, rows)) != 50 {
			t.Errorf("code %d, %s", code, out)
		}
		if err := os.Remove(there); err != nil {
			t.Fatal(err)
		}
		code, _, errs = r.run(t, "--deliver", "--journal", dir)
		if code != exitDone || !strings.Contains(errs, "gone: 50 delivered") || !strings.Contains(errs, "local: 0 delivered") {
			t.Errorf("code %d\n%s", code, errs)
		}
		if len(rowsOf(t, rows)) != 50 || len(rowsOf(t, filepath.Join(there, "events.csv"))) != 50 {
			t.Error("not each event once")
		}
		v, err := journal.OpenReadOnly(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range v.Cursors() {
			if c.Delivered != 50 || c.Pending != 0 || c.LastSeq != 50 {
				t.Errorf("%+v", c)
			}
		}
		code, out, _ = trailsRun(t, r.dir, "journal", "stat", "--journal", dir)
		if code != exitDone || strings.Count(out, "50      0         50") != 2 {
			t.Errorf("stat: code %d\n%s", code, out)
		}
	}
}

// What an output finds out at its end, when all is counted as delivered, is not
// promised to come from the journal.
func TestReplayDeliverToADeafReceiver(t *testing.T) {
	r, left := newReplayed(t), temporary(t)
	file := r.capture(t, "a.pcap", 200)
	small := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		if failed := c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) }); failed != nil {
			return failed
		}
		return err
	}}
	l, err := small.Listen(t.Context(), "tcp", "127.0.0.1:0") // its kernel takes a connection, and nobody reads
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r.configure(t, fmt.Sprintf("  - {name: deaf, type: syslog, address: \"tcp://%s\"}\n", l.Addr()))
	code, _, errs := r.run(t, "--every", "--deliver", file)
	dirs := left()
	if len(dirs) != 1 || code != exitFailed || !strings.Contains(errs, "deaf: 200 delivered") || strings.Contains(errs, "not everything was delivered") ||
		!strings.Contains(errs, "output deaf: the last records may not have arrived: the receiver has not acknowledged them\n"+
			"trailhound: the journal in \""+dirs[0]+"\" counts all as delivered: replay the captures again to send what may be missing\n") {
		t.Errorf("left %v, code %d\n%s", dirs, code, errs)
	}
}

// More events than the journal holds wait for the slowest output, and none is
// given up.
func TestReplayDeliverIsHeldUpByTheJournal(t *testing.T) {
	r, left := newReplayed(t), temporary(t)
	const n = 15000 // about 4 MiB in the journal
	var frames []corpus.Stamped
	for i := range n {
		p := corpus.IP(fmt.Sprintf("10.0.%d.%d", i/250, i%250), "8.8.8.8", corpus.UDP(50000, 53, corpus.Query(corpus.Ask("www.evil.example"))))
		frames = append(frames, corpus.At(i, p.Ethernet()))
	}
	file := writeTest(t, filepath.Join(r.dir, "a.pcap"), string(corpus.Pcap(frames)))
	rows := filepath.Join(r.dir, "events.csv")
	r.configure(t, fmt.Sprintf("  - {name: slow, type: csv, path: %s, batch: 20}\n", rows))
	code, _, errs := r.run(t, "--every", "--deliver", "--set", "journal.max_size=1MiB", file)
	if code != exitDone || !strings.Contains(errs, "slow: 15000 delivered (acknowledged), 0 rejected, 0 filtered, 0 pending") {
		t.Errorf("code %d\n%s", code, errs)
	}
	if got := len(rowsOf(t, rows)); got != n {
		t.Errorf("%d rows", got)
	}
	if l := left(); len(l) > 0 {
		t.Errorf("left: %v", l)
	}
	// An output that takes nothing does not hold up the others for ever.
	writeTest(t, filepath.Join(r.dir, "away"), "")
	os.Remove(rows)
	r.configure(t, fmt.Sprintf("  - {name: good, type: csv, path: %s}\n  - {name: gone, type: csv, path: %s/away/x.csv}\n", rows, r.dir))
	code, _, errs = r.run(t, "--every", "--deliver", "--wait", "2s", "--set", "journal.max_size=1MiB", file)
	if code != exitFailed || !strings.Contains(errs, "good: 15000 delivered") || !strings.Contains(errs, "output gone has taken nothing for 2s") || !strings.Contains(errs, " given up") {
		t.Errorf("code %d\n%s", code, errs)
	}
}

func TestReplayDeliverUsage(t *testing.T) {
	r, left := newReplayed(t), temporary(t)
	file := r.capture(t, "a.pcap", 1)
	r.configure(t, "  - {name: local, type: csv, path: /nowhere/x.csv}\n")
	own := journal.Open(journal.Options{Path: filepath.Join(r.dir, "journal"), MinFree: -1, MaxSize: 1 << 20})
	defer own.Close()
	other := journal.Open(journal.Options{Path: filepath.Join(r.dir, "other"), MinFree: -1, MaxSize: 1 << 20})
	defer other.Close()
	empty := t.TempDir()
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"--to local " + file, exitUsage, "--to needs --deliver"},
		{"--wait 1s " + file, exitUsage, "--wait needs --deliver"},
		{"--journal x " + file, exitUsage, "--journal needs --deliver"},
		{"--deliver --format csv " + file, exitUsage, "leave --format out"},
		{"--deliver -o x " + file, exitUsage, "leave --output out"},
		{"--deliver --wait -1s " + file, exitUsage, "is no time to wait"},
		{"--deliver --to nobody " + file, exitUsage, `there is no output "nobody": use one of local`},
		{"--deliver", exitUsage, "no capture is named"},
		{"--deliver --set outputs=[] " + file, exitFailed, "no output is configured"},
		{"--deliver --journal " + r.dir + "/journal " + file, exitUsage, "is the sensor's own journal"},
		{"--deliver --journal " + r.dir + "/other " + file, exitFailed, "another process has this journal"},
		{"--deliver --journal " + file + " " + file, exitFailed, "cannot keep the journal"},
		{"--deliver --journal " + r.dir + "/typo", exitFailed, "there is no journal in \"" + r.dir + "/typo\", and no capture is named"},
		{"--deliver --journal " + empty, exitFailed, "there is no journal in"},
		{"--deliver --journal " + r.dir + " " + file, exitFailed, "there are other files, such as "},
		{"--deliver --journal " + r.dir, exitFailed, "there are other files, such as "},
	} {
		code, out, errs := r.run(t, strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(errs, c.want) || out != "" {
			t.Errorf("%s: code %d, want %d with %q\n%s%s", c.args, code, c.code, c.want, errs, out)
		}
	}
	if l := left(); len(l) > 0 {
		t.Errorf("left: %v", l)
	}
	if _, err := os.Stat(filepath.Join(r.dir, "typo")); err == nil {
		t.Error("a directory was made")
	}
	if list, err := os.ReadDir(empty); err != nil || len(list) > 0 {
		t.Errorf("made in the empty directory: %v %v", list, err)
	}
}

func TestWord(t *testing.T) {
	for text, want := range map[string]string{"/var/lib/x-1.yaml": "/var/lib/x-1.yaml", "": "''", "a b": "'a b'", "it's": `'it'\''s'`, "outputs=[]": "'outputs=[]'"} {
		if got := word(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// What is refused for good makes the exit code 1, and can be read.
func TestReplayDeliverRejected(t *testing.T) {
	r, left := newReplayed(t), temporary(t)
	sink := newRefuser(t)
	file := r.capture(t, "a.pcap", 20)
	r.configure(t, fmt.Sprintf("  - {name: es, type: elasticsearch, addresses: [\"%s\"], flavor: elasticsearch}\n", sink))
	code, _, errs := r.run(t, "--every", "--deliver", file)
	l := left()
	if code != exitFailed || len(l) != 1 || !strings.Contains(errs, "es: 18 delivered (acknowledged), 2 rejected, 0 filtered, 0 pending") ||
		!strings.Contains(errs, "es was refused 2 events: journal export --journal "+l[0]+" -c "+r.dir+"/config.yaml --dead es") {
		t.Fatalf("code %d, left %v\n%s", code, l, errs)
	}
	var n int
	if _, err := dead.Read(dead.Path(filepath.Join(l[0], deadLettersName), "es"), func(l *dead.Letter) bool { n++; return true }); err != nil || n != 2 {
		t.Errorf("%d letters, %v", n, err)
	}
	code, out, _ := trailsRun(t, r.dir, "journal", "export", "--journal", l[0], "--dead", "es")
	if code != exitDone || strings.Count(out, "mapper_parsing_exception") != 2 {
		t.Errorf("code %d\n%s", code, out)
	}
}

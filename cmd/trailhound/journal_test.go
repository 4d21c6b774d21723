package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs/dead"
	"trailhound/outputs/journal"
)

// ledger is a state directory with a journal that a sensor has open.
type ledger struct {
	t   *testing.T
	dir string
	j   *journal.Journal
}

func newLedger(t *testing.T) *ledger {
	t.Helper()
	l := &ledger{t: t, dir: t.TempDir()}
	writeTest(t, filepath.Join(l.dir, "config.yaml"), "state: "+l.dir+"\noutputs: [{name: siem, type: csv, path: /nowhere/a.csv}, {name: local, type: csv, path: /nowhere/b.csv}]\n")
	l.j = journal.Open(journal.Options{Path: filepath.Join(l.dir, "journal"), MaxSize: 4 << 20, MinFree: -1})
	t.Cleanup(func() { l.j.Close() })
	return l
}

// ledgerTime is when the first event was.
func ledgerTime() time.Time { return time.Date(2026, 2, 16, 8, 0, 0, 0, time.UTC) }

// add appends events, one a minute; every fifth is of a heuristic and low.
func (l *ledger) add(n int) {
	l.t.Helper()
	for range n {
		at := l.j.State().Last
		e := event.Event{ID: event.NewID(ledgerTime()), Time: ledgerTime().Add(time.Duration(at) * time.Minute), Type: event.DNS, Code: event.TrailDNS,
			Severity: event.High, Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("198.51.100.53"), Protocol: "UDP",
			Trail: "evil.example", Info: "test (malware)", Reference: "(static)"}
		if at%5 == 4 {
			e.Code, e.Severity = "dns.dga", event.Low
		}
		l.j.Append([]event.Event{e})
	}
	if err := l.j.State().Degraded; err != nil {
		l.t.Fatal(err)
	}
}

func (l *ledger) run(args ...string) (code int, out, errs string) {
	l.t.Helper()
	return trailsRun(l.t, l.dir, append([]string{"journal"}, args...)...)
}

// numbers reads the seq column.
func (l *ledger) numbers(out string) (list []string) {
	l.t.Helper()
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(rows) == 0 {
		l.t.Fatalf("%v: %q", err, out)
	}
	at := slices.Index(rows[0], "seq")
	for _, row := range rows[1:] {
		list = append(list, row[at])
	}
	return list
}

// tree gives every file of the journal with its bytes and time.
func (l *ledger) tree() (all []string) {
	l.t.Helper()
	err := filepath.WalkDir(filepath.Join(l.dir, "journal"), func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		all = append(all, fmt.Sprint(path, info.Size(), info.ModTime()))
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return all
}

func TestJournalTail(t *testing.T) {
	l := newLedger(t)
	l.add(3000)
	l.j.Close() // its keeper writes now and then
	before := l.tree()
	for _, c := range []struct {
		args        string
		n           int
		first, last string
	}{
		{"", 10, "2991", "3000"},
		{"-n 1", 1, "3000", "3000"},
		{"-n 0", 0, "", ""},
		{"-n 5000", 3000, "1", "3000"},
		{"-n 2 --code dns.*", 2, "2995", "3000"},
		{"-n 500 --code dns.dga", 500, "505", "3000"},
		{"-n 5000 --code dns.*", 600, "5", "3000"},
		{"-n 3 --code dns.dga --severity medium", 0, "", ""},
		{"-n 3 --severity high", 3, "2997", "2999"},
		{"--since 2026-02-16T08:00:00Z", 3000, "1", "3000"},
		{"--since 2026-02-17", 2040, "961", "3000"},
		{"--since 2026-02-17 -n 3", 3, "2998", "3000"},
		{"--since 1m", 0, "", ""},
	} {
		code, out, errs := l.run(append([]string{"tail"}, strings.Fields(c.args)...)...)
		if code != exitDone || errs != "" {
			t.Errorf("%s: code %d, %s", c.args, code, errs)
			continue
		}
		got := l.numbers(out)
		if len(got) != c.n || c.n > 0 && (got[0] != c.first || got[c.n-1] != c.last) {
			t.Errorf("%s: %d events, %v ... want %d, %s to %s", c.args, len(got), got[:min(len(got), 3)], c.n, c.first, c.last)
		}
	}
	for _, f := range []string{"table", "json", "cef", "maltrail"} {
		if code, out, errs := l.run("tail", "--format", f); code != exitDone || strings.Count(out, "evil.example") < 10 || strings.Contains(out, "\x1b") {
			t.Errorf("%s: code %d\n%s%s", f, code, out, errs)
		}
	}
	if after := l.tree(); !slices.Equal(after, before) {
		t.Errorf("the journal was changed:\n%s\n%s", before, after)
	}
}

// watched is an output that says when it was written to.
type watched struct {
	mu   sync.Mutex
	b    bytes.Buffer
	more chan struct{}
}

func (w *watched) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.b.Write(b)
	select {
	case w.more <- struct{}{}:
	default:
	}
	return len(b), nil
}

func (w *watched) until(t *testing.T, what string) {
	t.Helper()
	limit := time.After(patience)
	for {
		w.mu.Lock()
		found := strings.Contains(w.b.String(), what)
		w.mu.Unlock()
		if found {
			return
		}
		select {
		case <-w.more:
		case <-limit:
			t.Fatalf("%q never came: %s", what, w.b.String())
		}
	}
}

func TestJournalTailFollows(t *testing.T) {
	l := newLedger(t)
	l.add(20)
	link := filepath.Join(l.dir, "link")
	point(t, link, filepath.Join(l.dir, "journal"))
	ctx, cancel := context.WithCancel(t.Context())
	out := &watched{more: make(chan struct{}, 1)}
	a := &app{streams: &streams{strings.NewReader(""), out, &bytes.Buffer{}}, configFile: filepath.Join(l.dir, "config.yaml")}
	done := make(chan error)
	go func() {
		done <- a.journalTail(ctx, tailFlags{journalFlags: &journalFlags{format: "json", dir: link}, follow: true, number: 2, every: time.Millisecond})
	}()
	out.until(t, `"sequence":20}`)
	l.add(1)
	out.until(t, `"sequence":21}`)
	l.add(500)
	out.until(t, `"sequence":521}`)
	// The directory is made anew: another journal, which counts from one.
	second := journal.Open(journal.Options{Path: filepath.Join(l.dir, "second"), MaxSize: 4 << 20, MinFree: -1})
	defer second.Close()
	second.Append([]event.Event{{ID: event.NewID(ledgerTime()), Code: event.TrailDNS, Type: event.DNS, Info: "of the second"}})
	point(t, link, filepath.Join(l.dir, "second"))
	out.until(t, "of the second")
	cancel()
	if err := <-done; err != context.Canceled {
		t.Error(err)
	}
	for _, n := range []int{18, 522} {
		if strings.Contains(out.b.String(), fmt.Sprintf(`"sequence":%d}`, n)) {
			t.Errorf("%d is there", n)
		}
	}
	if n := strings.Count(out.b.String(), `"sequence":300}`); n != 1 {
		t.Errorf("300 is there %d times", n)
	}
}

// point makes a name that leads to a directory, in place of the one before.
func point(t *testing.T, name, dir string) {
	t.Helper()
	if err := os.Symlink(dir, name+".new"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
}

func TestJournalStat(t *testing.T) {
	l := newLedger(t)
	l.add(50)
	c, err := l.j.Cursor("siem", journal.CursorOptions{FromStart: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.j.Cursor("old", journal.CursorOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Read(t.Context(), 40, 0); err != nil {
		t.Fatal(err)
	}
	c.Advance(40, journal.Sums{Delivered: 30, Filtered: 8, DeadLettered: 2})
	l.add(5)
	letters := dead.New(filepath.Join(l.dir, deadLettersName), "siem", 0)
	letter := dead.Letter{Time: ledgerTime(), Output: "siem", Reason: "no", Event: event.Event{Code: event.TrailDNS}}
	if err := letters.Put([]dead.Letter{letter, letter}); err != nil {
		t.Fatal(err)
	}
	letters.Close()
	code, out, errs := l.run("stat")
	for _, want := range []string{
		"journal   " + l.dir + "/journal\n", "epoch     " + epochText(l.j.Epoch()) + "\n",
		"events    1 to 55, 2026-02-16 08:00:00 to 2026-02-16 08:54:00 UTC\n", " in 1 segment\n",
		"dead      siem: 2 letters, 2026-02-16 08:00:00 to 2026-02-16 08:00:00 UTC\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q", want)
		}
	}
	rows := make(map[string]string)
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) > 0 {
			rows[f[0]] = strings.Join(f[1:], " ")
		}
	}
	if code != exitDone || errs != "" || rows["siem"] != "55 0 30 8 2 0 0 15 yes" || rows["old"] != "(not configured) 55 50 0 0 0 0 0 5 yes" {
		t.Errorf("code %d, %s\n%s", code, errs, out)
	}
	code, out, _ = l.run("stat", "--json")
	var s journalStat
	if err := json.Unmarshal([]byte(out), &s); err != nil || code != exitDone {
		t.Fatalf("code %d, %v\n%s", code, err, out)
	}
	want := cursorStat{Output: "siem", Configured: true, Last: 55, Delivered: 30, Filtered: 8, DeadLettered: 2, Pending: 15, Exact: true}
	if s.First != 1 || s.Last != 55 || len(s.Cursors) != 2 || s.Cursors[1] != want || len(s.Dead) != 1 || s.Dead[0].Letters != 2 || s.LastTime != ledgerTime().Add(54*time.Minute) {
		t.Errorf("%+v", s)
	}
}

// A cursor that cannot be read is in the table, as its output will find it.
func TestJournalStatOfADamagedCursor(t *testing.T) {
	l := newLedger(t)
	l.add(12)
	c, err := l.j.Cursor("siem", journal.CursorOptions{FromStart: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Read(t.Context(), 5, 0); err != nil {
		t.Fatal(err)
	}
	c.Advance(5, journal.Sums{Delivered: 5})
	l.j.Close()
	writeTest(t, filepath.Join(l.dir, "journal", "cursor-siem"), "not a cursor")
	code, out, errs := l.run("stat")
	if !strings.Contains(out, "found     1 damaged: a cursor that cannot be read; its output begins at the oldest event\n") ||
		!strings.Contains(strings.Join(strings.Fields(out), " "), "siem (damaged) 12 0 0 0 0 0 0 12 yes") || code != exitDone {
		t.Errorf("code %d, %s\n%s", code, errs, out)
	}
	code, out, _ = l.run("stat", "--json")
	var s journalStat
	if err := json.Unmarshal([]byte(out), &s); err != nil || code != exitDone || len(s.Cursors) != 1 || !s.Cursors[0].Damaged || s.Cursors[0].Pending != 12 {
		t.Errorf("code %d, %v\n%s", code, err, out)
	}
}

// Damage is shown, and that nothing can be read is no success.
func TestJournalStatShowsDamage(t *testing.T) {
	l := newLedger(t)
	l.add(10)
	l.j.Close()
	state, err := filepath.Glob(filepath.Join(l.dir, "journal", "*.seg"))
	if err != nil || len(state) != 1 {
		t.Fatal(state, err)
	}
	if err := os.Remove(state[0]); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := l.run("stat"); code != exitFailed || errs != "trailhound: not one event of the journal can be read\n" || !strings.Contains(out, "found     1 missing") || !strings.Contains(out, "1 to 10\n") {
		t.Errorf("code %d, %s\n%s", code, errs, out)
	}
	if code, _, errs := l.run("export"); code != exitFailed || !strings.Contains(errs, "0 events from 1 to 10: 10 numbers without one, damaged or given up") {
		t.Errorf("code %d, %s", code, errs)
	}
}

// Records that are damaged in the middle of a segment, which no look at the
// directory shows, are met while they are read: what was exported is not all.
func TestJournalExportMeetsDamage(t *testing.T) {
	l := newLedger(t)
	l.add(600)
	l.j.Close()
	list := segmentFiles(t, filepath.Join(l.dir, "journal"))
	b, err := os.ReadFile(list[0])
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	b[len(b)/2] ^= 0x40
	writeTest(t, list[0], string(b))
	for range 2 {
		code, out, errs := l.run("export")
		if n := len(l.numbers(out)); code != exitFailed || n != 599 || errs != "trailhound: warning: 599 events from 1 to 600: 1 number without one, damaged or given up\n"+
			"trailhound: damaged: not every event of the journal can be read\n" {
			t.Errorf("code %d, %d events, %s", code, n, errs)
		}
		if code, _, errs := l.run("export", "--from", "500"); code != exitDone || errs != "" {
			t.Errorf("behind the damage: code %d, %s", code, errs)
		}
		// The same once the sensor has met it and put the segment aside.
		journal.Open(journal.Options{Path: filepath.Join(l.dir, "journal"), MaxSize: 4 << 20, MinFree: -1}).Close()
	}
}

// What is there and cannot be read is no success: a newer version's is said to be
// that, not damaged.
func TestJournalUnreadable(t *testing.T) {
	for name, c := range map[string]struct {
		spoil     func(head []byte)
		out, errs string
	}{
		"newer": {func(head []byte) {
			for _, at := range []int{0, 512} {
				b := head[at : at+80]
				b[8] = 9
				binary.LittleEndian.PutUint32(b[76:], crc32.Checksum(b[:76], crc32.MakeTable(crc32.Castagnoli)))
			}
		}, "found     1 made by a newer version: segments that this one cannot read\n", "trailhound: 1 segment made by a newer version: this one cannot read them\n"},
		"zeros": {func(head []byte) { clear(head) }, "found     1 damaged: segments with", "trailhound: damaged: not every event of the journal can be read\n"},
	} {
		l := newLedger(t)
		l.add(10)
		l.j.Close()
		list := segmentFiles(t, filepath.Join(l.dir, "journal"))
		b, err := os.ReadFile(list[0])
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		c.spoil(b[:1024])
		writeTest(t, list[0], string(b))
		if code, out, errs := l.run("stat"); code != exitFailed || !strings.Contains(out, c.out) || errs != c.errs || name == "newer" && strings.Contains(out, "damaged") {
			t.Errorf("%s: stat: code %d, %s\n%s", name, code, errs, out)
		}
		if code, out, _ := l.run("stat", "--json"); code != exitFailed || !json.Valid([]byte(out)) {
			t.Errorf("%s: stat --json: code %d\n%s", name, code, out)
		}
		if code, _, errs := l.run("export"); code != exitFailed || !strings.HasSuffix(errs, c.errs) || !strings.Contains(errs, "0 events from 1 to 10") {
			t.Errorf("%s: export: code %d, %s", name, code, errs)
		}
		// The sensor says the same, and leaves a newer version's file as it is.
		found := make(chan journal.Incident, 8)
		j := journal.Open(journal.Options{Path: filepath.Join(l.dir, "journal"), MinFree: -1, Incident: func(i journal.Incident) { found <- i }})
		j.Close()
		_, _, info := incidentText(<-found)
		if newer := strings.Contains(info, "made by a newer version, with format 9"); newer != (name == "newer") {
			t.Errorf("%s: health: %s", name, info)
		}
		if _, err := os.Stat(list[0]); (err == nil) != (name == "newer") {
			t.Errorf("%s: the file: %v", name, err)
		}
		// Put aside, it is still unreadable.
		if code, _, _ := l.run("stat"); code != exitFailed {
			t.Errorf("%s: stat after a start: code %d", name, code)
		}
	}
}

func TestJournalExport(t *testing.T) {
	l := newLedger(t)
	l.add(300)
	for _, c := range []struct {
		args        string
		n           int
		first, last string
		said        string
	}{
		{"", 300, "1", "300", ""},
		{"--from 100", 201, "100", "300", ""},
		{"--to 7", 7, "1", "7", ""},
		{"--from 100 --to 109", 10, "100", "109", ""},
		{"--from 300 --to 300", 1, "300", "300", ""},
		{"--from 290 --to 310", 11, "290", "300", "the newest event is 300"},
		{"--from 1000", 0, "", "", ""},
	} {
		code, out, errs := l.run(append([]string{"export"}, strings.Fields(c.args)...)...)
		got := l.numbers(out)
		if code != exitDone || len(got) != c.n || c.n > 0 && (got[0] != c.first || got[c.n-1] != c.last) || (c.said == "") != (errs == "") || !strings.Contains(errs, c.said) {
			t.Errorf("%s: code %d, %d events %v, said %q", c.args, code, len(got), got[:min(len(got), 3)], errs)
		}
	}
	if code, out, _ := l.run("export", "--format", "json"); code != exitDone || strings.Count(out, "\n") != 300 {
		t.Errorf("code %d, %d lines", code, strings.Count(out, "\n"))
	}
	// Only what is kept can be written, and that is said.
	l.j.Close()
	small := journal.Open(journal.Options{Path: filepath.Join(l.dir, "small"), MaxSize: 1 << 20, MinFree: -1})
	for range 200 {
		list := make([]event.Event, 100)
		for i := range list {
			list[i] = event.Event{ID: event.NewID(ledgerTime()), Type: event.DNS, Code: event.TrailDNS, Trail: strings.Repeat("x", 200)}
		}
		small.Append(list)
	}
	small.Close()                         // its keeper may give up another segment
	if err := small.Close(); err != nil { // it gives up segments in its own time
		t.Fatal(err)
	}
	s := small.State()
	if s.First == 1 {
		t.Fatal("nothing was given up")
	}
	code, out, errs := l.run("export", "--journal", filepath.Join(l.dir, "small"), "--from", "1", "--to", fmt.Sprint(s.First))
	if got := l.numbers(out); code != exitDone || !slices.Equal(got, []string{fmt.Sprint(s.First)}) || !strings.Contains(errs, fmt.Sprintf("events before %d are no longer kept", s.First)) {
		t.Errorf("code %d, %v, %s", code, got, errs)
	}
}

func TestJournalDead(t *testing.T) {
	l := newLedger(t)
	l.add(1)
	dir := filepath.Join(l.dir, deadLettersName)
	put := func(name string, n int) {
		f := dead.New(dir, name, 0)
		defer f.Close()
		for i := range n {
			e := event.Event{ID: event.NewID(ledgerTime()), Seq: uint64(i + 1), Epoch: 5, Time: ledgerTime(), Type: event.DNS, Code: event.TrailDNS, Trail: "evil.example", Info: "x"}
			if err := f.Put([]dead.Letter{{Time: ledgerTime(), Output: name, Reason: "mapper \x1b[2J\u009b says\nno", Event: e}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if code, out, errs := l.run("export", "--dead", "siem"); code != exitDone || out != "" || errs != "" {
		t.Errorf("none: code %d, %q, %s", code, out, errs)
	}
	put("siem", 3)
	code, out, errs := l.run("export", "--dead", "siem")
	if code != exitDone || strings.Count(out, "\n") != 3 || strings.Contains(out, "\x1b") {
		t.Fatalf("code %d\n%s%s", code, out, errs)
	}
	var line struct {
		Time, Output, Reason, Epoch string
		Seq                         int
		Event                       struct {
			Trailhound struct{ Epoch string }
		}
	}
	if err := json.Unmarshal([]byte(out[:strings.IndexByte(out, '\n')]), &line); err != nil || line.Output != "siem" || line.Seq != 1 || line.Epoch != "0000000000000005" ||
		line.Event.Trailhound.Epoch != line.Epoch || !strings.HasPrefix(line.Reason, "mapper ") {
		t.Errorf("%v, %+v", err, line)
	}
	if code, out, _ := l.run("export", "--dead", "siem", "--format", "csv"); code != exitDone || len(l.numbers(out)) != 3 {
		t.Errorf("csv: code %d\n%s", code, out)
	}
	// On a terminal the receiver's words cannot move the cursor.
	k := &kept{id: &event.Identity{}}
	text := string(k.appendLetter(nil, &dead.Letter{Reason: "\x1b[2J\u009b", Event: event.Event{}}, true))
	if strings.ContainsAny(text, "\x1b\u009b") {
		t.Errorf("%q", text)
	}
	// Again: the sensor finds them under another name.
	code, out, errs = l.run("export", "--dead", "siem", "--retry")
	if code != exitDone || out != "" || !strings.Contains(errs, "3 dead letters of output siem will be sent again") {
		t.Errorf("retry: code %d, %q, %s", code, out, errs)
	}
	if _, err := os.Stat(dead.Again(dir, "siem")); err != nil {
		t.Error(err)
	}
	if code, _, errs := l.run("export", "--dead", "siem", "--retry"); code != exitFailed || !strings.Contains(errs, "3 dead letters of output siem still wait") {
		t.Errorf("twice: code %d, %s", code, errs)
	}
	if code, out, _ := l.run("stat"); code != exitDone || !strings.Contains(out, "siem: 3 letters, 2026-02-16 08:00:00 to 2026-02-16 08:00:00 UTC, 3 of them to be sent again\n") {
		t.Errorf("stat: code %d\n%s", code, out)
	}
	if code, _, errs := l.run("export", "--dead", "local", "--retry"); code != exitDone || errs != "output local has no dead letters\n" {
		t.Errorf("none to retry: code %d, %s", code, errs)
	}
	put("gone", 1)
	if code, _, errs := l.run("export", "--dead", "gone", "--retry"); code != exitFailed || !strings.Contains(errs, "output gone is not configured") {
		t.Errorf("not configured: code %d, %s", code, errs)
	}
}

func TestJournalUsage(t *testing.T) {
	l := newLedger(t)
	l.add(1)
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"tail --journal /nowhere", exitFailed, `there is no journal in "/nowhere"`},
		{"stat --journal " + t.TempDir(), exitFailed, "there is no journal in"},
		{"export --journal " + filepath.Join(l.dir, "config.yaml"), exitFailed, "not a directory"},
		{"tail --format xml", exitUsage, `unknown format "xml"`},
		{"tail -n -1", exitUsage, "-1 is no number of events"},
		{"tail --code [", exitUsage, "is not a pattern"},
		{"tail --severity bad", exitUsage, `"bad" is none of low, medium, high`},
		{"tail --since yesterday", exitUsage, `"yesterday" is neither a duration`},
		{"tail --since -2h", exitUsage, "neither a duration"},
		{"tail extra", exitUsage, "unknown command"},
		{"export --from 5 --to 4", exitUsage, "--from 5 is behind --to 4"},
		{"export --retry", exitUsage, "--retry needs --dead NAME"},
		{"export --dead siem --from 5", exitUsage, "not of dead letters"},
		{"export --dead siem --retry --format csv", exitUsage, "leave --format out"},
		{"export --dead nobody", exitUsage, `there is no output "nobody": use one of local, siem`},
		{"export --dead ../../etc/passwd", exitUsage, "there is no output"},
		{"stat --set journal.max_age=x", exitConfig, "journal.max_age"},
		{"", exitUsage, "a subcommand is needed"},
	} {
		code, out, errs := l.run(strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(errs, c.want) || c.args != "" && out != "" {
			t.Errorf("%s: code %d, want %d with %q\n%s%s", c.args, code, c.code, c.want, errs, out)
		}
	}
}

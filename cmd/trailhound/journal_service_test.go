package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"trailhound/agent/event"
	"trailhound/agent/status"
	"trailhound/outputs/journal"
)

// filledJournal makes a journal of several segments. Output siem has delivered
// the first hundred events.
func filledJournal(t *testing.T, dir string) {
	t.Helper()
	j := journal.Open(journal.Options{Path: dir, MaxSize: 1 << 20, MinFree: -1})
	c, err := j.Cursor("siem", journal.CursorOptions{FromStart: true})
	if err != nil || j.State().Degraded != nil {
		t.Fatal(err, j.State().Degraded)
	}
	for range 20 {
		list := make([]event.Event, 100)
		for i := range list {
			list[i] = event.Event{ID: event.NewID(time.Now()), Time: time.Now(), Type: event.DNS, Code: event.TrailDNS, Trail: strings.Repeat("x", 250), Severity: event.High}
		}
		j.Append(list)
	}
	if _, _, err := c.Read(t.Context(), 100, 0); err != nil {
		t.Fatal(err)
	}
	c.Advance(100, journal.Sums{Delivered: 100})
	if s := j.State(); s.Segments < 4 || s.First != 1 {
		t.Fatalf("%+v", s)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// had is until for a line that may have been read already.
func (s *sensor) had(what string, is func(logLine) bool) logLine {
	s.t.Helper()
	if i := slices.IndexFunc(s.past, is); i >= 0 {
		return s.past[i]
	}
	return s.until(what, is)
}

// segmentFiles lists the segments of a journal, the oldest first.
func segmentFiles(t *testing.T, dir string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "*.seg*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

// journalled reads the health events of a kind in a journal, also while the
// sensor runs: their causes and texts.
func journalled(t *testing.T, dir string, code event.Code) (list []string) {
	t.Helper()
	v, err := journal.OpenReadOnly(dir)
	if err == nil {
		err = v.Scan(context.Background(), 0, func(e *event.Event) bool {
			if e.Code == code {
				list = append(list, e.Health.Cause+": "+e.Info)
			}
			return true
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// statOf runs journal stat with a configuration.
func statOf(config string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = execute(context.Background(), &streams{strings.NewReader(""), &o, &e}, []string{"journal", "stat", "-c", config})
	return code, o.String(), e.String()
}

// TestServiceJournal: the journal of the real program.
func TestServiceJournal(t *testing.T) {
	c := newClinic(t)
	t.Run("damaged", c.onADamagedJournal)
	t.Run("unusable", c.withoutAJournal)
	t.Run("full disk", c.onAFullDisk)
	t.Run("bounds", c.takesJournalBounds)
	t.Run("changes", c.tellsWhatChanged)
}

// onADamagedJournal: whatever was done to the journal while the
// sensor was off, it starts, says what it found, gives every event that is whole
// to its output, takes new ones, and the sums add up.
func (c *clinic) onADamagedJournal(t *testing.T) {
	for _, w := range []struct {
		name   string
		damage func(t *testing.T, dir string)
		said   string // by a health event; empty: in the log only
		rows   int    // of the 1,900 that wait, at least
	}{
		{"torn tail", func(t *testing.T, dir string) { // the beginning of a record that a kill has cut off
			list := segmentFiles(t, dir)
			whole, _ := os.ReadFile(list[len(list)-1])
			os.WriteFile(list[len(list)-1], append(whole, "\x40\x01\x00\x00\x12\x34\x56\x78\xd1\x07\x00"...), 0o640)
		}, "", 1900},
		{"shortened", func(t *testing.T, dir string) { // its last event had been given: that is no torn tail
			list := segmentFiles(t, dir)
			info, _ := os.Stat(list[len(list)-1])
			os.Truncate(list[len(list)-1], info.Size()-5)
		}, "journal: a part of the journal is missing", 1899},
		{"bit rot in the middle", func(t *testing.T, dir string) {
			path := segmentFiles(t, dir)[1]
			text, _ := os.ReadFile(path)
			text[len(text)/2] ^= 0x10
			os.WriteFile(path, text, 0o640)
		}, "journal: a part of the journal is damaged, and put aside", 1899},
		{"missing segment", func(t *testing.T, dir string) { os.Remove(segmentFiles(t, dir)[1]) },
			"journal: a part of the journal is missing", 1000},
		{"cursor ahead of the data", func(t *testing.T, dir string) {
			// The journal's files of an earlier day, under a cursor of today.
			cursor, _ := os.ReadFile(filepath.Join(dir, "cursor-siem"))
			os.RemoveAll(dir)
			j := journal.Open(journal.Options{Path: dir, MaxSize: 1 << 20, MinFree: -1})
			j.Append(make([]event.Event, 10))
			j.Close()
			os.WriteFile(filepath.Join(dir, "cursor-siem"), cursor, 0o640)
		}, "journal: output siem had read more than the journal holds", 0},
		{"damaged cursor", func(t *testing.T, dir string) {
			os.WriteFile(filepath.Join(dir, "cursor-siem"), make([]byte, 8192), 0o640)
		},
			"journal: the place of output siem in the journal is lost: it begins at the oldest event", 2000},
		{"damaged state", func(t *testing.T, dir string) { os.WriteFile(filepath.Join(dir, "state"), []byte("?"), 0o640) }, "", 1900},
	} {
		dir := filepath.Join(c.dir, strings.ReplaceAll(w.name, " ", "-"))
		config, kept, events := filepath.Join(dir, "c.yaml"), filepath.Join(dir, "journal"), filepath.Join(dir, "events.csv")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		filledJournal(t, kept)
		w.damage(t, kept)
		configure(t, config, "state: %s\nstatus: {listen: \"\"}\njournal: {max_size: 1MiB, min_free: \"0\"}\noutputs:\n  - {name: siem, type: csv, path: %s, max_rate: 0}\n", dir, events)
		s := c.run(t, config, "")
		s.until(w.name+": capturing", says("capturing"))
		if w.said != "" {
			eventually(t, func() string { return w.name + ": no health event" }, func() bool {
				return slices.Contains(journalled(t, kept, event.HealthJournalCorrupt), w.said)
			})
		} else if n := len(journalled(t, kept, event.HealthJournalCorrupt)); n > 0 {
			t.Errorf("%s: %d health events", w.name, n)
		}
		var have int
		eventually(t, func() string { return fmt.Sprintf("%s: %d rows", w.name, have) }, func() bool {
			have = len(rows(t, events))
			return have >= w.rows
		})
		if err := s.end(syscall.SIGTERM); err != nil {
			t.Errorf("%s: the end: %v", w.name, err)
		}
		code, out, errs := statOf(config)
		if code != exitDone || !strings.Contains(out, " yes") {
			t.Errorf("%s: journal stat: code %d, %s%s", w.name, code, out, errs)
		}
	}
}

// withoutAJournal: a directory that cannot be written, or is none,
// is no reason not to work: events go through memory, and that is said.
func (c *clinic) withoutAJournal(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"read-only": func(path string) error { return os.Mkdir(path, 0o555) },
		"a file":    func(path string) error { return os.WriteFile(path, nil, 0o644) },
	} {
		uid, gid, dir := c.nobody(t)
		kept, events := filepath.Join(dir, "kept"), filepath.Join(dir, "events.csv")
		config := filepath.Join(dir, "c.yaml")
		if err := spoil(kept); err != nil {
			t.Fatal(err)
		}
		tableOf(t, filepath.Join(dir, tableFile), 5)
		configure(t, config, "state: %s\nstatus: {listen: \"\"}\njournal: {path: %s}\noutputs:\n  - {name: local, type: csv, path: %s}\n", dir, kept, events)
		s := c.run(t, config, "nobody")
		l := s.had(name+": the word", func(l logLine) bool { return l.Code == "health.journal.full" && l.State == "raised" })
		if !strings.HasPrefix(l.Msg, "the journal cannot be written: events are kept in memory only, at most 16 MiB (") || l.Cause != "disk" {
			t.Errorf("%s: %+v", name, l)
		}
		s.had("capturing", says("capturing"))
		c.queries(t, "1.example", "2.example")
		eventually(t, func() string { return name + ": no rows" }, func() bool { return len(rows(t, events)) == 2 })
		// Mended, it is taken into use by itself.
		if err := os.RemoveAll(kept); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(kept, 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(kept, uid, gid); err != nil {
			t.Fatal(err)
		}
		s.until(name+": recovery", func(l logLine) bool { return l.Code == "health.journal.full" && l.State == "recovered" })
		c.queries(t, "3.example")
		eventually(t, func() string { return name + ": no third row" }, func() bool { return len(rows(t, events)) == 3 })
		if err := s.end(syscall.SIGTERM); err != nil {
			t.Errorf("%s: the end: %v", name, err)
		}
		if got := journalled(t, kept, event.HealthJournalFull); len(got) < 2 {
			t.Errorf("%s: the journal has %q", name, got)
		}
	}
}

// onAFullDisk: on a disk that somebody else has filled the sensor goes on
// in what is reserved, then in memory, says so, and comes back by itself when
// there is room. Nothing of what fits into memory is lost.
func (c *clinic) onAFullDisk(t *testing.T) {
	disk, dir := filepath.Join(c.dir, "disk"), filepath.Join(c.dir, "full")
	for _, d := range []string{disk, dir} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mount("trailhound", disk, "tmpfs", 0, "size=32m"); err != nil {
		t.Skipf("mounting a tmpfs is not permitted: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(disk, unix.MNT_DETACH) })
	config, kept, events, socket := filepath.Join(dir, "c.yaml"), filepath.Join(disk, "journal"), filepath.Join(dir, "events.csv"), filepath.Join(dir, "status.sock")
	tableOf(t, filepath.Join(dir, tableFile), 5)
	configure(t, config, "state: %s\nstatus: {listen: \"unix:%s\"}\njournal: {path: %s, min_free: \"0\"}\nsuppress: {aggregate: 0s}\noutputs:\n"+
		"  - {name: local, type: csv, path: %s, max_rate: 0}\n  - {name: dead, type: logstash, addresses: [\"tcp://127.0.0.1:9\"]}\n", dir, socket, kept, events)
	s := c.run(t, config, "")
	s.until("capturing", says("capturing"))
	client, err := status.NewClient("unix:" + socket)
	if err != nil {
		t.Fatal(err)
	}
	now := func() *status.Snapshot {
		t.Helper()
		st, _, err := client.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	filler, err := os.Create(filepath.Join(disk, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = filler.Write(make([]byte, 16<<10))
	}
	asked := 0
	ask := func(n int) { // each name is an event of its own
		t.Helper()
		for range n / 500 {
			var names []string
			for range 500 {
				asked++
				names = append(names, fmt.Sprintf("n%d.%s.%d.example", asked, strings.Repeat("x", 60), asked%5))
			}
			c.queries(t, names...)
		}
	}
	through := func() {
		t.Helper()
		n := 0
		eventually(t, func() string { return fmt.Sprintf("%d of %d rows", n, asked) }, func() bool {
			n = len(rows(t, events))
			return n == asked
		})
	}
	ask(6000)
	s.until("memory", func(l logLine) bool {
		return l.Code == "health.journal.full" && l.Cause == "disk" && l.State == "raised"
	})
	through()
	if st := now(); st.Detection.Dropped != 0 || st.Journal.Lost != 0 || !slices.ContainsFunc(st.Health, func(h status.Health) bool {
		return h.Code == event.HealthJournalFull && h.State == event.Raised
	}) {
		t.Errorf("%+v %+v", st.Journal, st.Health)
	}
	var said string
	eventually(t, func() string { return "journal stat says " + said }, func() bool { // the state is written each second
		code, out, errs := statOf(config)
		said = fmt.Sprintf("(code %d) %s%s", code, out, errs)
		return code == exitDone && strings.Contains(out, "found     1 in memory only: the disk fails;") && !strings.Contains(out, "missing")
	})
	filler.Close()
	if err := os.Remove(filler.Name()); err != nil {
		t.Fatal(err)
	}
	s.until("recovery", func(l logLine) bool {
		return l.Code == "health.journal.full" && l.Cause == "disk" && l.State == "recovered"
	})
	ask(1000)
	through()
	st := now()
	for _, o := range st.Outputs {
		if o.LastSeq-o.StartSeq != o.Delivered+o.Filtered+o.Rejected+o.Evicted+o.Quarantined+o.Queued {
			t.Errorf("%s does not add up: %+v", o.Name, o)
		}
		if o.Name == "local" && o.Evicted+o.Quarantined+o.Rejected != 0 {
			t.Errorf("lost: %+v", o)
		}
	}
	if err := s.end(syscall.SIGTERM); err != nil {
		t.Errorf("the end: %v", err)
	}
	if code, out, errs := statOf(config); code != exitDone || strings.Contains(out, "found") {
		t.Errorf("journal stat: code %d, %s%s", code, out, errs)
	}
}

// takesJournalBounds: a smaller journal by SIGHUP gives up what is
// too much at once, counted for the output that lacks it.
func (c *clinic) takesJournalBounds(t *testing.T) {
	dir := filepath.Join(c.dir, "bounds")
	config, kept, socket := filepath.Join(dir, "c.yaml"), filepath.Join(dir, "journal"), filepath.Join(dir, "status.sock")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	j := journal.Open(journal.Options{Path: kept, MaxSize: 16 << 20, MinFree: -1})
	if _, err := j.Cursor("siem", journal.CursorOptions{FromStart: true}); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		list := make([]event.Event, 100)
		for i := range list {
			list[i] = event.Event{Type: event.DNS, Code: event.TrailDNS, Trail: strings.Repeat("x", 500)}
		}
		j.Append(list)
	}
	if err := j.Close(); err != nil || j.State().Bytes < 5<<20 {
		t.Fatal(err, j.State().Bytes)
	}
	write := func(bounds string) {
		configure(t, config, "state: %s\nstatus: {listen: \"unix:%s\"}\njournal: {%s, min_free: \"0\"}\noutputs:\n  - {name: siem, type: logstash, addresses: [\"tcp://127.0.0.1:9\"]}\n", dir, socket, bounds)
	}
	write("max_size: 16MiB")
	s := c.run(t, config, "")
	s.until("capturing", says("capturing"))
	client, err := status.NewClient("unix:" + socket)
	if err != nil {
		t.Fatal(err)
	}
	now := func() *status.Snapshot {
		t.Helper()
		st, _, err := client.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	if st := now(); st.Journal.Bytes < 5<<20 || st.Outputs[0].Evicted != 0 {
		t.Fatalf("%+v", st.Journal)
	}
	write("max_size: 4MiB, fsync: always, max_age: 1h")
	s.cmd.Process.Signal(syscall.SIGHUP)
	s.until("loaded", says("configuration loaded"))
	var st *status.Snapshot
	eventually(t, func() string { return fmt.Sprintf("%+v", st.Journal) }, func() bool {
		st = now()
		return st.Journal.Bytes <= 4<<20 && st.Outputs[0].Evicted > 0
	})
	s.until("the loss", func(l logLine) bool {
		return l.Code == "health.output.evicted" && l.Cause == "siem" && l.State == "raised"
	})
	s.end(syscall.SIGKILL) // it would wait for the output
	if s.count("need a restart") != 0 {
		t.Error("it wants a restart")
	}
	v, err := journal.OpenReadOnly(kept)
	if err != nil {
		t.Fatal(err)
	}
	if k := v.Cursors()[0]; k.Evicted == 0 || k.Evicted != v.State().First-1 || k.LastSeq-k.StartSeq != k.Evicted+k.Pending+k.Filtered+k.Delivered {
		t.Errorf("%+v", k)
	}
}

// tellsWhatChanged: other rules, ignore lists and whitelists are told
// of, whether a reload or a restart took them, and nothing when nothing changed.
func (c *clinic) tellsWhatChanged(t *testing.T) {
	dir := filepath.Join(c.dir, "changed")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	config, kept := filepath.Join(dir, "c.yaml"), filepath.Join(dir, "journal")
	rules, ignore, white := filepath.Join(dir, "rules.yaml"), filepath.Join(dir, "ignore"), filepath.Join(dir, "white")
	rule := "rules:\n- {name: a, reason: r, action: drop, port: [%d]}\n"
	writeTest(t, rules, fmt.Sprintf(rule, 53))
	writeTest(t, ignore, "10.0.0.1;*;*;*\n")
	writeTest(t, white, "good.example\n")
	configure(t, config, "state: %s\nstatus: {listen: \"\"}\noutputs: []\nsuppress: {files: [%s], ignore: [%s]}\ntrails: {whitelist: [%s]}\n", dir, rules, ignore, white)
	var s *sensor
	restart := func() {
		s = c.run(t, config, "")
		s.until("capturing", says("capturing"))
	}
	end := func() {
		t.Helper()
		if err := s.end(syscall.SIGTERM); err != nil {
			t.Errorf("the end: %v", err)
		}
	}
	told := 0
	news := func(what string, want ...string) {
		t.Helper()
		all := journalled(t, kept, event.HealthConfigChanged)
		var have []string
		for _, text := range all[told:] {
			cause, info, _ := strings.Cut(text, ": ")
			have = append(have, cause)
			if !strings.Contains(info, "were ") && !strings.Contains(info, "was ") {
				t.Errorf("%s: %q says not what was before", what, text)
			}
		}
		told = len(all)
		slices.Sort(have)
		if !slices.Equal(have, want) {
			t.Errorf("%s: told of %q, want %q", what, have, want)
		}
	}
	restart()
	end()
	news("the first start")
	restart()
	end()
	news("nothing changed")
	writeTest(t, rules, fmt.Sprintf(rule, 54))
	restart()
	end()
	news("a rule file", suppressCause)
	writeTest(t, ignore, "10.0.0.2;*;*;*\n")
	writeTest(t, white, "# an entry more\ngood.example\nbetter.example\n")
	restart()
	end()
	news("ignore list and whitelist", suppressCause, "whitelist")
	restart()
	writeTest(t, white, "better.example\n")
	writeTest(t, rules, fmt.Sprintf(rule, 55))
	s.cmd.Process.Signal(syscall.SIGHUP)
	s.until("loaded", says("configuration loaded"))
	s.cmd.Process.Signal(syscall.SIGHUP)
	s.until("loaded again", says("configuration loaded"))
	end()
	news("a reload", suppressCause, "whitelist")
	restart()
	end()
	news("the reload is known")
}

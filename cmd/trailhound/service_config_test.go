package main

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// exited waits for a service that ends by itself, and gives the exit code and
// all that it said.
func (s *sensor) exited() (code int, said string) {
	s.t.Helper()
	limit := time.AfterFunc(patience, func() { s.cmd.Process.Kill() })
	defer limit.Stop()
	for l := range s.lines {
		said += l.Msg + "\n"
	}
	err := s.cmd.Wait()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode(), said
	}
	return 0, said
}

// TestServiceRefusesToStart: what the configuration or the command line has
// wrong ends the start with the code that says so.
func TestServiceRefusesToStart(t *testing.T) {
	c := newClinic(t)
	_, _, dir := c.nobody(t)
	config := filepath.Join(c.dir, "wrong.yaml")
	for _, w := range []struct {
		name, text, user string
		code             int
		want             string
	}{
		{"user", "", "no-such-user-here", exitUsage, "--user no-such-user-here: there is no such user"},
		{"whitelist", "trails: {whitelist: [/nowhere/list]}\n", "nobody", exitConfig, "wrong.yaml:7:22: trails.whitelist[0]: "},
		{"root", "", "root", exitFailed, "root by another name"},
	} {
		configure(t, config, "state: %s\noutputs: []\nstatus: {listen: \"\"}\n%s", dir, w.text)
		if code, said := c.run(t, config, w.user).exited(); code != w.code || !strings.Contains(said, w.want) {
			t.Errorf("%s: code %d, want %d: %s", w.name, code, w.code, said)
		}
	}
}

// TestServiceJournalTaken: a second sensor with the same journal ends, and leaves
// the first one alone. One that had its journal in memory only says what it lost.
func TestServiceJournalTaken(t *testing.T) {
	c := newClinic(t)
	_, _, dir := c.nobody(t)
	config, file, events := filepath.Join(c.dir, "taken.yaml"), filepath.Join(dir, "file"), filepath.Join(dir, "events.csv")
	tableOf(t, filepath.Join(dir, tableFile), 5)
	configure(t, config, "state: %s\nstatus: {listen: \"\"}\noutputs:\n  - {name: local, type: csv, path: %s}\n", dir, events)
	first := c.run(t, config, "nobody")
	first.until("capturing", says("capturing"))
	want := fmt.Sprintf("cannot lock the journal %s/journal: another process has this journal: pid %d", dir, first.cmd.Process.Pid)
	if code, said := c.run(t, config, "nobody").exited(); code != exitFailed || !strings.Contains(said, want) || strings.Contains(said, "capturing") {
		t.Errorf("the second: code %d, want %q: %s", code, want, said)
	}
	c.queries(t, "1.example")
	eventually(t, func() string { return "no row" }, func() bool { return len(rows(t, events)) == 1 })
	if err := first.end(syscall.SIGTERM); err != nil {
		t.Errorf("the first: %v", err)
	}

	writeTest(t, file, "")
	configure(t, config, "state: %s\nstatus: {listen: \"\"}\njournal: {path: %s/journal}\noutputs:\n  - {name: gone, type: syslog, address: \"tcp://127.0.0.1:1\"}\n", dir, file)
	s := c.run(t, config, "nobody")
	s.until("capturing", says("capturing"))
	c.queries(t, "2.example")
	refused := func(l logLine) bool { return strings.Contains(l.Error, "127.0.0.1:1") }
	if !slices.ContainsFunc(s.past, refused) { // it may have come before all else: the health event about the journal
		s.until("a failure", refused)
	}
	err := s.end(syscall.SIGTERM)
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != exitFailed || s.count("events are lost: the journal was in memory only") != 1 || s.count("for the next start") != 0 {
		t.Errorf("the end with a journal in memory: %v, %+v", err, s.past)
	}
}

// TestServiceStaysRoot: a service that is still root, without capabilities,
// compiles a filter that needs tcpdump on a reload, and says where in the
// configuration one is wrong.
func TestServiceStaysRoot(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		t.Skip("needs tcpdump")
	}
	c := newClinic(t)
	dir := filepath.Join(c.dir, "root")
	config := filepath.Join(dir, "c.yaml")
	filter := func(text string) {
		t.Helper()
		writeTest(t, filepath.Join(dir, "conf.d", "filter.yaml"), "capture:\n  filter: "+text+"\n")
	}
	filter("ip[0] = ip[1]")
	configure(t, config, "state: %s\noutputs: []\nstatus: {listen: \"\"}\n", dir)
	s := c.run(t, config, "")
	s.until("capturing", says("capturing"))
	for _, text := range []string{"ip[0] = ip[2]", "ip[0] = ip[3]"} {
		filter(text)
		s.cmd.Process.Signal(syscall.SIGHUP)
		if l := s.until("the reload", func(l logLine) bool { return strings.HasPrefix(l.Msg, "configuration ") }); l.Msg != "configuration loaded" {
			t.Errorf("%s: %s: %s", text, l.Msg, l.Error)
		}
	}
	filter("tcp port 80 and and")
	s.cmd.Process.Signal(syscall.SIGHUP)
	l := s.until("the refusal", func(l logLine) bool { return strings.HasPrefix(l.Msg, "configuration ") })
	if !strings.Contains(l.Error, "conf.d/filter.yaml:2:11: capture.filter: ") || !strings.Contains(l.Error, "tcpdump says") {
		t.Errorf("%s: %s", l.Msg, l.Error)
	}
	if err := s.end(syscall.SIGTERM); err != nil {
		t.Errorf("the end: %v", err)
	}
}

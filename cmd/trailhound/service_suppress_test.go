package main

import (
	"encoding/csv"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"trailhound/agent/status"
	"trailhound/tests/corpus"
)

// queries has the other side ask for names, a listed one each, from a port each.
func (c *clinic) queries(t *testing.T, names ...string) {
	t.Helper()
	err := c.in(c.there, func() error {
		for i, name := range names {
			conn, err := net.DialUDP("udp4", &net.UDPAddr{Port: 40000 + i}, &net.UDPAddr{IP: net.IPv4(10, 98, 0, 1), Port: 53})
			if err != nil {
				return err
			}
			_, err = conn.Write([]byte(corpus.Query(corpus.Ask(name))))
			conn.Close()
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// rows reads the detections of a csv output: trail, severity, rule, local, count.
func rows(t *testing.T, path string) (list []string) {
	list, _ = rowsAndOutcomes(t, path)
	return list
}

// rowsAndOutcomes is rows, and the follow-ups: trail, outcome.
func rowsAndOutcomes(t *testing.T, path string) (list, outcomes []string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		return nil, nil // not yet
	}
	defer f.Close()
	r := csv.NewReader(f)
	all, err := r.ReadAll()
	if err != nil || len(all) == 0 {
		return nil, nil // in the middle of a line
	}
	at := make(map[string]int)
	for i, name := range all[0] {
		at[name] = i
	}
	for _, row := range all[1:] {
		if row[at["type"]] == "HEALTH" {
			continue
		}
		if row[at["count"]] == "0" {
			outcomes = append(outcomes, row[at["trail"]]+" "+row[at["outcome"]])
			continue
		}
		list = append(list, strings.Join(strings.Fields(row[at["trail"]]+" "+row[at["severity"]]+" "+row[at["suppress_rule"]]+" "+row[at["count"]]), " "))
	}
	return list, outcomes
}

// receiver keeps the lines of a syslog output.
type receiver struct {
	mu    sync.Mutex
	lines []string
}

func (r *receiver) has(what string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.lines {
		if strings.Contains(l, what) {
			return true
		}
	}
	return false
}

// receive listens where the sensor runs.
func (c *clinic) receive(t *testing.T) (r *receiver, address string) {
	t.Helper()
	var conn net.PacketConn
	if err := c.in(c.here, func() (err error) { conn, err = net.ListenPacket("udp4", "127.0.0.1:0"); return err }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	r = new(receiver)
	go func() {
		b := make([]byte, 64<<10)
		for {
			n, _, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			r.mu.Lock()
			r.lines = append(r.lines, string(b[:n]))
			r.mu.Unlock()
		}
	}()
	return r, conn.LocalAddr().String()
}

// TestServiceSuppression: rules of configuration and file on live traffic, what
// is wrong with one, a reload, the end of a rule's time, and a crash with open
// windows.
func TestServiceSuppression(t *testing.T) {
	c := newClinic(t)
	_, _, dir := c.nobody(t)
	config, socket, events := filepath.Join(c.dir, "suppress.yaml"), filepath.Join(dir, "status.sock"), filepath.Join(dir, "events.csv")
	fleet := filepath.Join(c.dir, "fleet.yaml")
	tableOf(t, filepath.Join(dir, tableFile), 20)
	siem, address := c.receive(t)
	write := func(rules, file string) {
		t.Helper()
		writeTest(t, fleet, "rules:\n"+file)
		configure(t, config, "state: %s\nstatus: {listen: \"unix:%s\"}\noutputs:\n  - {name: local, type: csv, path: %s}\n  - {name: siem, type: syslog, address: \"udp://%s\"}\n"+
			"sensor: {name: sx-1, labels: {site: lab}}\nsuppress:\n  files: [%s]\n  rules:\n%s", dir, socket, events, address, fleet, rules)
	}
	// The clock of a rule goes by seconds.
	end := time.Now().UTC().Add(10 * time.Second).Truncate(time.Second)
	soon := fmt.Sprintf("    - {name: soon, reason: short, owner: ops, action: drop, trail: [5.example], expires: %q}\n", end.Format(time.RFC3339))
	const (
		keep  = "    - {name: keep, reason: r, action: local, trail: [2.example]}\n"
		low   = "    - {name: low, reason: r, action: lower, to: low, trail: [3.example]}\n"
		wrong = "    - {name: wrong, action: drop, trail: [6.example]}\n"
		file  = "- {name: here, reason: r, sensors: [sx-*], label: [site=lab], action: drop, trail: [4.example]}\n- {name: there, reason: r, sensors: [other], action: drop, trail: [7.example]}\n"
	)
	write("    - {name: gone, reason: r, action: drop, trail: [1.example], network: [private]}\n"+keep+low+wrong+soon, file)
	s := c.run(t, config, "nobody")
	s.until("the refusal", func(l logLine) bool {
		return l.Msg == "suppression rule is not in force" && strings.Contains(l.Error, "suppress.rules.wrong.reason: missing")
	})
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
	hits := func(st *status.Snapshot) (text string) {
		for _, r := range st.Suppress.Rules {
			text += fmt.Sprintf("%s %s %d; ", r.ID, r.State, r.Hits)
		}
		return text
	}
	detected := func(n uint64) (st *status.Snapshot) {
		t.Helper()
		eventually(t, func() string { return fmt.Sprintf("%d detected, are %+v", n, st.Gate) }, func() bool {
			st = now()
			return st.Gate.Detected == n
		})
		return st
	}
	written := func(want ...string) {
		t.Helper()
		var have []string
		eventually(t, func() string { return fmt.Sprintf("%q, are %q", want, have) }, func() bool {
			have = rows(t, events)
			return strings.Join(have, "; ") == strings.Join(want, "; ")
		})
	}

	c.queries(t, "1.example", "2.example", "3.example", "4.example", "5.example", "6.example", "7.example")
	st := detected(7)
	if g := st.Gate; g.Ruled != 3 || g.Suppressed != 3 || g.Local != 1 || g.Lowered != 1 || g.Passed != 4 {
		t.Errorf("%+v", g)
	}
	if got := hits(st); got != "gone active 1; keep active 1; low active 1; soon active 1; here active 1; there elsewhere 0; " {
		t.Errorf("rules: %s", got)
	}
	if p := st.Suppress; p.Refused != 1 || p.Active != 5 || p.Elsewhere != 1 || len(p.Problems) != 1 {
		t.Errorf("%+v", p)
	}
	written("2.example medium keep 1", "3.example low low 1", "6.example medium 1", "7.example medium 1")
	eventually(t, func() string { return "the receiver gets 3, 6 and 7" }, func() bool {
		return siem.has("3.example") && siem.has("6.example") && siem.has("7.example") && siem.has("health.suppress.refused")
	})

	// The time of a rule is over.
	s.until("expiry", func(l logLine) bool {
		return l.Code == "health.suppress.expired" && strings.Contains(l.Msg, "suppression rule soon (short, owner ops) is expired: drop; 1 hits")
	})
	c.queries(t, "5.example")
	detected(8)
	eventually(t, func() string { return "the receiver gets 5" }, func() bool { return siem.has("5.example") && siem.has("health.suppress.expired") })

	// A reload takes the rules and the file anew, keeps the hits of what did not
	// change, and ends what was wrong.
	write(keep+low+soon, strings.Replace(file, "4.example", "8.example", 1))
	s.cmd.Process.Signal(syscall.SIGHUP)
	s.until("recovery", func(l logLine) bool { return l.Code == "health.suppress.refused" && l.State == "recovered" })
	s.until("loaded", says("configuration loaded"))
	c.queries(t, "1.example", "2.example", "3.example", "4.example", "8.example")
	st = detected(13)
	if got := hits(st); got != "keep active 2; low active 2; soon expired 1; here active 1; there elsewhere 0; " {
		t.Errorf("rules: %s", got)
	}
	eventually(t, func() string { return "the receiver gets 1 and 4" }, func() bool {
		return siem.has("1.example") && siem.has("4.example") && siem.has("suppression rules ")
	})
	written("2.example medium keep 1", "3.example low low 1", "6.example medium 1", "7.example medium 1", "5.example medium 1", "1.example medium 1", "4.example medium 1")
	if n := s.count("is expired"); n != 1 {
		t.Errorf("the end of the rule is said %d times", n)
	}
	// What is wrong with a list that has to be there changes nothing.
	text, _ := os.ReadFile(config)
	writeTest(t, config, string(text)+"  ignore: [/nowhere]\n")
	s.cmd.Process.Signal(syscall.SIGHUP)
	s.until("the refusal", func(l logLine) bool { return strings.Contains(l.Error, `cannot read ignore list "/nowhere"`) })
	writeTest(t, config, string(text))

	// A crash: the repeats of 2 and 3 are in no summary yet, but in the checkpoint.
	before := now().Gate
	if before.Folded != 2 {
		t.Errorf("%+v", before)
	}
	path := filepath.Join(dir, checkpointFile)
	eventually(t, func() string { return "no checkpoint" }, func() bool {
		written, err := os.Stat(path)
		return err == nil && written.ModTime().After(st.Time.Add(3*time.Second)) // taken after the repeats
	})
	s.end(syscall.SIGKILL)
	next := c.run(t, config, "nobody")
	next.until("going on", says("the gate goes on after a crash"))
	next.until("capturing", says("capturing"))
	if g := now().Gate; g.Restored != 2 || g.Keys == 0 {
		t.Errorf("%+v", g)
	}
	// What it told before is known: a repeat is folded.
	c.queries(t, "6.example")
	if g := detected(1).Gate; g.Folded != 1 {
		t.Errorf("%+v", g)
	}
	if err := next.end(syscall.SIGTERM); err != nil {
		t.Errorf("the end: %v", err)
	}
	list, outcomes := rowsAndOutcomes(t, events)
	if got := strings.Join(list, "; "); !strings.HasSuffix(got, "2.example medium keep 1; 3.example low low 1; 6.example medium 1") {
		t.Errorf("at the end: %s", got)
	}
	// Nobody listens where the queries go: what was refused before the crash is
	// told after it, of what did not repeat and was not lowered.
	slices.Sort(outcomes)
	if got := slices.Compact(outcomes); !slices.Contains(got, "5.example refused") || slices.Contains(got, "3.example refused") || slices.ContainsFunc(got, func(s string) bool { return !strings.HasSuffix(s, " refused") }) {
		t.Errorf("outcomes at the end: %q", outcomes)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the checkpoint is left: %v", err)
	}
	if siem.has("2.example") || siem.has("8.example") {
		t.Error("what was kept local or dropped has been sent")
	}
}

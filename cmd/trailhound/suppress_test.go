package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"trailhound/agent/config"
	"trailhound/agent/event"
	"trailhound/agent/status"
	"trailhound/agent/suppress"
	"trailhound/outputs/journal"
)

// pastEvent is the nth event of the tests' journal, one a minute.
func pastEvent(n int) event.Event {
	at := time.Date(2026, 2, 16, 8, n, 0, 0, time.UTC)
	return event.Event{ID: event.ReplayID([32]byte{7}, uint64(n), event.TrailDNS, 0), Time: at, Type: event.DNS, Code: event.TrailDNS,
		Severity: event.High, Confidence: 90, Trail: "cdn.vendor.test", Indicator: "cdn.vendor.test", Info: "lumma (malware)", Reference: "(static)",
		Src: netip.MustParseAddr("10.3.7.20"), Dst: netip.MustParseAddr("10.0.0.53"), SrcPort: 51514, DstPort: 53, Protocol: "UDP",
		Aggregate: event.Aggregate{Count: 1}}
}

// pastID is the text of its id.
func pastID(e *event.Event) string { return uuid.UUID(e.ID).String() }

// withPast makes a state directory whose journal has: three events of 10.3.7.20,
// the last of them a summary of 40, two of 10.9.9.9, and a health event.
func withPast(t *testing.T) (state string, events []event.Event) {
	t.Helper()
	state = t.TempDir()
	for n := range 5 {
		e := pastEvent(n)
		if n >= 3 {
			e.Src, e.Indicator, e.Trail = netip.MustParseAddr("10.9.9.9"), "other.test", "other.test"
		}
		if n == 2 {
			e.Aggregate = event.Aggregate{Summary: true, Count: 40, First: e.Time, Last: e.Time.Add(time.Minute)}
		}
		events = append(events, e)
	}
	events = append(events, event.NewHealth(events[4].Time.Add(time.Minute), event.HealthCanary, "a test", event.HealthFacts{State: event.Noted}))
	j := journal.Open(journal.Options{Path: filepath.Join(state, "journal")})
	j.Append(events)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return state, events
}

// suppressRun runs a command in a state directory, with a configuration below
// suppress and without a sensor to ask.
func suppressRun(t *testing.T, state, stdin, rules string, args ...string) (code int, out, errs string) {
	t.Helper()
	path := writeTest(t, filepath.Join(state, "config.yaml"), "state: "+state+"\nstatus: {listen: \"\"}\noutputs: []\n"+rules)
	var o, e bytes.Buffer
	code = execute(context.Background(), &streams{strings.NewReader(stdin), &o, &e}, append(args, "-c", path))
	return code, o.String(), e.String()
}

const vendorRule = `suppress:
  rules:
    - {name: vendor, reason: same CDN, owner: ops, action: drop, source: [10.3.7.20], trail: ["*.vendor.test"]}
    - {name: quiet, reason: trial, action: local, source: [10.9.0.0/16]}
    - {name: softer, reason: trial, action: lower, to: low, code: [trail.*], sensors: [nobody]}
    - {name: none, reason: nothing, action: drop, port: [9999], expires: 2026-01-01}
`

func TestSuppressTest(t *testing.T) {
	state, _ := withPast(t)
	file := writeTest(t, filepath.Join(state, "rules.yaml"), "rules:\n- {name: a, reason: r, action: drop, source: [10.9.9.9]}\n- {name: b, reason: r, action: drop, vlan: [1]}\n")
	bad := writeTest(t, filepath.Join(state, "bad.yaml"), "rules:\n- {name: a, reason: r, action: hide, source: [10.9.9.9/8]}\n")
	for _, c := range []struct {
		args, stdin string
		code        int
		out, errs   []string
	}{
		{args: "vendor", out: []string{"vendor would have hidden 3 of 5 events of the journal ", "(60%), which stand for 42 detections\nfrom 2026-02-16 08:00:00 to 2026-02-16 08:02:00 UTC\n",
			"1 summary among them: ", "1 example, each another finding:\nTIME", "02-16 08:00:00 high", "cdn.vendor.test"}},
		{args: "vendor --examples 0", out: []string{"3 of 5 events"}},
		{args: "vendor --since 2026-02-16T08:01:00Z", out: []string{"2 of 4 events"}},
		{args: "vendor --since 1h", out: []string{"0 of 0 events"}},
		{args: "quiet", out: []string{"quiet would have kept local 2 of 5 events"}},
		{args: "softer", out: []string{"softer would have lowered 5 of 5 events", "on this sensor it would do nothing"}},
		{args: "none", out: []string{"none would have hidden 0 of 5 events of the journal"}},
		{args: file, out: []string{"a would have hidden 2 of 5", "\n\nb would have hidden 0 of 5"}},
		{args: "-", stdin: "rules:\n- {name: x, reason: \"\", action: drop, source: [10.9.9.9]}\n", out: []string{"x would have hidden 2 of 5"},
			errs: []string{"rule x has no reason: the sensor refuses it"}},
		{args: "-", stdin: "rules: []\n", code: exitConfig, errs: []string{"standard input: no rule is in it"}},
		{args: "-", stdin: "- a\n", code: exitConfig, errs: []string{"want one key, rules"}},
		{args: bad, code: exitConfig, errs: []string{bad + ":2: suppression rule \"a\": action: ", "source: \"10.9.9.9/8\" has host bits"}},
		{args: "nosuch", code: exitUsage, errs: []string{`has no rule "nosuch"`, "./nosuch"}},
		{args: "./nosuch.yaml", code: exitFailed, errs: []string{"cannot read rule file \"./nosuch.yaml\": no such file"}},
		{args: "", code: exitUsage, errs: []string{"no rule is named"}},
		{args: "vendor --examples -1", code: exitUsage, errs: []string{"--examples -1"}},
		{args: "vendor --since soon", code: exitUsage, errs: []string{"--since"}},
		{args: "vendor --journal " + filepath.Join(state, "nowhere"), code: exitFailed, errs: []string{"there is no journal in"}},
	} {
		code, out, errs := suppressRun(t, state, c.stdin, vendorRule, append([]string{"suppress", "test"}, strings.Fields(c.args)...)...)
		if code != c.code || len(c.errs) == 0 && errs != "" {
			t.Errorf("%s: code %d, %s", c.args, code, errs)
		}
		for _, want := range c.out {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %q in\n%s", c.args, want, out)
			}
		}
		for _, want := range c.errs {
			if !strings.Contains(errs, want) {
				t.Errorf("%s: no %q in\n%s", c.args, want, errs)
			}
		}
	}
	// A rule of the configuration that is wrong is named, with its place.
	code, _, errs := suppressRun(t, state, "", "suppress:\n  rules:\n    - {name: vendor, action: drop, source: [10.3.7.20]}\n", "suppress", "test", "vendor")
	if code != exitConfig || !strings.Contains(errs, "config.yaml:6:7: suppress.rules.vendor.reason: missing") {
		t.Errorf("code %d, %s", code, errs)
	}
}

func TestSuppressTestOfCapture(t *testing.T) {
	r := newReplayed(t)
	file := r.capture(t, "a.pcap", 3)
	rule := writeTest(t, filepath.Join(r.dir, "rule.yaml"), "rules:\n- {name: a, reason: r, action: drop, source: [10.0.0.2], trail: [\"*.evil.example\"]}\n")
	code, out, errs := suppressRun(t, r.dir, "", "", "suppress", "test", rule, "--capture", file, "--trails", r.trails)
	if code != exitDone || !strings.Contains(out, "a would have hidden 1 of 3 events in "+file) {
		t.Errorf("code %d\n%s%s", code, out, errs)
	}
	code, out, errs = suppressRun(t, r.dir, "", "", "suppress", "test", rule, "--capture", file, "--capture", filepath.Join(r.dir, "none.pcap"), "--trails", r.trails)
	if code != exitFailed || !strings.Contains(out, "1 of 3 events") || !strings.Contains(errs, "none.pcap") {
		t.Errorf("code %d\n%s%s", code, out, errs)
	}
}

func TestSuppressFromEvent(t *testing.T) {
	state, events := withPast(t)
	code, rule, errs := suppressRun(t, state, "", "", "suppress", "from-event", pastID(&events[1]))
	if code != exitDone || errs != "" {
		t.Fatalf("code %d, %s", code, errs)
	}
	for _, want := range []string{"rules:\n- name: ", "reason: \"\"", "action: drop", `source: ["10.3.7.20"]`, `trail: ["cdn.vendor.test"]`, `info: ["lumma (malware)"]`} {
		if !strings.Contains(rule, want) {
			t.Errorf("no %q in\n%s", want, rule)
		}
	}
	code, out, errs := suppressRun(t, state, rule, "", "suppress", "test", "-")
	if code != exitDone || !strings.Contains(out, "would have hidden 3 of 5") || !strings.Contains(errs, "no reason") {
		t.Errorf("code %d\n%s%s", code, out, errs)
	}
	for _, c := range []struct {
		id   string
		code int
		want string
	}{
		{"7", exitUsage, `"7" is no id of an event`},
		{uuid.Nil.String(), exitFailed, "it holds the numbers 1 to 6"},
		{pastID(&events[5]), exitFailed, "is a health event (health.canary)"},
	} {
		if code, _, errs := suppressRun(t, state, "", "", "suppress", "from-event", c.id); code != c.code || !strings.Contains(errs, c.want) {
			t.Errorf("%s: code %d, %s", c.id, code, errs)
		}
	}
}

func TestSuppressList(t *testing.T) {
	state := t.TempDir()
	const odd = vendorRule + "    - {name: wrong, action: drop, source: [10.3.7.20]}\n"
	code, out, errs := suppressRun(t, state, "", odd, "suppress", "list")
	const want = `RULE    ACTION  STATE      HITS  LAST HIT  EXPIRES     OWNER  REASON
vendor  drop    active     0     never     never       ops    same CDN
quiet   local   active     0     never     never       -      trial
softer  lower   elsewhere  0     never     never       -      trial
none    drop    expired    0     never     2026-01-01  -      nothing
refused: 1
`
	if code != exitDone || !strings.HasPrefix(out, want) || !strings.Contains(out, "suppress.rules.wrong.reason: missing") || errs != "" {
		t.Errorf("code %d\n%s%s", code, out, errs)
	}
	if code, out, _ := suppressRun(t, state, "", "", "suppress", "list"); code != exitDone || out != "no suppression rules\n" {
		t.Errorf("code %d\n%s", code, out)
	}
	var list status.Suppress
	code, out, _ = suppressRun(t, state, "", odd, "suppress", "list", "--json")
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != exitDone || list.Active != 2 || list.Expired != 1 || list.Elsewhere != 1 || list.Refused != 1 || len(list.Rules) != 4 {
		t.Errorf("code %d, %v: %+v", code, err, list)
	}
	// Of a running sensor, whatever it says.
	evil := "a\x1b[2J\nb"
	address := statusServer(t, func() status.Snapshot {
		s := statusSample()
		s.Suppress = status.Suppress{Active: 1, Refused: 1, Problems: []string{evil},
			Rules: []status.Rule{{ID: evil, Action: evil, State: evil, Reason: evil, Owner: evil, Expires: evil, Hits: 12, LastHit: statusNoon.Add(-time.Hour), Searched: true}}}
		return s
	})
	code, out, errs = suppressRun(t, state, "", "", "suppress", "list", "--address", address)
	if code != exitDone || strings.Contains(out, "\x1b") || strings.Count(out, "\n") != 4 || !strings.Contains(out, " *  ") || !strings.Contains(out, "12    60 minutes ago") {
		t.Errorf("code %d\n%q%s", code, out, errs)
	}
	if code, _, errs := suppressRun(t, state, "", "", "suppress", "list", "--address", "unix:"+filepath.Join(state, "none.sock")); code != exitFailed || !strings.Contains(errs, "cannot ask a sensor") {
		t.Errorf("code %d, %s", code, errs)
	}
	code, out, errs = suppressRun(t, state, "", vendorRule, "suppress", "list", "--set", "status.listen=unix:"+filepath.Join(state, "none.sock"))
	if code != exitDone || !strings.Contains(out, "vendor  drop") || !strings.Contains(errs, "without hits") {
		t.Errorf("code %d, %s", code, errs)
	}
}

// config check names all that is wrong, whatever else is in force.
func TestConfigCheckOfRules(t *testing.T) {
	state := t.TempDir()
	path := func(name string) string { return filepath.Join(state, name) }
	writeTest(t, path("fleet.yaml"), "rules:\n- {name: fleet, reason: r, action: drop, source: [nowhere]}\n- {name: good, reason: r, action: drop, source: [private]}\n- {name: twice, reason: r, action: drop, port: [1]}\n")
	writeTest(t, path("list"), "10.0.0.1;*;*;*\nodd\n")
	good := "suppress: {rules: [{name: twice, reason: r, action: drop, port: [2]}], ignore: [" + path("list") + "], ignore_regex: cdn}\n"
	if code, out, errs := suppressRun(t, state, "", good, "config", "check"); code != exitDone || !strings.Contains(out, "valid") || !strings.Contains(errs, "1 line without three semicolons, the first in line 2") {
		t.Errorf("code %d\n%s%s", code, out, errs)
	}
	wrong := "suppress:\n  rules: [{name: twice, reason: r, action: drop, port: [2]}, {name: a, reson: r, action: drop}, {name: all, reason: r, action: drop}]\n" +
		"  files: [" + path("fleet.yaml") + ", " + path("none.yaml") + "]\n  ignore: [" + path("gone") + "]\n  ignore_regex: \"(\"\n"
	code, _, errs := suppressRun(t, state, "", wrong, "config", "check")
	if code != exitConfig {
		t.Errorf("code %d", code)
	}
	for _, want := range []string{
		"config.yaml:5:62: suppress.rules.a.reason: missing", "suppress.rules.a.reson: unknown key, did you mean suppress.rules.a.reason?",
		`suppression rule "all": holds for every event`, "config.yaml:5:", path("fleet.yaml") + `:2: suppression rule "fleet": source: "nowhere" is no address`,
		path("fleet.yaml") + `:4: suppression rule "twice": name: another rule has it`, `cannot read rule file "` + path("none.yaml") + `"`,
		`suppress.ignore: cannot read ignore list "` + path("gone") + `"`, "suppress.ignore_regex: ignore expression is switched off",
	} {
		if !strings.Contains(errs, want) {
			t.Errorf("no %q in\n%s", want, errs)
		}
	}
	for line := range strings.Lines(errs) {
		if !strings.HasPrefix(line, "trailhound: ") {
			t.Errorf("a line is %q", line)
		}
	}
}

// Reading again gives the same hash and keeps hits; a file that changed gives
// another.
func TestSuppressionReload(t *testing.T) {
	dir := t.TempDir()
	file := writeTest(t, filepath.Join(dir, "f.yaml"), "rules:\n- {name: a, reason: r, action: drop, port: [53]}\n")
	c := config.Default()
	c.Suppress.Files = []string{file}
	open := func(old *suppress.Set) *suppression {
		t.Helper()
		s, err := openSuppression(c, &event.Identity{Name: "x"}, old)
		if err != nil || len(s.refused) > 0 {
			t.Fatal(err, s.refused)
		}
		return s
	}
	first := open(nil)
	e := pastEvent(0)
	suppress.New(suppress.Options{Rules: first.rules}).Take(e, func(event.Event) { t.Error("it passes") })
	again := open(first.rules)
	if again.hash != first.hash || again.rules.List(time.Now())[0].Hits != 1 || again.ignore != nil {
		t.Errorf("%+v", again)
	}
	writeTest(t, file, "rules:\n- {name: a, reason: r, action: drop, port: [54]}\n")
	if other := open(first.rules); other.hash == first.hash || other.rules.List(time.Now())[0].Hits != 0 {
		t.Errorf("%+v", other)
	}
	list := writeTest(t, filepath.Join(dir, "list"), "10.3.7.20;*;*;*\n")
	c.Suppress.Ignore = []string{list}
	before := open(nil)
	if !before.ignore.Match(&e) {
		t.Error("not ignored")
	}
	writeTest(t, list, "10.3.7.21;*;*;*\n")
	if after := open(nil); after.hash == before.hash || after.ignore.Match(&e) {
		t.Errorf("%+v", after)
	}
	// What is wrong costs no other rule.
	c.Suppress.Files = append(c.Suppress.Files, filepath.Join(dir, "none"))
	if s, err := openSuppression(c, nil, nil); err != nil || s.refusedRules() != 1 || s.rules.Len() != 1 {
		t.Errorf("%v %+v", err, s)
	}
}

// Rules hold in a replay, too.
func TestReplayWithRules(t *testing.T) {
	r := newReplayed(t)
	file := r.capture(t, "a.pcap", 3)
	writeTest(t, filepath.Join(r.dir, "list"), "10.0.0.3;*;*;*\n")
	for rules, want := range map[string]string{
		"[{name: a, reason: r, action: drop, source: [10.0.0.2]}]":                     "3 detected, 0 whitelisted, 1 dropped by rules, 1 ignored, 0 folded into 0 summaries, 1 shown",
		"[{name: a, reason: r, action: lower, source: [10.0.0.2]}, {name: b}]":         "3 detected, 0 whitelisted, 1 ignored, 0 folded into 0 summaries, 2 shown",
		"[{name: a, reason: r, action: drop, code: [trail.dns], expires: 2000-01-01}]": "3 detected, 0 whitelisted, 1 ignored, 0 folded into 0 summaries, 2 shown",
	} {
		code, _, errs := suppressRun(t, r.dir, "", "suppress: {ignore: ["+filepath.Join(r.dir, "list")+"], rules: "+rules+"}\n", "replay", "--trails", r.trails, "--whitelist", "none", file)
		if code != exitDone || !strings.Contains(errs, want) {
			t.Errorf("%s: code %d\n%s", rules, code, errs)
		}
		if strings.Contains(rules, "{name: b}") != strings.Contains(errs, "not in force: ") {
			t.Errorf("%s:\n%s", rules, errs)
		}
	}
}

func TestCheckpointFile(t *testing.T) {
	dir := t.TempDir()
	c := &checkpoint{path: filepath.Join(dir, checkpointFile), buf: []byte("one")}
	for _, text := range []string{"one", "two, which is longer", ""} {
		c.buf = []byte(text)
		if err := c.write(); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(c.path); err != nil || string(b) != text {
			t.Errorf("%q %v", b, err)
		}
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
		t.Errorf("%v %v", list, err)
	}
	for range 2 {
		if err := c.remove(); err != nil {
			t.Error(err)
		}
	}
	// The events that it counts on go first, and without them it does not.
	c.buf = []byte("three")
	for _, fault := range []error{nil, errors.New("the disk fails")} {
		was, _ := os.ReadFile(c.path)
		err := c.keep(func() error {
			if now, _ := os.ReadFile(c.path); string(now) != string(was) {
				t.Error("it is written before the events are on the disk")
			}
			return fault
		})
		if now, _ := os.ReadFile(c.path); !errors.Is(err, fault) || string(now) != "three" {
			t.Errorf("%v: %v, %q", fault, err, now)
		}
		c.buf = []byte("four, which is never written")
	}
	c.path = filepath.Join(dir, "none", checkpointFile)
	if err := c.write(); err == nil {
		t.Error("written into a directory that is not there")
	}
}

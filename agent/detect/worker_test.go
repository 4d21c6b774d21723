package detect

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/agent/packet"
	"trailhound/agent/protocol/http"
	"trailhound/tests/corpus"
	"trailhound/trails"
	"trailhound/trails/table"
	"trailhound/trails/whitelist"
)

// rulesOf compiles trails of info "malware".
func rulesOf(t testing.TB, opt Options, list ...string) *Rules {
	t.Helper()
	b := table.NewBuilder(table.Options{Seed: 1, Now: corpus.Start})
	for _, text := range list {
		kind, key, err := trails.AppendKey(nil, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		b.Add(kind, key, b.Provenance(trails.Provenance{Info: "malware", Reference: "(static)"}))
	}
	tab, err := b.Memory()
	if err != nil {
		t.Fatal(err)
	}
	r := NewRules(tab, nil, opt)
	if len(r.Unusable) > 0 {
		t.Fatal(r.Unusable)
	}
	return r
}

// worker makes a worker that keeps its events.
func worker(r *Rules) (*Worker, *[]event.Event) {
	var events []event.Event
	w := NewWorker(r)
	w.Emit = func(e event.Event) { events = append(events, e) }
	return w, &events
}

func frame(w *Worker, p corpus.Packet, at time.Time) {
	w.Frame(packet.LinkEthernet, p.Ethernet().Data, at, 1)
}

// TestCleanCachesBelongToTheRules holds D 19.18: what was clean under one table
// is looked up anew under the next.
func TestCleanCachesBelongToTheRules(t *testing.T) {
	query := corpus.IP("10.0.0.1", "8.8.8.8", corpus.UDP(1, 53, corpus.Query(corpus.Ask("www.evil.example"))))
	get := corpus.IP("10.0.0.1", "203.0.113.1", corpus.Data(1, 80, corpus.Get("clean.example", "/", "User-Agent: EvilBot/7")))
	w, events := worker(rulesOf(t, Options{}))
	for i := range 3 {
		frame(w, query, corpus.Start.Add(time.Duration(i)*time.Second))
		frame(w, get, corpus.Start.Add(time.Duration(i)*time.Second))
	}
	if _, clean := w.cleanNames.class(w.cleanNames.hash([]byte("www.evil.example"))); len(*events) != 0 || !clean || !w.cleanAgents.has(w.cleanAgents.hash([]byte("EvilBot/7"))) {
		t.Fatalf("%d events, or not remembered as clean", len(*events))
	}
	w.SetRules(rulesOf(t, Options{}, "evil.example", "ua:evilbot"))
	frame(w, query, corpus.Start.Add(4*time.Second))
	frame(w, get, corpus.Start.Add(4*time.Second))
	if len(*events) != 2 || (*events)[0].Trail != "(www).evil.example" || (*events)[1].Trail != "EvilBot(/7)" {
		t.Errorf("%+v", *events)
	}
	// And what is listed is never clean.
	frame(w, query, corpus.Start.Add(5*time.Second))
	if len(*events) != 3 {
		t.Errorf("%d events", len(*events))
	}
	w.SetRules(NoRules())
	frame(w, query, corpus.Start.Add(6*time.Second))
	frame(w, corpus.IP("10.0.0.1", "203.0.113.1", corpus.Data(1, 80, corpus.Get("203.0.113.1", "/mips"))), corpus.Start)
	if len(*events) != 3 {
		t.Errorf("no rules raised %+v", (*events)[3:])
	}
}

func TestCleanIsBounded(t *testing.T) {
	c := newClean(8)
	for i := range 1000 {
		h := c.hash(fmt.Append(nil, i))
		if c.add(h); !c.has(h) || h == 0 {
			t.Fatal("just added and not there")
		}
	}
	if len(c.slots) != 8 {
		t.Errorf("%d slots", len(c.slots))
	}
	c.reset()
	for i := range 1000 {
		if c.has(c.hash(fmt.Append(nil, i))) {
			t.Fatal("there after a reset")
		}
	}
	none := newClean(0)
	h := none.hash([]byte("x"))
	if none.add(h); none.has(h) {
		t.Error("a cache of nothing remembers")
	}
}

func TestRepeatsAreBounded(t *testing.T) {
	r := newRepeats()
	p := &packet.Packet{Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2"), Proto: packet.ProtoUDP, Time: corpus.Start}
	for i := range 3 * maxRepeats {
		p.SrcPort, p.DstPort = uint16(i), uint16(i>>16)
		if r.again(p, 0) {
			t.Fatalf("flow %d is no repeat", i)
		}
		if !r.again(p, 0) {
			t.Fatalf("flow %d is one", i)
		}
		if len(r.last) > maxRepeats {
			t.Fatalf("%d flows", len(r.last))
		}
	}
	r = newRepeats()
	if r.again(p, 0) || r.again(p, digest([]byte("x"))) || !r.again(p, digest([]byte("x"))) || r.again(p, digest([]byte("y"))) {
		t.Error("messages of one flow are told apart")
	}
	p.Time = p.Time.Add(999 * time.Millisecond)
	if !r.again(p, 0) {
		t.Error("the same second")
	}
	p.Time = p.Time.Add(time.Millisecond)
	if r.again(p, 0) {
		t.Error("the next second")
	}
	p.Time = corpus.Start
	if r.again(p, 0) {
		t.Error("a second before: the clock stepped back")
	}
}

func TestDigestIsNeverAFlow(t *testing.T) {
	long := strings.Repeat("x", 64)
	if digest(nil) == 0 || digest([]byte(long)) == digest([]byte(long+"y")) || digest([]byte(long+"z")) != digest([]byte(long+"y")) {
		t.Error("length and first 64 bytes make the digest")
	}
}

// TestSecretsInEvents holds that neither trail nor evidence of a request tells
// a secret, and that other protocols' text is left alone.
func TestSecretsInEvents(t *testing.T) {
	list := []string{"/login.php", "/x?pass=hunter2", "pass=x.example"}
	request := func(target string) corpus.Packet {
		return corpus.IP("10.0.0.1", "203.0.113.1", corpus.Data(1, 80, corpus.Get("shop.example", target)))
	}
	for _, redact := range []bool{true, false} {
		w, events := worker(rulesOf(t, Options{Redact: redact}, list[:2]...))
		frame(w, request("/login.php?user=u&password=hunter2&x=1"), corpus.Start)
		frame(w, request("/x?pass=hunter2"), corpus.Start)
		if len(*events) != 2 {
			t.Fatalf("%d events", len(*events))
		}
		for _, e := range *events {
			for _, text := range []string{e.Trail, e.Observable, e.HTTP.Target} {
				if strings.Contains(text, "hunter2") == redact || text == "" {
					t.Errorf("redact %v: %q", redact, text)
				}
			}
		}
		if e := (*events)[0]; redact && (e.HTTP.Target != "/login.php?user=u&password=***&x=1" || e.Trail != "(shop.example)/login.php(?user=u&password=***&x=1)") {
			t.Errorf("%q %q", e.HTTP.Target, e.Trail)
		}
	}
}

// TestHarmlessAndWhitelistedAgents: neither is raised.
func TestHarmlessAndWhitelistedAgents(t *testing.T) {
	r := rulesOf(t, Options{Heuristics: true, UserAgents: []byte("masscan\n")}, "ua:evilbot")
	white, err := whitelist.New("ua:evilbot")
	if err != nil {
		t.Fatal(err)
	}
	agents := []string{"masscan/1", "masscan SOPHOS", "EvilBot/1", "evilbot sdds", "ok"}
	for name, c := range map[string]struct {
		rules *Rules
		want  string
	}{
		"both":        {r, "masscan(/1) EvilBot(/1)"},
		"whitelisted": {NewRules(r.Table(), white, r.opt), "masscan(/1)"},
	} {
		w, events := worker(c.rules)
		for range 2 {
			for i, a := range agents {
				frame(w, corpus.IP("10.0.0.1", "203.0.113.1", corpus.Data(uint16(i), 80, corpus.Get("x.example", "/", "User-Agent: "+a))), corpus.Start)
			}
		}
		var got []string
		for _, e := range (*events)[:len(*events)/2] {
			got = append(got, e.Trail)
		}
		if g := strings.Join(got, " "); g != c.want {
			t.Errorf("%s: %s, want %s", name, g, c.want)
		}
	}
}

// TestDisabledCodes: a code that is switched off raises nothing.
func TestDisabledCodes(t *testing.T) {
	p := corpus.IP("10.0.0.1", "203.0.113.1", corpus.Data(1, 80, corpus.Get("x.example", "/evil.php", "User-Agent: masscan")))
	for _, code := range []event.Code{"", event.TrailURL, event.HTTPUA} {
		w, events := worker(rulesOf(t, Options{Heuristics: true, UserAgents: []byte("masscan\n"), Disabled: map[event.Code]bool{code: true}}, "/evil.php"))
		frame(w, p, corpus.Start)
		want := 1
		if code == "" {
			want = 2
		}
		if len(*events) != want {
			t.Errorf("without %q: %d events", code, len(*events))
		}
		for _, e := range *events {
			if e.Code == code {
				t.Errorf("%s is off", code)
			}
		}
	}
}

// TestDisabledCategory: a category that is switched off hides no other, in path and
// body, with pluses for blanks and after a reload; an explanation names it.
func TestDisabledCategory(t *testing.T) {
	off := rulesOf(t, Options{Heuristics: true, Disabled: map[event.Code]bool{event.HTTPSQLi: true}})
	on := rulesOf(t, Options{Heuristics: true})
	const sql, script = "' or 1=1", "<script>alert(1)</script>"
	for _, c := range []struct {
		target, body string
		off, on      event.Code
	}{
		{"/x?id=" + sql, "", "", event.HTTPSQLi},
		{"/x?id=" + sql + script, "", event.HTTPXSS, event.HTTPSQLi},
		{"/x?id=" + sql + script, "a=../../../etc/passwd", event.HTTPXSS, event.HTTPSQLi},
		{"/x?id=" + sql, "a=../../../etc/passwd", event.HTTPTraversal, event.HTTPSQLi},
		{"/x", "a=" + sql + script, event.HTTPXSS, event.HTTPSQLi},
		{"/x?id=union+select+a&c=chmod+%2bx+a", "", event.HTTPRCE, event.HTTPSQLi},
		{"/setup.exe?" + sql[:len(sql)-2], "", event.HTTPDownload, event.HTTPDownload},
	} {
		w, events := worker(on)
		p := corpus.IP("10.0.0.1", "203.0.113.1", corpus.Data(1, 80, corpus.Request("POST", c.target, []string{"Host: x.example"}, c.body)))
		for i, want := range []event.Code{c.on, c.off, c.on} {
			w.SetRules([]*Rules{on, off}[i%2])
			*events = nil
			var trace Trace
			w.SetTrace(&trace)
			frame(w, p, corpus.Start.Add(time.Duration(i)*time.Minute))
			var got event.Code
			if len(*events) > 0 {
				got = (*events)[0].Code
			}
			if len(*events) > 1 || got != want {
				t.Errorf("%s %s, rules %d: %d events, the first %q, want %q", c.target, c.body, i%2, len(*events), got, want)
			}
			told := slices.ContainsFunc(trace.Steps, func(s Step) bool { return s.Text == string(event.HTTPSQLi) && s.Why == whyDisabled })
			if told != (i%2 == 1 && c.on == event.HTTPSQLi) {
				t.Errorf("%s %s, rules %d: named as switched off: %v", c.target, c.body, i%2, told)
			}
		}
	}
}

// TestCleanPaths: a path that was clean is asked about no more, and only one that
// is clean whoever asks for it, and whatever follows the head.
func TestCleanPaths(t *testing.T) {
	rules := rulesOf(t, Options{Heuristics: true, HostDomains: true}, "/listed.php", "host.example/only", "/x?cmd=ls", "/form?a=1")
	w, events := worker(rules)
	n := 0
	send := func(host, target, body string) int {
		n++
		before := len(*events)
		payload := corpus.Request("GET", target, []string{"Host: " + host, "User-Agent: x"}, body)
		frame(w, corpus.IP("10.0.0.1", "203.0.113.1", corpus.Data(uint16(1000+n), 80, payload)), corpus.Start.Add(time.Duration(n)*time.Second))
		return len(*events) - before
	}
	for _, c := range []struct {
		host, target, body string
		events             int
		clean              bool
	}{
		{"a.example.net", "/a/b.html?x=1", "", 0, true},
		{"b.example.net", "/a/b.html?x=1", "", 0, true},                    // another host, the same path
		{"a.example.net", "/a/b.html?x=1", "id=1 union select 1", 1, true}, // the path is, the body is not
		{"a.example.net", "/listed.php", "", 1, false},
		{"host.example", "/only", "", 1, false},
		{"host.example", "/other", "", 0, false}, // URLs of the host are listed
		{"a.example.net", "/only", "", 0, true},
		{"a.example.net:8080", "/port", "", 0, false},
		{"a.example.net", "/q?id=1%20union%20select%201", "", 1, false},
		{"a.example.net", "/a.exe", "", 1, false},
		{"a.example.net", "//slashes", "", 0, false},
		{"a.example.net", "/form", "a=1", 1, false},
		{"a.example.net", "/form", "", 0, true},
	} {
		for round := range 2 {
			if got := send(c.host, c.target, c.body); got != c.events {
				t.Errorf("%s%s, time %d: %d events", c.host, c.target, round, got)
			}
		}
		u := target{path: []byte(strings.ToLower(c.target)), far: true}
		r := http.Request{HeadEnd: true}
		if key, _ := w.pathKey(&r, &u); w.cleanPaths.has(key) != c.clean {
			t.Errorf("%s%s: remembered: %v", c.host, c.target, !c.clean)
		}
	}
	// A request whose head goes on is another one.
	u := target{path: []byte("/form"), far: true}
	if key, _ := w.pathKey(&http.Request{}, &u); w.cleanPaths.has(key) {
		t.Error("a head that is cut off")
	}
	w.SetRules(rules)
	if key, _ := w.pathKey(&http.Request{HeadEnd: true}, &u); w.cleanPaths.has(key) {
		t.Error("remembered under other rules")
	}
}

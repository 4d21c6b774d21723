package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/packet"
	. "trailhound/tests/corpus"
)

// answerTrails are what answers are matched with.
var answerTrails = []string{
	"198.51.100.90,sinkhole testsink (malware)",
	"198.51.100.91,parking site (suspicious)",
	"198.51.100.92,sinkhole",
	"66.66.66.66,malware (test)",
	"198.51.100.53,known attacker",
	"dead::beef,malware (test)",
	"198.18.0.0/24,botnet c2 (test)",
	"evil-parent.com,malware (test)",
	"other-evil.com,botnet c2 (test)",
	"sus.net,suspicious (test)",
}

// answer is a response of the resolver to the client's query for a name.
func answer(name string, records ...Resource) Frame {
	return eth(resolver, client, UDP(53, 50000, Reply(NoError, Query(Ask(name)), records...)))
}

// answeredBy is the event of such a response.
func answeredBy(second int, typeAndTrail string) string {
	return fmt.Sprintf("%d %s 53 %s 50000 UDP %s", second, resolver, client, typeAndTrail)
}

// answers makes a case of one response a second.
func answers(name string, wanted ...said) Case {
	c := Case{Name: name, Trails: answerTrails}
	for i, w := range wanted {
		c.Frames = append(c.Frames, At(i, w.frame))
		for _, e := range w.events {
			c.Events = append(c.Events, answeredBy(i, e))
		}
	}
	return c
}

type said struct {
	frame  Frame
	events []string
}

func says(f Frame, events ...string) said { return said{f, events} }

// TestAnswerAddresses holds the answer check of D 10.3, and what of it is only
// done with heuristics.
func TestAnswerAddresses(t *testing.T) {
	const (
		sunk   = "DNS (www.site).com | sinkholed by testsink (malware) | (heuristic)"
		nobody = "DNS (www.site).com | sinkholed by  (malware) | (heuristic)"
		parked = "DNS (www.site).com | parked site (suspicious) | (heuristic)"
		site   = "www.site.com"
		mapped = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc6\x33\x64\x5a" // 198.51.100.90
		sunkIP = "IP 198.51.100.90 (www.site.com) | sinkhole testsink (malware) | (static)"
		homely = "IP 198.51.100.90 (nas.lan) | sinkhole testsink (malware) | (static)"
		parkIP = "IP 198.51.100.91 (www.site.com) | parking site (suspicious) | (static)"
		malIP  = "IP 66.66.66.66 (www.site.com)" + malware
		second = "DNS (other).org | parked site (suspicious) | (heuristic)"
		netIP  = "IP 198.18.0.0/24 (198.18.0.7) (www.site.com)" + botnet
	)
	sinkhole, parking, evil, clean := Address("198.51.100.90"), Address("198.51.100.91"), Address("66.66.66.66"), Address("192.0.2.1")
	off := answers("no heuristics", says(answer(site, sinkhole), sunkIP), says(answer(site, parking, evil), parkIP, malIP))
	off.NoHeuristics = true
	runCases(t, []Case{
		answers("by info",
			says(answer(site, sinkhole), sunk), says(answer(site, parking), parked), says(answer(site, Address("198.51.100.92")), nobody),
			says(answer(site, evil), malIP), says(answer(site, clean)), says(answer(site)), says(answer(site, Address("198.51.100.53"), evil), malIP), says(answer("Other.ORG", parking), second),
			says(answer(site, Address("198.18.0.7")), netIP)),
		answers("one for a response, the first",
			says(answer(site, sinkhole, parking, Address("198.51.100.92")), sunk), says(answer(site, parking, sinkhole), parked),
			says(answer(site, clean, evil, sinkhole, evil), malIP, sunk)),
		answers("every record", // the reference stops at the first A record of any section
			says(answer(site, Leads(TypeCNAME, "cdn.site.net"), Resource{Owner: "cdn.site.net", Type: TypeA, Data: sinkhole.Data}), sunk),
			says(answer(site, clean, clean, parking), parked)),
		answers("mapped into IPv6", says(answer(site, Resource{Type: TypeAAAA, Data: mapped}), sunk)),
		answers("names that networks make up", says(answer("nas.lan", sinkhole), homely)),
		answers("codes that fail", says(eth(resolver, client, UDP(53, 50000, Reply(ServFail, Query(Ask(site)), sinkhole, evil)))),
			says(eth(resolver, client, UDP(53, 50000, Reply(NoSuchName, Query(Ask(site)), evil))), malIP)),
		answers("no answers", says(eth(resolver, client, UDP(53, 50000, Flagged(0xA980, Query(Ask(site)), evil)))), // to an update
			says(eth(client, resolver, UDP(53, 50000, Query(Ask(site)))))),
		whitelisted(answers("whitelisted", says(answer("a.ok.com", sinkhole)), says(answer("ok.com", evil, Leads(TypeCNAME, "evil-parent.com"))),
			says(answer(site, sinkhole), sunk), says(answer(site, evil))), "ok.com", "66.66.66.66"),
		off,
		{Name: "the same message twice in a second", Trails: answerTrails,
			Frames: []Stamped{At(0, answer(site, sinkhole)), At(0, answer(site, sinkhole)), At(1, answer(site, sinkhole))},
			Events: []string{answeredBy(0, sunk), answeredBy(1, sunk)}},
	})
}

// worked runs frames through a worker and gives its events.
func worked(rules *detect.Rules, frames ...Frame) (events []event.Event) {
	w := detect.NewWorker(rules)
	w.Emit = func(e event.Event) { events = append(events, e) }
	for i, f := range frames {
		w.Frame(packet.LinkType(f.Link), f.Data, At(i, f).Time, uint64(i+1))
	}
	return events
}

// TestAnswerEvents: codes, direction and facts.
func TestAnswerEvents(t *testing.T) {
	c := Case{Trails: answerTrails}
	home := event.NewHomeNetworks(private)
	rules := func(disabled ...event.Code) *detect.Rules {
		opt := detect.Options{Heuristics: true, Home: home, Disabled: map[event.Code]bool{}}
		for _, d := range disabled {
			opt.Disabled[d] = true
		}
		return detect.NewRules(caseRules(t, &c).Table(), nil, opt)
	}
	response := Reply(NoError, Query(Question{Name: "www.site.com", Type: TypeAAAA, Class: ClassIN}), Leads(TypeCNAME, "a.evil-parent.com"),
		Leads(TypeTXT, "x"), Address("dead::beef"), Address("66.66.66.66"), Address("198.51.100.90"))
	f := eth(resolver, client, UDP(53, 50000, response))
	events := worked(rules(), f)
	var got []string
	for _, e := range events {
		got = append(got, fmt.Sprintf("%s %s", e.Code, e.Trail))
		if e.Direction != event.Outbound || e.Src.String() != resolver || e.Application != "dns" {
			t.Errorf("%s: %s from %s, %s", e.Code, e.Direction, e.Src, e.Application)
		}
		if d := e.DNS; d.Question != "www.site.com" || d.Type != TypeAAAA || !d.HasRCode || d.RCode != NoError ||
			strings.Join(d.Answers, " ") != "a.evil-parent.com dead::beef 66.66.66.66 198.51.100.90" {
			t.Errorf("%s: facts %+v", e.Code, d)
		}
	}
	want := []string{"trail.dns.answer (a).evil-parent.com", "trail.ip.answer dead::beef (www.site.com)", "trail.ip.answer 66.66.66.66 (www.site.com)",
		"dns.sinkholed (www.site).com"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for i, code := range []event.Code{event.TrailDNSAnswer, event.TrailIPAnswer, event.TrailIPAnswer, event.DNSSinkholed} {
		left := worked(rules(code), f)
		if slices.ContainsFunc(left, func(e event.Event) bool { return e.Code == code }) || len(left) == 0 || len(left) == len(want) {
			t.Errorf("without %s: %v", want[i], lines(left))
		}
	}
	// The codes of what was asked for and spoken to are others.
	asked := worked(rules(event.TrailDNSAnswer, event.TrailIPAnswer), query("evil-parent.com"), eth(client, "66.66.66.66", Syn(1, 443)))
	if len(asked) != 2 || asked[0].Code != event.TrailDNS || asked[1].Code != event.TrailIP || asked[0].DNS.HasRCode {
		t.Errorf("%v", lines(asked))
	}
	var many []Resource
	for i := range 40 {
		many = append(many, Address(fmt.Sprintf("198.18.0.%d", i)))
	}
	if all := worked(rules(), answer("www.site.com", many...)); len(all) != 40 || len(all[0].DNS.Answers) != event.MaxAnswers {
		t.Errorf("%d events of 40 addresses", len(all))
	}
}

// writeCase writes the capture of a case to a file.
func writeCase(t testing.TB, c Case) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "capture.pcap")
	if err := os.WriteFile(path, c.File(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

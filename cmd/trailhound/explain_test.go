package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"trailhound/tests/corpus"
)

var trailCount = regexp.MustCompile(`[0-9]+ trails of the starter set`)

// TestExplainDemo explains packets of the demo with the starter set: an address in
// a network, a user agent, an answer, a handshake, a repeat, a URL, and nothing.
func TestExplainDemo(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join("..", "..", "tests", "corpus", "demo.pcap")
	var all strings.Builder
	for _, n := range []int{8, 10, 12, 19, 32, 33, 43, 58} {
		code, out, errs := trailsRun(t, dir, "explain", file, "-p", fmt.Sprint(n))
		if code != exitDone || strings.Contains(errs, "trailhound: packet") {
			t.Fatalf("packet %d: code %d, %s", n, code, errs)
		}
		all.WriteString(trailCount.ReplaceAllString(out, "N trails of the starter set") + "\n")
	}
	golden(t, "explain_demo.txt", all.String())
}

// explainCase is a packet that is not as the demo's.
type explainCase struct {
	name   string
	frames []corpus.Frame // a second apart; the last one is explained
	config string         // more of it
	burst  bool           // all in one second
}

func explainCases() []explainCase {
	eth := func(src, dst string, s corpus.Segment) corpus.Frame { return corpus.IP(src, dst, s).Ethernet() }
	query := func(name string) corpus.Frame {
		return eth("10.0.0.1", "8.8.8.8", corpus.UDP(50000, 53, corpus.Query(corpus.Ask(name))))
	}
	get := func(host, target string) corpus.Frame {
		return eth("10.0.0.1", "198.51.100.2", corpus.TCP(50000, 80, corpus.PSH|corpus.ACK, corpus.Get(host, target)))
	}
	greet := func(payload string) corpus.Frame {
		return eth("10.0.0.1", "198.51.100.2", corpus.Data(50000, 443, payload))
	}
	beacon := eth("10.0.0.1", "66.66.66.66", corpus.Syn(40000, 8443))
	var scan, missing []corpus.Frame
	for i := range 11 {
		scan = append(scan, eth("203.0.113.9", "10.0.0.1", corpus.Syn(40000, uint16(1000+i))))
	}
	for range 22 {
		missing = append(missing, eth("8.8.8.8", "10.0.0.1", corpus.UDP(53, 50000, corpus.Reply(3, corpus.Query(corpus.Ask("no.qzxkvbnwpt.com"))))))
	}
	return []explainCase{
		{name: "an attacker as destination", frames: []corpus.Frame{eth("10.0.0.1", "66.66.66.66", corpus.Syn(40000, 80))}},
		{name: "an attacker as source, with a tag", frames: []corpus.Frame{corpus.IP("66.66.66.66", "10.0.0.1", corpus.Syn(40000, 80)).VLAN(12).Ethernet()}},
		{name: "a whitelisted side", frames: []corpus.Frame{eth("66.66.66.66", "17.1.2.3", corpus.Syn(40000, 80))}},
		{name: "a name whose parent is whitelisted", frames: []corpus.Frame{query("cdn.white.example")}},
		{name: "a dynamic domain itself", frames: []corpus.Frame{query("dyn.example")}},
		{name: "a name below it, dropped by a rule", frames: []corpus.Frame{query("a.dyn.example")}},
		{name: "a name known clean", frames: []corpus.Frame{query("www.fine.org"), query("www.fine.org")}},
		{name: "a long name", frames: []corpus.Frame{query("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.fine.org")}},
		{name: "an attack that is switched off", frames: []corpus.Frame{get("shop.org", "/x?f=../../../a")}},
		{name: "an attack", frames: []corpus.Frame{get("shop.org", "/items?id=1%20UNION%20ALL%20SELECT%20a%20FROM%20b")}},
		{name: "the eleventh port of a scan", frames: scan},
		{name: "the twelfth, silent", frames: append(scan[:11:11], eth("203.0.113.9", "10.0.0.1", corpus.Syn(40000, 2000)))},
		{name: "a name that does not exist", frames: missing[:3]},
		{name: "too many answers that say so", frames: missing[:21]},
		{name: "a certificate", frames: []corpus.Frame{eth("198.51.100.2", "10.0.0.1", corpus.TCP(443, 50000, corpus.PSH|corpus.ACK, corpus.ServerFlight(corpus.Certificate("evil"))))}},
		{name: "a client that is listed", frames: []corpus.Frame{greet(corpus.Record(corpus.ClientHello("www.fine.org")))}},
		{name: "a client whose code is switched off", frames: []corpus.Frame{greet(corpus.Record(corpus.ClientHello("www.fine.org", corpus.ALPN())))}},
		{name: "a handshake that is cut off", frames: []corpus.Frame{greet(corpus.Record(corpus.ClientHello("www.fine.org"))[:100])}},
		{name: "a trail that the whitelist takes out", frames: []corpus.Frame{eth("10.0.0.1", "17.5.5.5", corpus.Syn(40000, 80))}},
		{name: "the same in one second", frames: []corpus.Frame{beacon, beacon}, burst: true},
		{name: "refused", frames: []corpus.Frame{beacon, eth("66.66.66.66", "10.0.0.1", corpus.TCP(8443, 40000, corpus.RST|corpus.ACK, ""))}},
		{name: "a role's excuse", frames: missing[:3], config: "  roles:\n    resolver: [10.0.0.1]\n"},
		{name: "a listed name that does not exist", frames: []corpus.Frame{
			eth("8.8.8.8", "10.0.0.1", corpus.UDP(53, 50000, corpus.Reply(3, corpus.Query(corpus.Ask("c2.gone.org")))))}},
		{name: "two events, one of them not again", frames: []corpus.Frame{eth("198.51.100.2", "10.0.0.1", corpus.UDP(53, 50000,
			corpus.Reply(0, corpus.Query(corpus.Ask("www.fine.org")), corpus.Leads(corpus.TypeCNAME, "a.evil.example"), corpus.Address("66.66.1.2"), corpus.Address("66.66.1.2"))))}},
		{name: "an echo reply", frames: []corpus.Frame{eth("66.66.66.66", "10.0.0.1", corpus.ICMP(0, 0))}},
		{name: "a later fragment", frames: []corpus.Frame{corpus.Fragments("10.0.0.1", "66.66.66.66", corpus.Data(50000, 80, "GET / HTTP/1.1\r\nHost: a.org\r\n\r\n"), 24)[1].Ethernet()}},
		{name: "a request to a host with a port", frames: []corpus.Frame{get("shop.org:8080", "/a/b.php?c=d")}},
		{name: "no IP", frames: []corpus.Frame{{Link: corpus.LinkEthernet, Data: append(make([]byte, 12), 8, 6, 0, 1, 8, 0, 6, 4)}}},
	}
}

// TestExplainCases explains what else may come of a packet.
func TestExplainCases(t *testing.T) {
	r := newReplayed(t)
	white := writeTest(t, filepath.Join(r.dir, "white.txt"), "white.example\n17.0.0.0/8\n")
	good, _, _ := strings.Cut(testTrails, "1.2.3.4:99999") // the rest is malformed on purpose
	own := writeTest(t, filepath.Join(r.dir, "own.csv"), good+"17.5.5.5,known bad,(static)\ngone.org,family (malware),(static)\n"+
		"ja4:t13d020200_c1929292aa6b_b9a491fefe05,bot (malware),(static)\nja3:7781187f680c0cc77608e7b1a063c24a,bot (malware),(static)\n")
	config := "state: " + r.dir + "\nsuppress:\n  rules:\n    - name: lab\n      reason: a test\n      action: drop\n      trail: [\"*.dyn.example\", \"(a).dyn.example\"]\ndetection:\n  disable: [http.traversal, trail.ja3]\n"
	var all strings.Builder
	found := 0
	for i, c := range explainCases() {
		var frames []corpus.Stamped
		for second, f := range c.frames {
			if c.burst {
				second = 0
			}
			frames = append(frames, corpus.At(second, f))
		}
		file := writeTest(t, filepath.Join(r.dir, fmt.Sprintf("%d.pcap", i)), string(corpus.Pcap(frames)))
		writeTest(t, filepath.Join(r.dir, "config.yaml"), config+c.config)
		args := []string{"explain", file, "--trails", own, "--whitelist", white, "-p", fmt.Sprint(len(frames))}
		code, out, errs := trailsRun(t, r.dir, args...)
		if code != exitDone || errs != "" {
			t.Fatalf("%s: code %d, %s", c.name, code, errs)
		}
		fmt.Fprintf(&all, "=== %s\n%s\n", c.name, strings.ReplaceAll(out, r.dir, "DIR"))
		code, out, errs = trailsRun(t, r.dir, append(args, "--json")...)
		var v explained
		d := json.NewDecoder(strings.NewReader(out))
		d.DisallowUnknownFields()
		if err := d.Decode(&v); err != nil || code != exitDone || v.Packet != uint64(len(frames)) || strings.Count(out, "\n") != 1 {
			t.Errorf("%s, json: code %d, %v\n%s%s", c.name, code, err, out, errs)
		}
		var urls []string
		for _, s := range v.Steps {
			if s.What == "url" {
				urls = append(urls, s.Text)
			}
		}
		if slices.Sort(urls); len(slices.Compact(slices.Clone(urls))) != len(urls) {
			t.Errorf("%s: a URL was looked up twice: %q", c.name, urls)
		}
		for _, o := range v.Evidence { // what evidence found is an event like others
			for _, f := range o.Found {
				if !slices.ContainsFunc(v.Events, func(e explainedEvent) bool { return e.ID == f.ID }) {
					t.Errorf("%s: %s is not among the events", c.name, f.Code)
				}
				found++
			}
		}
	}
	if found < 3 {
		t.Errorf("%d findings", found)
	}
	golden(t, "explain_cases.txt", all.String())
}

func TestExplainErrors(t *testing.T) {
	r := newReplayed(t)
	file := r.capture(t, "a.pcap", 3)
	whole := corpus.Pcap([]corpus.Stamped{corpus.At(0, corpus.IP("10.0.0.1", "8.8.8.8", corpus.Syn(1, 2)).Ethernet()), corpus.At(1, corpus.IP("10.0.0.1", "8.8.8.8", corpus.Syn(1, 2)).Ethernet())})
	cut := writeTest(t, filepath.Join(r.dir, "cut.pcap"), string(whole[:len(whole)-3]))
	empty := writeTest(t, filepath.Join(r.dir, "empty.pcap"), string(corpus.Pcap(nil)))
	for _, c := range []struct {
		args []string
		code int
		text string

		explained bool
	}{
		{[]string{file, "-p", "4"}, exitFailed, `a.pcap" has no packet 4: the last one is 3`, false},
		{[]string{empty, "-p", "1"}, exitFailed, `empty.pcap" has no packets`, false},
		{[]string{cut, "-p", "1"}, exitDone, "", true},
		{[]string{cut, "-p", "2"}, exitFailed, `packet 2 is not reached: capture "` + cut + `" is damaged at byte `, false},
		{[]string{filepath.Join(r.dir, "none.pcap"), "-p", "1"}, exitFailed, "none.pcap", false},
		{[]string{file}, exitUsage, "no packet is named", false},
		{[]string{file, "-p", "0"}, exitUsage, "no packet is named", false},
		{[]string{file, "-p", "x"}, exitUsage, "invalid argument", false},
		{[]string{"-p", "1"}, exitUsage, "no capture is named", false},
		{[]string{file, file, "-p", "3"}, exitDone, "", true},
		{[]string{cut, file, "-p", "3"}, exitFailed, `cut.pcap" is damaged at byte`, true},
	} {
		code, out, errs := trailsRun(t, r.dir, append([]string{"explain", "--trails", r.trails}, c.args...)...)
		if code != c.code || !strings.Contains(errs, c.text) || c.explained != (out != "") {
			t.Errorf("%v: code %d\n%s%s", c.args, code, out, errs)
		}
	}
	// Two captures are one stream: the last one's packet comes after the first's.
	if _, out, _ := trailsRun(t, r.dir, "explain", "--trails", r.trails, file, file, "-p", "1"); !strings.Contains(out, "before it 3 packets, 3 events") {
		t.Error(out)
	}
}

package lint

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/trails"
	"trailhound/trails/table"
	"trailhound/trails/whitelist"
)

func TestNames(t *testing.T) {
	got, err := Names(strings.NewReader("# all\nExample.COM.\n\n 192.0.2.1 # resolver\n[2001:db8::1]:443\nxn--bcher-kva.example\n2001:db8::2\n"))
	want := []string{"example.com", "192.0.2.1", "[2001:db8::1]:443", "xn--bcher-kva.example", "2001:db8::2"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q %v", got, err)
	}
	for _, bad := range []string{"a..b", "a b", "1.2.3", "http://x.example/", strings.Repeat("a", 64) + ".com", strings.Repeat("x", 1<<17)} {
		if got, err := Names(strings.NewReader("ok.example\n" + bad + "\n")); err == nil {
			t.Errorf("%.40q: %q", bad, got)
		}
	}
}

// TestRunPopular: each way to meet a name is tried, and what is to blame is named.
func TestRunPopular(t *testing.T) {
	b := table.NewBuilder(table.Options{Seed: 1})
	p := b.Provenance(trails.Provenance{Info: "x (malware)", Reference: "(static)", Sources: []trails.Source{{Name: "x.txt"}}})
	low := b.Provenance(trails.Provenance{Info: "known attacker", Reference: "feed"})
	for text, prov := range map[string]uint32{"bad.example": p, "white.example": p, "192.0.2.1": p, "192.0.2.2:8080": p, "url.example/": p, "198.51.100.9": low, "192.0.2.3": p} {
		kind, key, err := trails.AppendKey(nil, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		b.Add(kind, key, prov)
	}
	tab, err := b.Memory()
	if err != nil {
		t.Fatal(err)
	}
	white, err := whitelist.New("white.example", "192.0.2.3")
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"good.example.net", "www.bad.example", "white.example", "192.0.2.1", "192.0.2.2", "192.0.2.2:8080", "192.0.2.3", "url.example", "198.51.100.9",
		strings.Repeat("long", 8) + ".example.net", "xkqjzwvbnmtrpsdf.net", "192.0.2.4"}
	var got []string
	frames := RunPopular(tab, white, detect.Options{Heuristics: true, HostDomains: true, MissingHost: true}, names, event.Low, func(p Popular) {
		got = append(got, fmt.Sprintf("%s %s %s %s", p.Name, p.How, p.Event.Code, p.Blame()))
	})
	bad := "bad.example [x.txt]"
	want := []string{
		"www.bad.example dns trail.dns " + bad, "www.bad.example sni trail.dns " + bad, "www.bad.example host trail.dns " + bad,
		"192.0.2.1 syn trail.ip 192.0.2.1 [x.txt]", "192.0.2.1 udp trail.ip 192.0.2.1 [x.txt]", "192.0.2.1 resolver trail.ip 192.0.2.1 [x.txt]",
		"192.0.2.2:8080 syn trail.iport 192.0.2.2:8080 [x.txt]", "192.0.2.2:8080 udp trail.iport 192.0.2.2:8080 [x.txt]",
		"url.example host trail.url url.example/ [x.txt]",
		"198.51.100.9 resolver trail.ip 198.51.100.9 [feed]",
	}
	long := names[9]
	for _, how := range []string{"dns", "sni", "host"} {
		want = append(want, long+" "+how+" dns.long dns.long")
	}
	if !slices.Equal(got, want) {
		t.Errorf("have\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if frames != 6*3+5*9+2 {
		t.Errorf("%d frames", frames)
	}
	got = nil
	RunPopular(tab, white, detect.Options{Heuristics: true, HostDomains: true}, []string{"198.51.100.9", long}, event.High, func(p Popular) { got = append(got, p.Name) })
	if len(got) != 0 {
		t.Errorf("%q", got)
	}
}

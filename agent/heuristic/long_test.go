package heuristic

import (
	"strings"
	"testing"

	"trailhound/agent/event"
)

func TestLong(t *testing.T) {
	head := strings.Repeat("a", 25)
	for name, want := range map[string]string{
		head + ".example":               "(" + head + ").example",
		head + ".evil.example":          "(" + head + ").evil.example",
		head + ".a.b.evil.example":      "(" + head + ".a.b).evil.example",
		head + ".co.uk":                 "(" + head + ").co.uk",
		head[1:] + ".example":           "",
		head[:12] + "-" + head + ".org": "",
		"www." + head + ".example":      "",
		head + ".blogspot.com":          "",
		head + "blogspot.example":       "",
		head:                            "",
	} {
		for _, kind := range []Kind{Query, LongName} {
			r := newNameRig(Options{})
			r.observe(kind, 100, LongHead, 1, name)
			if want == "" {
				r.expect(t)
				continue
			}
			r.expect(t, "dns.long 100 "+want)
			if e := r.events[0]; e.Info != "long domain (suspicious)" || e.Type != event.DNS || e.Observable != name {
				t.Errorf("%+v", e)
			}
		}
	}
}

// TestLongEverySecond: a name is raised once in a second for a client and a
// server, whoever left out its repeats.
func TestLongEverySecond(t *testing.T) {
	name := strings.Repeat("a", 25) + ".example"
	want := "dns.long 100 (" + strings.Repeat("a", 25) + ").example"
	r := newNameRig(Options{})
	for range 3 {
		r.long(100, name)
		clear(r.c.seen)
	}
	r.expect(t, want)
	r.query(100, name)
	r.expect(t, want)
	r.packet.Src, r.packet.Dst = nameResolver, nameClient
	r.long(100, name)
	r.expect(t, want)
	r.packet.Src = r.packet.Src.Prev()
	r.long(101, name)
	r.long(100, name)
	clear(r.c.seen)
	r.long(100, name)
	r.expect(t, strings.Replace(want, "100", "101", 1), want)
}

func TestLongOptions(t *testing.T) {
	r := newNameRig(Options{Thresholds: map[event.Code]float64{event.DNSLong: 5}})
	r.long(100, "abcdef.example")
	r.long(100, "abcde.example")
	r.query(100, "bbbbbb.example")
	r.query(100, "bbbbb.example")
	r.expect(t, "dns.long 100 (abcdef).example", "dns.long 100 (bbbbbb).example")
	// A trail that matched the name goes first: the worker sets no flag then.
	r.observe(Query, 101, 0, 1, "cccccc.example")
	r.expect(t)
	r = newNameRig(Options{Disabled: map[event.Code]bool{event.DNSLong: true}})
	r.long(100, strings.Repeat("a", 25)+".example")
	r.expect(t)
}

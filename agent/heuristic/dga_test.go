package heuristic

import (
	"math"
	"strings"
	"testing"

	"trailhound/agent/event"
)

func TestDGA(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"qwrtzpsdfghj.com", "dns.dga.entropy (qwrtzpsdfghj).com"},
		{"abcdefghijklmnop.net", "dns.dga.entropy (abcdefghijklmnop).net"},
		{"00112233456789ab.com", ""},                               // 3.5 bits
		{"0011223456789abc.com", "dns.dga.entropy"},                // 3.625
		{"bbccddffghjklmnp.com", "dns.dga.consonant"},              // 3.5 bits, 16 consonants
		{"bbbbbbbbbb.com", "dns.dga.consonant (bbbbbbbbbb).com"},   // 10 consonants
		{"bbbbbbbbb.com", ""},                                      // 9 consonants
		{"abababababababababa.com", ""},                            // 9 consonants
		{"babababababababababa.com", "dns.dga.consonant"},          // 10
		{"qwrtzp-sdfghj.com", ""},                                  // '-'
		{"www.qwrtzpsdfghj.com", ""},                               // three labels
		{"qwrtzpsdfghj", ""},                                       // one
		{".com", ""},                                               // an empty one
		{"google.com", ""},                                         //
		{"0123456789_z.com", "dns.dga.entropy (0123456789_z).com"}, //
		{"01234567890.com", ""},                                    // 3.28 bits
	} {
		r := newNameRig(Options{})
		r.nx(100, c.name)
		got := ""
		if len(r.events) > 0 {
			got = string(r.events[0].Code) + " " + r.events[0].Trail
		}
		if len(r.events) > 1 || !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestDGAOptions: each such answer is raised, thresholds are the operator's, and
// when one rule is off the other has its say.
func TestDGAOptions(t *testing.T) {
	r := newNameRig(Options{Thresholds: map[event.Code]float64{event.DNSDGAEntropy: 2, event.DNSDGAConsonant: 3}})
	for range 3 {
		r.nx(100, "abcde.com")
	}
	r.nx(100, "bbbb.com")
	r.nx(100, "bbba.com")
	r.expect(t, "dns.dga.entropy 100 (abcde).com", "dns.dga.entropy 100 (abcde).com", "dns.dga.entropy 100 (abcde).com",
		"dns.dga.consonant 100 (bbbb).com")
	if e := r.events[0]; e.Info != "entropy threshold no such domain (suspicious)" || e.Type != event.DNS || e.Observable != "abcde.com" {
		t.Errorf("%+v", e)
	}
	if e := r.events[3]; e.Info != "consonant threshold no such domain (suspicious)" {
		t.Errorf("%+v", e)
	}
	r = newNameRig(Options{Disabled: map[event.Code]bool{event.DNSDGAEntropy: true, event.DNSNXDomain: true}})
	r.nx(100, "qwrtzpsdfghj.com")
	r.nx(100, "0123456789_z.com")
	r.expect(t, "dns.dga.consonant 100 (qwrtzpsdfghj).com")
	r = newNameRig(Options{Disabled: map[event.Code]bool{event.DNSDGAConsonant: true}})
	r.nx(100, "qwrtzpsdfghj.com")
	r.nx(100, "bbbbbbbbbbbb.com")
	r.expect(t, "dns.dga.entropy 100 (qwrtzpsdfghj).com")
}

func TestEntropy(t *testing.T) {
	for label, want := range map[string]float64{"a": 0, "ab": 1, "abcd": 2, "aabb": 1, "aabc": 1.5, "abcdefghijklmnop": 4,
		"aaab": 0.8112781244591328, "google": 1.9182958340544893} {
		if got := entropy([]byte(label)); math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: %v, want %v", label, got, want)
		}
	}
}

func BenchmarkDGA(b *testing.B) {
	r := newNameRig(Options{})
	e, name := nameEvidence(), []byte("averagename.com")
	e.Kind = NXDomain
	b.ReportAllocs()
	for b.Loop() {
		r.names.dga.take(r.Board, &e, name)
	}
}

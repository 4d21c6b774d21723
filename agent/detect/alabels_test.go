package detect

import (
	"strings"
	"testing"

	"trailhound/agent/event"
	"trailhound/tests/corpus"
)

// TestFitsALabels holds which hosts are converted: those whose labels, and which as
// a whole, may be short enough for a name.
func TestFitsALabels(t *testing.T) {
	wide := func(n int) string { return strings.Repeat("世", n) }
	for _, c := range []struct {
		name, host string
		want       bool
	}{
		{"one", "bücher.example", true},
		{"empty", "", true},
		{"59 characters and xn--", wide(59), true},
		{"60 characters and xn--", wide(60), false},
		{"a long label in ASCII", strings.Repeat("a", 63) + ".é", true},
		{"a longer one", strings.Repeat("a", 64) + ".é", false},
		{"the second label", "a." + wide(60), false},
		{"dots of IDNA", wide(40) + "。" + wide(40) + "．" + wide(40) + "｡" + wide(40), true},
		{"253 octets", strings.Repeat(wide(59)+".", 3) + strings.Repeat("a", 61), true},
		{"254 octets", strings.Repeat(wide(59)+".", 3) + strings.Repeat("a", 62), false},
		{"no UTF-8", strings.Repeat("\xff", 60), false},
	} {
		if got := fitsALabels([]byte(c.host)); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// TestWideHostsAreConvertedOnce holds that a host beyond ASCII costs its conversion
// once: the next request for it, and for one that has no A-labels, allocates nothing.
func TestWideHostsAreConvertedOnce(t *testing.T) {
	w, events := worker(rulesOf(t, Options{Heuristics: true, HostDomains: true, Home: event.NewHomeNetworks(nil)}, "xn--bse-sna.example", "xn--bse-sna.example/drop"))
	get := func(host, path string) corpus.Packet {
		return corpus.IP("10.0.0.1", "203.0.113.1", corpus.Data(1, 80, corpus.Get(host, path)))
	}
	for _, host := range []string{"bücher.example", "bücher.example:8080", "bücher.example.", strings.Repeat("é", 60) + ".example", "\xff.example"} {
		f := get(host, "/").Ethernet()
		w.Frame(1, f.Data, corpus.Start, 1)
		if n := testing.AllocsPerRun(10, func() { w.Frame(1, f.Data, corpus.Start, 1) }); n != 0 {
			t.Errorf("%q: %v allocations", host, n)
		}
	}
	if len(*events) != 0 {
		t.Fatalf("%+v", *events)
	}
	for range 2 { // what is listed is found again
		frame(w, get("böse.example", "/drop"), corpus.Start)
		if n := len(*events); n < 2 || (*events)[n-2].Trail != "xn--bse-sna.example" || (*events)[n-1].Trail != "xn--bse-sna.example/drop" {
			t.Errorf("%+v", *events)
		}
	}
}

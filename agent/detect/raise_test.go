package detect

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"trailhound/agent/event"
	"trailhound/tests/corpus"
)

// TestTrailsHaveRoom holds that what trips heuristics cannot keep a packet from
// raising what is listed.
func TestTrailsHaveRoom(t *testing.T) {
	var junk strings.Builder
	for i := range 2 * maxRaised {
		junk.WriteString(corpus.Get("shop.example", fmt.Sprintf("/%d/a.exe", i)))
	}
	w, events := worker(rulesOf(t, Options{Heuristics: true, Home: event.NewHomeNetworks(nil)}, "/gate.php"))
	frame(w, corpus.IP("10.0.0.1", "203.0.113.1", corpus.Data(1, 80, junk.String()+corpus.Get("shop.example", "/gate.php"))), corpus.Start)
	if len(*events) != maxHeuristic+1 || w.Stats.Crowded != 2*maxRaised-maxHeuristic {
		t.Fatalf("%d events, %d left out", len(*events), w.Stats.Crowded)
	}
	if last := (*events)[maxHeuristic]; last.Code != event.TrailURL {
		t.Errorf("%s %s", last.Code, last.Trail)
	}
}

// TestEveryEventHasATrail holds that an event shows something, even if what
// matched has nothing that can be shown.
func TestEveryEventHasATrail(t *testing.T) {
	w, events := worker(rulesOf(t, Options{Heuristics: true, UserAgents: []byte("^.$\nevil")}))
	for _, agent := range []string{"\x01", "\\", "%07", "x", "evil\x01"} {
		frame(w, corpus.IP("10.0.0.1", "203.0.113.1", corpus.Data(1, 80, corpus.Get("a.example", "/", "User-Agent: "+agent))), corpus.Start)
	}
	var got []string
	for _, e := range *events {
		got = append(got, e.Trail)
	}
	if want := []string{"%01", "%5C", "%07", "x", "evil()"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestWhatIsRaisedAlreadyIsCheap holds that a packet that names a listed address many
// times makes one event, and nothing for the others.
func TestWhatIsRaisedAlreadyIsCheap(t *testing.T) {
	allocated := func(n int) float64 {
		w, events := worker(rulesOf(t, Options{}, "66.66.66.66"))
		q := corpus.Query(corpus.Ask("www.site.com"))
		f := corpus.IP("8.8.8.8", "10.0.0.1", corpus.Data(53, 1, corpus.Stream(corpus.Reply(0, q, corpus.Leads(65, "x.site.com",
			corpus.Hint(4, slices.Repeat([]string{"66.66.66.66"}, n)...)))))).Ethernet()
		return testing.AllocsPerRun(10, func() {
			*events = (*events)[:0]
			w.Frame(1, f.Data, corpus.Start, 1)
			if len(*events) != 1 {
				t.Fatalf("%d events", len(*events))
			}
		})
	}
	if one, many := allocated(1), allocated(500); many > one {
		t.Errorf("%v allocations for one, %v for 500", one, many)
	}
}

package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs"
)

// What the manual says of a rollover: ids are unique within a backing index. The
// node stores a request, its answer is lost, the data stream rolls over, and the
// request is sent again: its events are there twice, with the same id, in two
// backing indices, and a query for the id finds them.
func testRollover(t *testing.T, n *searchNode) {
	k := keysFor(n.URL, "rollover")
	detections, health := dataStreams(k)
	lost := map[string]bool{} // events whose first answer is
	var g *gateway
	g = newGateway(t, n, func(i int, w http.ResponseWriter, r *http.Request) bool {
		if i != 3 {
			return false
		}
		for _, id := range eventsOf(t, r) {
			lost[id] = true
		}
		g.store(t, r)
		n.ask("POST", "/"+detections+"/_rollover", "")
		reset(raw(t, w))
		return true
	})
	k.Addresses = []string{g.URL}
	f := newForwarder(t, k, outputs.Settings{})
	f.add(faultEvents)
	f.start()
	if c := f.finish(); c.Delivered != uint64(len(f.events)) {
		t.Errorf("%+v", c)
	}
	// The data stream of health events did not roll over.
	var want, known []string
	var first, last time.Time
	for i := range f.events {
		e := &f.events[i]
		switch id := event.IDString(e.ID); {
		case !lost[id]:
		case e.Code.IsHealth():
			known = append(known, id)
		default:
			want = append(want, id)
			if last = e.Time; first.IsZero() {
				first = e.Time
			}
		}
	}
	slices.Sort(want)
	if got := f.out.Stats().Duplicates; got != uint64(len(known)) {
		t.Errorf("%d duplicates were seen, want the %d health events of the request", got, len(known))
	}

	n.count(detections + "," + health) // what was stored can be searched for from then on
	during := fmt.Sprintf(`"query":{"range":{"@timestamp":{"gte":%q,"lte":%q}}}`, first.Format(time.RFC3339Nano), last.Format(time.RFC3339Nano))
	var found struct {
		Hits         struct{ Hits []stored }
		Aggregations struct {
			Twice struct {
				Buckets []struct {
					Key   string
					Count int `json:"doc_count"`
				}
			}
		}
	}
	n.read("POST", "/"+detections+"/_search", `{"size":0,`+during+`,"aggs":{"twice":{"terms":{"field":"event.id","min_doc_count":2,"size":10000}}}}`, &found)
	var twice []string
	for _, b := range found.Aggregations.Twice.Buckets {
		if twice = append(twice, b.Key); b.Count != 2 {
			t.Errorf("%+v", b)
		}
	}
	if slices.Sort(twice); !slices.Equal(twice, want) {
		t.Errorf("the query finds %d events that are there twice, want %d", len(twice), len(want))
	}

	n.read("POST", "/"+detections+"/_search", `{"size":1000,`+during+`,"collapse":{"field":"event.id"}}`, &found)
	var once []string
	for _, d := range found.Hits.Hits {
		once = append(once, d.ID)
	}
	if slices.Sort(once); !slices.Equal(once, want) {
		t.Errorf("a search that folds ids finds %d events, want %d", len(once), len(want))
	}

	where := map[string][]stored{}
	n.each(detections+","+health, func(d *stored) { where[d.ID] = append(where[d.ID], *d) })
	for _, id := range want {
		if l := where[id]; len(l) != 2 || l[0].Index == l[1].Index || !bytes.Equal(l[0].Source, l[1].Source) {
			t.Fatalf("event %s: %s", id, l)
		}
		delete(where, id)
	}
	for id, l := range where {
		if len(l) != 1 {
			t.Errorf("event %s is there %d times", id, len(l))
		}
	}
	if len(where)+len(want) != len(f.events) {
		t.Errorf("%d and %d of %d events", len(where), len(want), len(f.events))
	}
}

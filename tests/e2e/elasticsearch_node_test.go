package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"trailhound/agent/event"
	"trailhound/outputs/elasticsearch"
	"trailhound/outputs/format"
	"trailhound/tests/receivers/node"
)

// searchNode is a real Elasticsearch or OpenSearch node.
type searchNode struct {
	t testing.TB
	*node.Node
}

type startNode func(context.Context, node.Options) (*node.Node, error)

func startSearchNode(t testing.TB, start startNode, settings ...string) *searchNode {
	t.Helper()
	cache := receiversFolder(t)
	if !filepath.IsAbs(cache) {
		cache = ""
	}
	n, err := start(t.Context(), node.Options{Home: t.TempDir(), Cache: cache, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Kill)
	return &searchNode{t, n}
}

// ask sends a request and decodes the answer; a status other than 200 fails.
func (n *searchNode) ask(method, path, body string) map[string]any {
	n.t.Helper()
	told := map[string]any{}
	n.read(method, path, body, &told)
	return told
}

func (n *searchNode) read(method, path, body string, into any) {
	n.t.Helper()
	r, err := http.NewRequest(method, n.URL+path, strings.NewReader(body))
	if err != nil {
		n.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		n.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		n.t.Fatalf("%s %s: %d %v %s", method, path, answer.StatusCode, err, text)
	}
	if err := json.Unmarshal(text, into); err != nil {
		n.t.Fatalf("%s %s: %v", method, path, err)
	}
}

// count is how many documents there are in what the name matches.
func (n *searchNode) count(name string) int {
	n.t.Helper()
	n.ask("POST", "/"+name+"/_refresh", "")
	return int(n.ask("GET", "/"+name+"/_count", "")["count"].(float64))
}

// A stored document is one as a search finds it.
type stored struct {
	ID     string          `json:"_id"`
	Index  string          `json:"_index"` // the backing index
	Source json.RawMessage `json:"_source"`
}

// each hands out all documents of what the name matches.
func (n *searchNode) each(name string, take func(*stored)) {
	n.t.Helper()
	n.ask("POST", "/"+name+"/_refresh", "")
	type page struct {
		Scroll string `json:"_scroll_id"`
		Hits   struct{ Hits []stored }
	}
	var p page
	n.read("POST", "/"+name+"/_search?scroll=2m", `{"size":5000,"sort":["_doc"]}`, &p)
	for len(p.Hits.Hits) > 0 {
		for i := range p.Hits.Hits {
			take(&p.Hits.Hits[i])
		}
		next := page{}
		n.read("POST", "/_search/scroll", fmt.Sprintf(`{"scroll":"2m","scroll_id":%q}`, p.Scroll), &next)
		p = next
	}
	n.ask("DELETE", "/_search/scroll", fmt.Sprintf(`{"scroll_id":%q}`, p.Scroll))
}

// dataStreams are the names of those for detections and for health events.
func dataStreams(k elasticsearch.Keys) (events, health string) {
	or := func(a, b string) string {
		if a != "" {
			return a
		}
		return b
	}
	space := "-" + or(k.Namespace, "default")
	return "logs-" + or(k.Dataset, "trailhound.event") + space, "logs-" + or(k.HealthDataset, "trailhound.health") + space
}

// bothStreams matches both.
func bothStreams(k elasticsearch.Keys) string {
	events, health := dataStreams(k)
	return events + "*," + health + "*"
}

// holds checks that the node has these events and no others, each once, field by
// field as they were sent, in its data stream.
func (n *searchNode) holds(events []event.Event, k elasticsearch.Keys) {
	n.t.Helper()
	left := make(map[string]*event.Event, len(events))
	for i := range events {
		left[event.IDString(events[i].ID)] = &events[i]
	}
	if len(left) != len(events) {
		n.t.Fatalf("%d ids for %d events", len(left), len(events))
	}
	streams := [2]string{}
	streams[0], streams[1] = dataStreams(k)
	documents, wrong := 0, 0
	n.each(bothStreams(k), func(d *stored) {
		documents++
		e := left[d.ID]
		if e == nil {
			if wrong++; wrong < 4 {
				n.t.Errorf("document %s is of no event, or there twice: %s", d.ID, d.Source)
			}
			return
		}
		delete(left, d.ID)
		stream, opt := streams[0], format.ECSOptions{Dataset: k.Dataset, Namespace: k.Namespace}
		if e.Code.IsHealth() {
			stream, opt.Dataset = streams[1], k.HealthDataset
		}
		want := format.NewECS(nodeIdentity(), opt).Append(nil, e)
		if !bytes.Equal(d.Source, want) && !sameDocument(n.t, d.Source, want) || !strings.HasPrefix(d.Index, ".ds-"+stream+"-") {
			if wrong++; wrong < 4 {
				n.t.Errorf("event %d in %s is\n%s, sent was\n%s", e.Seq, d.Index, d.Source, want)
			}
		}
	})
	if wrong > 0 || len(left) > 0 {
		n.t.Errorf("%d documents for %d events; %d events are missing, %d documents are wrong", documents, len(events), len(left), wrong)
	}
}

// sameDocument compares what two documents say. What the delivery loop adds to a
// heartbeat, its sums, is passed over.
func sameDocument(t testing.TB, have, want []byte) bool {
	t.Helper()
	var docs [2]map[string]any
	for i, text := range [][]byte{have, want} {
		if err := json.Unmarshal(text, &docs[i]); err != nil {
			t.Errorf("%v: %s", err, text)
			return false
		}
	}
	at := docs[0]
	for _, name := range []string{"trailhound", "health", "measures"} {
		at, _ = at[name].(map[string]any)
	}
	for name := range at {
		if strings.HasPrefix(name, "output_") {
			delete(at, name)
		}
	}
	return reflect.DeepEqual(docs[0], docs[1])
}

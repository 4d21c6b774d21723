package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs"
	"trailhound/outputs/elasticsearch"
	"trailhound/outputs/format"
	"trailhound/tests/receivers/node"
	"trailhound/trails"
)

// searchNode is a real Elasticsearch or OpenSearch node.
type searchNode struct {
	t testing.TB
	*node.Node
}

type startNode func(context.Context, node.Options) (*node.Node, error)

func startSearchNode(t testing.TB, start startNode, settings ...string) *searchNode {
	t.Helper()
	cache := os.Getenv("TRAILHOUND_RECEIVERS")
	if cache == "" {
		t.Skip("TRAILHOUND_RECEIVERS is not set: it names the folder in which real receivers are kept")
	}
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
	told := map[string]any{}
	if err := json.Unmarshal(text, &told); err != nil {
		n.t.Fatalf("%s %s: %v", method, path, err)
	}
	return told
}

// count is how many documents there are in what the name matches.
func (n *searchNode) count(name string) int {
	n.t.Helper()
	n.ask("POST", "/"+name+"/_refresh", "")
	return int(n.ask("GET", "/"+name+"/_count", "")["count"].(float64))
}

// documents reads all documents, by their id, with the data stream of each.
func (n *searchNode) documents(name string) (docs map[string]map[string]any, streams map[string]string) {
	n.t.Helper()
	docs, streams = map[string]map[string]any{}, map[string]string{}
	n.ask("POST", "/"+name+"/_refresh", "")
	page := n.ask("POST", "/"+name+"/_search?scroll=2m", `{"size":5000,"sort":["_doc"]}`)
	for {
		hits := page["hits"].(map[string]any)["hits"].([]any)
		if len(hits) == 0 {
			return docs, streams
		}
		for _, h := range hits {
			hit := h.(map[string]any)
			id := hit["_id"].(string)
			if docs[id] != nil {
				n.t.Errorf("document %s is there twice", id)
			}
			docs[id] = hit["_source"].(map[string]any)
			streams[id] = hit["_index"].(string)
		}
		page = n.ask("POST", "/_search/scroll", fmt.Sprintf(`{"scroll":"2m","scroll_id":%q}`, page["_scroll_id"]))
	}
}

// holds checks that the node has these events and no others, field by field as
// they were sent, each in its data stream.
func (n *searchNode) holds(events []event.Event, k elasticsearch.Keys) {
	n.t.Helper()
	datasets := [2]string{"trailhound.event", "trailhound.health"}
	if k.Dataset != "" {
		datasets = [2]string{k.Dataset, k.HealthDataset}
	}
	name := "logs-" + datasets[0] + "-*,logs-" + datasets[1] + "-*"
	docs, streams := n.documents(name)
	if len(docs) != len(events) {
		n.t.Errorf("%d documents for %d events", len(docs), len(events))
	}
	wrong := 0
	for i := range events {
		e := &events[i]
		id := event.IDString(e.ID)
		opt := format.ECSOptions{Dataset: datasets[0]}
		if e.Code.IsHealth() {
			opt.Dataset = datasets[1]
		}
		var want map[string]any
		if err := json.Unmarshal(format.AppendECSWith(nil, e, nodeIdentity(), opt), &want); err != nil {
			n.t.Fatal(err)
		}
		if !reflect.DeepEqual(docs[id], want) || !strings.HasPrefix(streams[id], ".ds-logs-"+opt.Dataset+"-default-") {
			if wrong++; wrong < 4 {
				n.t.Errorf("event %d in %s is\n%v, sent was\n%v", i, streams[id], docs[id], want)
			}
		}
	}
	if wrong > 0 {
		n.t.Errorf("%d events are not there as they were sent", wrong)
	}
}

func nodeIdentity() *event.Identity {
	return &event.Identity{Name: "edge-1", ID: "5c1f", Hostname: "edge-host", Version: "1.0.0", Labels: map[string]string{"site": "berlin", "tenant.name": "acme"}}
}

// nodeEvents makes events of all kinds: names, addresses, requests with hostile
// text, summaries, health events.
func nodeEvents(n int) []event.Event {
	list := make([]event.Event, n)
	for i := range list {
		e := &list[i]
		*e = event.Event{
			Epoch: 0xFEDC, Seq: uint64(i) + 1, Time: time.UnixMicro(1771234567_000001 + int64(i)*1000).UTC(),
			Type: event.DNS, Code: event.TrailDNS, Severity: event.High, Confidence: 90, Direction: event.Outbound, Kind: trails.Domain,
			Observable: "cdn.bad-domain.test", Indicator: "bad-domain.test", Trail: "(cdn).bad-domain.test", Info: "lumma (malware)", Reference: "(static)",
			Sources: []trails.Source{{Name: "malware/lumma.txt", URLs: []string{"https://blog.test/lumma"}}},
			Src:     netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), SrcPort: uint16(1024 + i%60000),
			Dst: netip.MustParseAddr("2001:db8::53"), DstPort: 53, Protocol: "UDP", Application: "dns", Interface: "eth0", VLANs: []uint16{10, 20},
			DNS: event.DNSFacts{Question: fmt.Sprintf("h%d.bad-domain.test", i), Type: 1, Class: 1},
		}
		switch i % 10 {
		case 3:
			e.Type, e.Code, e.Kind, e.Severity = event.URL, event.HTTPSQLi, trails.Invalid, event.Medium
			e.Trail = "a\"b\\c\nd\te|f=g\x00\xff\u2028{\"create\":{}}\n日本"
			e.Observable, e.Info, e.Forwarded = e.Trail, "potential sql injection", "not an address, 80,443"
			e.HTTP = event.HTTPFacts{Method: "GET", Host: "shop.test:8080", Target: "/" + strings.Repeat("%27 ", 250), Status: 200, UserAgent: "curl/8 \"x\""}
			e.Application = "http"
		case 6:
			e.Kind, e.Type, e.Code, e.Indicator, e.Observable = trails.AddressPort, event.IPORT, event.TrailIPORT, "[2001:db8::53]:53", "[2001:db8::53]:53"
			e.Aggregate = event.Aggregate{ID: event.ReplayID([32]byte{9}, uint64(i), "", 0), Summary: true, Count: 97, First: e.Time, Last: e.Time.Add(time.Minute),
				SrcPorts: []uint16{1, 2, 3}, Dsts: []netip.Addr{e.Dst}, MoreDsts: 4}
		case 9:
			if i%100 == 9 {
				*e = event.NewHealth(e.Time, event.HealthHeartbeat, "up for 5m0s", event.HealthFacts{State: event.Metric, Cause: "sensor",
					Measures: []event.Measure{event.Count("packets", uint64(i)), event.Share("drop_share", 0, 1)}})
				e.Seq = uint64(i) + 1
			}
		}
		e.ID = event.ReplayID([32]byte{1}, uint64(i), e.Code, 0)
	}
	return list
}

func openElasticsearch(t testing.TB, k elasticsearch.Keys) *elasticsearch.Output {
	t.Helper()
	k.Enrichments = true
	o, err := elasticsearch.New(k, elasticsearch.Env{Identity: nodeIdentity(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

// A tally is what became of events that were sent until all were settled.
type tally struct {
	delivered, attempts int
	rejected            map[int]string
	errors              map[string]int // by their text
}

// sendAll sends events in batches as a delivery loop does: what is put off is
// sent again, after the pause that the output asks for, up to a second.
func sendAll(t testing.TB, o outputs.Output, events []event.Event, size int, before func(attempt int)) tally {
	t.Helper()
	sum := tally{rejected: map[int]string{}, errors: map[string]int{}}
	deadline := time.Now().Add(10 * time.Minute)
	for from := 0; from < len(events); from += size {
		var left []int
		for i := from; i < min(from+size, len(events)); i++ {
			left = append(left, i)
		}
		for len(left) > 0 {
			if time.Now().After(deadline) {
				t.Fatalf("%d events are not settled: %v", len(left), sum.errors)
			}
			if before != nil {
				before(sum.attempts)
			}
			sum.attempts++
			batch := make([]event.Event, len(left))
			for i, at := range left {
				batch[i] = events[at]
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // a node that has just started, on a machine that is busy
			r, err := o.Send(ctx, batch)
			cancel()
			var again []int
			for i, at := range left {
				switch r.Outcomes[i] {
				case outputs.Delivered:
					sum.delivered++
				case outputs.Rejected:
					sum.rejected[at] = r.Reasons[i]
				default:
					again = append(again, at)
				}
			}
			if err != nil {
				sum.errors[err.Error()]++
			}
			if len(again) == len(left) {
				select {
				case <-time.After(min(max(r.RetryAfter, 100*time.Millisecond), time.Second)):
				case <-t.Context().Done():
				}
			}
			left = again
		}
	}
	return sum
}

// setUp installs the templates.
func setUp(t testing.TB, o *elasticsearch.Output) string {
	t.Helper()
	var said bytes.Buffer
	if err := o.Setup(t.Context(), &said, elasticsearch.SetupOptions{Apply: true}); err != nil {
		t.Fatal(err)
	}
	return said.String()
}

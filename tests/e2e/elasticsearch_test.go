package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"trailhound/outputs"
	"trailhound/outputs/elasticsearch"
	"trailhound/outputs/remote"
	es "trailhound/tests/receivers/elasticsearch"
	"trailhound/tests/receivers/opensearch"
)

// Every event arrives once, field by field as it was sent, into data streams
// that the templates made; sending all of it again changes nothing.
func testEveryEvent(t *testing.T, n *searchNode, k elasticsearch.Keys) {
	events := nodeEvents(8000)
	k.Addresses = []string{n.URL}
	o := openElasticsearch(t, k)
	setUp(t, o)
	if err := o.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	for round := range 2 {
		sum := sendAll(t, o, events, 4000, nil)
		if sum.delivered != len(events) || len(sum.errors) > 0 || sum.attempts != 2 {
			t.Fatalf("%+v", sum)
		}
		if got := o.Stats().Duplicates; got != uint64(round*len(events)) {
			t.Errorf("round %d: %d duplicates", round, got)
		}
		if round == 0 {
			n.holds(events, k)
		} else if got := n.count("logs-trailhound.*"); got != len(events) {
			t.Errorf("%d documents after all was sent twice", got)
		}
	}
	for _, stream := range []string{"logs-trailhound.event-default", "logs-trailhound.health-default"} {
		told := n.ask("GET", "/_data_stream/"+stream, "")["data_streams"].([]any)
		if len(told) != 1 {
			t.Errorf("%s is no data stream: %v", stream, told)
		}
		n.hasNoOtherFields(stream)
	}
	if hits := n.ask("GET", "/logs-trailhound.event-default/_count?q=_exists_:_ignored", "")["count"]; hits != 0.0 {
		t.Logf("%v documents have a value that is too long to be searched", hits)
	}
	found := n.ask("POST", "/logs-trailhound.event-default/_search", `{"size":0,"query":{"nested":{"path":"threat.enrichments","query":{"term":
		{"threat.enrichments.indicator.name":"bad-domain.test"}}}},"aggs":{"n":{"cardinality":{"field":"source.ip"}}}}`)
	if total := found["hits"].(map[string]any)["total"].(map[string]any)["value"].(float64); total < 2000 {
		t.Errorf("a nested search finds %v events", total)
	}
}

// hasNoOtherFields checks that no field came in by the way: all are in the
// templates, or in the objects that are open.
func (n *searchNode) hasNoOtherFields(stream string) {
	n.t.Helper()
	simulated := n.ask("POST", "/_index_template/_simulate_index/"+stream+"new", "")
	want := simulated["template"].(map[string]any)["mappings"].(map[string]any)["properties"].(map[string]any)
	if want["trailhound"] == nil {
		n.t.Fatalf("%s has no template of ours: %v", stream, want)
	}
	for _, index := range n.ask("GET", "/"+stream+"/_mapping", "") {
		n.within("", index.(map[string]any)["mappings"].(map[string]any)["properties"].(map[string]any), want)
	}
}

func (n *searchNode) within(path string, have, want map[string]any) {
	n.t.Helper()
	for name, v := range have {
		at := path + name
		if strings.HasPrefix(at, "labels") || strings.HasPrefix(at, "trailhound.health.measures") {
			continue
		}
		other, ok := want[name].(map[string]any)
		if !ok {
			n.t.Errorf("field %s is not in the templates: %v", at, v)
			continue
		}
		inner, _ := v.(map[string]any)["properties"].(map[string]any)
		innerWant, _ := other["properties"].(map[string]any)
		n.within(at+".", inner, innerWant)
	}
}

func TestElasticsearch(t *testing.T) {
	n := startSearchNode(t, es.Start)
	t.Run("every event", func(t *testing.T) {
		testEveryEvent(t, &searchNode{t, n.Node}, elasticsearch.Keys{Gzip: 1})
	})
	t.Run("mapping errors", func(t *testing.T) { testMappingErrors(t, &searchNode{t, n.Node}) })
	t.Run("blocked", func(t *testing.T) { testBlocked(t, &searchNode{t, n.Node}) })
	t.Run("security", func(t *testing.T) { testSecurity(t, &searchNode{t, n.Node}) })
	t.Run("replay", func(t *testing.T) {
		testReplay(t, &searchNode{t, n.Node}, "replay", everything)
	})
	t.Run("garbage", func(t *testing.T) { testGarbage(t, &searchNode{t, n.Node}) })
	t.Run("faults", func(t *testing.T) {
		testFaults(t, &searchNode{t, n.Node}, faults{"refused": testRefused, "later": testLater, "slow": testSlow, "cut requests": testCutRequests,
			"cut answers": testCutAnswers, "black hole": testBlackHole, "failover": testFailover, "silent": testSilent, "dead letters": testDeadLetters,
			"rollover": testRollover})
	})
	t.Run("setup by itself", func(t *testing.T) {
		n := &searchNode{t, n.Node}
		events := nodeEvents(100)
		o := openElasticsearch(t, elasticsearch.Keys{Addresses: []string{n.URL}, Dataset: "mine.event", HealthDataset: "mine.health", Setup: true})
		if sum := sendAll(t, o, events, 100, nil); sum.delivered != 100 || len(sum.errors) > 0 {
			t.Fatalf("%+v", sum)
		}
		n.hasNoOtherFields("logs-mine.event-default")
		n.hasNoOtherFields("logs-mine.health-default")
	})
}

// One event of a hundred does not fit the mapping: these are rejected, with the
// reason, and no others.
func testMappingErrors(t *testing.T, n *searchNode) {
	n.ask("PUT", "/_index_template/strict", `{"index_patterns":["logs-strict.*"],"data_stream":{},"priority":900,
		"template":{"mappings":{"properties":{"network":{"properties":{"protocol":{"type":"ip"}}}}}}}`)
	events := nodeEvents(5000)
	bad := map[int]bool{}
	for i := range events {
		events[i].Application = ""
		if i%100 == 50 {
			events[i].Application, bad[i] = "dns", true
		}
	}
	o := openElasticsearch(t, elasticsearch.Keys{Addresses: []string{n.URL}, Dataset: "strict.event", HealthDataset: "strict.health"})
	sum := sendAll(t, o, events, 1000, nil)
	if sum.delivered != len(events)-len(bad) || len(sum.rejected) != len(bad) || sum.attempts != 5 || len(sum.errors) > 0 {
		t.Fatalf("%d delivered, %d rejected of %d, %v", sum.delivered, len(sum.rejected), len(bad), sum.errors)
	}
	for i, reason := range sum.rejected {
		if !bad[i] || !strings.Contains(reason, "400 document_parsing_exception") || !strings.Contains(reason, "network.protocol") {
			t.Errorf("event %d: %s", i, reason)
		}
	}
	if got := n.count("logs-strict.*"); got != sum.delivered {
		t.Errorf("%d documents", got)
	}
}

// A blocked data stream keeps the events back; none is lost, none rejected.
func testBlocked(t *testing.T, n *searchNode) {
	n.ask("PUT", "/_index_template/blocked", `{"index_patterns":["logs-blocked.*"],"data_stream":{},"priority":900}`)
	o := openElasticsearch(t, elasticsearch.Keys{Addresses: []string{n.URL}, Dataset: "blocked.event", HealthDataset: "blocked.health"})
	events := nodeEvents(3000)
	sendAll(t, o, events[:1000], 1000, nil)
	n.ask("PUT", "/logs-blocked.event-default/_settings", `{"index.blocks.write":true}`)
	sum := sendAll(t, o, events, 1000, func(attempt int) {
		if attempt == 4 {
			n.ask("PUT", "/logs-blocked.event-default/_settings", `{"index.blocks.write":false}`)
		}
	})
	if sum.delivered != len(events) || len(sum.rejected) > 0 || len(sum.errors) == 0 {
		t.Fatalf("%+v", sum)
	}
	for text := range sum.errors {
		if !strings.Contains(text, "403 cluster_block_exception") {
			t.Error(text)
		}
	}
	if got := n.count("logs-blocked.*"); got != len(events) {
		t.Errorf("%d documents", got)
	}
}

// The node itself has no security, so it stands in a proxy of the test: TLS with
// a CA or a pin, API key, user and password, and what happens without.
func testSecurity(t *testing.T, n *searchNode) {
	target, err := url.Parse(n.URL)
	if err != nil {
		t.Fatal(err)
	}
	var deny atomic.Int32 // 0: look at the credentials
	behind := httputil.NewSingleHostReverseProxy(target)
	proxy := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		known := r.Header.Get("Authorization") == "ApiKey aWQ6a2V5" || user == "sensor" && password == "s3cret"
		switch status := int(deny.Load()); {
		case status != 0:
			w.Header().Set("X-Elastic-Product", "Elasticsearch")
			w.WriteHeader(status)
			io.WriteString(w, `{"error":{"type":"security_exception","reason":"action [indices:data/write/bulk] is unauthorized"}}`)
		case !known:
			w.Header().Set("WWW-Authenticate", "ApiKey")
			w.WriteHeader(http.StatusUnauthorized)
			io.WriteString(w, `{"error":{"type":"security_exception","reason":"unable to authenticate"}}`)
		default:
			behind.ServeHTTP(w, r)
		}
	}))
	defer proxy.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: proxy.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(proxy.Certificate().Raw)
	pin := hex.EncodeToString(sum[:])
	base := elasticsearch.Keys{Addresses: []string{proxy.URL}, Dataset: "secure.event", HealthDataset: "secure.health", TLS: remote.TLSKeys{CA: ca}, APIKey: "id:key"}
	events := nodeEvents(50)
	for _, c := range []struct {
		name   string
		change func(*elasticsearch.Keys)
		want   string // in the error; empty: delivered
	}{
		{"API key", func(*elasticsearch.Keys) {}, ""},
		{"user and password", func(k *elasticsearch.Keys) { k.APIKey, k.Username, k.Password = "", "sensor", "s3cret" }, ""},
		{"pin", func(k *elasticsearch.Keys) { k.TLS = remote.TLSKeys{Pin: []string{pin}} }, ""},
		{"wrong key", func(k *elasticsearch.Keys) { k.APIKey = "id:wrong-s3cret" }, "401 security_exception: unable to authenticate"},
		{"wrong pin", func(k *elasticsearch.Keys) { k.TLS = remote.TLSKeys{Pin: []string{strings.Repeat("00", 32)}} }, "pin"},
		{"unknown authority", func(k *elasticsearch.Keys) { k.TLS = remote.TLSKeys{} }, "certificate"},
	} {
		k := base
		c.change(&k)
		o := openElasticsearch(t, k)
		r, err := o.Send(t.Context(), events)
		delivered := r.Outcomes[0] == outputs.Delivered && r.Outcomes[49] == outputs.Delivered
		switch {
		case c.want == "" && (err != nil || !delivered || o.Check(t.Context()) != nil):
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cret") || len(r.Reasons) > 0):
			t.Errorf("%s: %v", c.name, err)
		}
	}
	o := openElasticsearch(t, base)
	deny.Store(http.StatusForbidden)
	sent := sendAll(t, o, events, 10, func(attempt int) {
		switch attempt {
		case 3:
			deny.Store(http.StatusUnauthorized)
		case 6:
			deny.Store(0)
		}
	})
	if sent.delivered != len(events) || len(sent.rejected) > 0 || len(sent.errors) != 2 {
		t.Errorf("%+v", sent)
	}
	for text := range sent.errors {
		if !strings.Contains(text, "auto_configure and create_doc on logs-secure.event-default") && !strings.Contains(text, "api_key") {
			t.Error(text)
		}
	}
	if got := n.count("logs-secure.*"); got != len(events) {
		t.Errorf("%d documents", got)
	}
}

// A node that is short of everything: requests are too large for it, too many
// at once for its memory, items for its queue. All events arrive once.
func TestElasticsearchUnderPressure(t *testing.T) {
	n := startSearchNode(t, es.Start, "thread_pool.write.queue_size=1", "thread_pool.write.size=1", "http.max_content_length=1mb")
	n.ask("PUT", "/_index_template/pressed", `{"index_patterns":["logs-pressed.*"],"data_stream":{},"priority":900,
		"template":{"settings":{"number_of_shards":8,"number_of_replicas":0}}}`)
	events := nodeEvents(6000)
	keys := elasticsearch.Keys{Addresses: []string{n.URL}, Dataset: "pressed.event", HealthDataset: "pressed.health"}
	o := openElasticsearch(t, keys)
	sum := sendAll(t, o, events, 3000, nil)
	if sum.delivered != len(events) || len(sum.rejected) > 0 {
		t.Fatalf("%+v", sum)
	}
	if o.Stats().Splits == 0 {
		t.Error("no request was too large")
	}
	if !mentions(sum.errors, "429 es_rejected_execution_exception") {
		t.Errorf("no item was refused for want of a place in the queue: %v", sum.errors)
	}
	if got := n.count("logs-pressed.*"); got != len(events) {
		t.Errorf("%d documents", got)
	}
	n.Stop()
	if err := n.Restart(t.Context(), "indexing_pressure.memory.limit=300kb"); err != nil {
		t.Fatal(err)
	}
	n.holds(events, keys)
	r, err := o.Send(t.Context(), events[:1000])
	if err == nil || !strings.Contains(err.Error(), "answers 429") || r.Outcomes[0] != outputs.Retry {
		t.Errorf("%v", err)
	}
	if sum := sendAll(t, o, events[:1000], 50, nil); sum.delivered != 1000 || len(sum.rejected) > 0 {
		t.Errorf("%+v", sum)
	}
	if got := n.count("logs-pressed.*"); got != len(events) {
		t.Errorf("%d documents", got)
	}
}

func mentions(errors map[string]int, text string) bool {
	for e := range errors {
		if strings.Contains(e, text) {
			return true
		}
	}
	return false
}

func TestOpenSearch(t *testing.T) {
	n := startSearchNode(t, opensearch.Start)
	t.Run("every event", func(t *testing.T) {
		testEveryEvent(t, &searchNode{t, n.Node}, elasticsearch.Keys{})
	})
	t.Run("replay", func(t *testing.T) {
		testReplay(t, &searchNode{t, n.Node}, "replay", everything/5)
	})
	t.Run("faults", func(t *testing.T) {
		testFaults(t, &searchNode{t, n.Node}, faults{"refused": testRefused, "slow": testSlow, "cut requests": testCutRequests, "cut answers": testCutAnswers,
			"dead letters": testDeadLetters, "rollover": testRollover})
	})
	t.Run("no right to ask", func(t *testing.T) { testNoRightToAsk(t, &searchNode{t, n.Node}) })
}

// A user that may write but not ask with GET /: the key decides, and without it
// nothing is sent.
func testNoRightToAsk(t *testing.T, n *searchNode) {
	target, err := url.Parse(n.URL)
	if err != nil {
		t.Fatal(err)
	}
	behind := httputil.NewSingleHostReverseProxy(target)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, `{"error":{"type":"security_exception","reason":"no permissions for [cluster:monitor/main]"}}`)
			return
		}
		behind.ServeHTTP(w, r)
	}))
	defer proxy.Close()
	n.ask("PUT", "/_index_template/quiet", `{"index_patterns":["logs-quiet.*"],"data_stream":{},"priority":900}`)
	k := elasticsearch.Keys{Addresses: []string{proxy.URL}, Dataset: "quiet.event", HealthDataset: "quiet.health"}
	events := nodeEvents(200)
	r, err := openElasticsearch(t, k).Send(t.Context(), events)
	if err == nil || !errors.Is(err, elasticsearch.ErrDenied) || !strings.Contains(err.Error(), "set flavor to elasticsearch or opensearch") || r.Outcomes[0] != outputs.Retry {
		t.Error(err)
	}
	n.ask("GET", "/_cluster/health", "")
	if got := n.ask("GET", "/logs-quiet.*/_count", "")["count"]; got != 0.0 {
		t.Errorf("%v documents were sent blindly", got)
	}
	k.Flavor = "opensearch"
	o := openElasticsearch(t, k)
	if sum := sendAll(t, o, events, 200, nil); sum.delivered != 200 || sum.attempts != 1 {
		t.Errorf("%+v", sum)
	}
	if got := n.count("logs-quiet.*"); got != 200 {
		t.Errorf("%d documents", got)
	}
}

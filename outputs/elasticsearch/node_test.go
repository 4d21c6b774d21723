package elasticsearch

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// A fakeNode answers as Elasticsearch does. It keeps every document by its id.
type fakeNode struct {
	t      testing.TB
	server *httptest.Server

	mu       sync.Mutex
	docs     map[string]map[string]any // by id
	index    map[string]string
	requests []*http.Request // all of them, bodies read
	bulks    int
	limit    int // bytes in a bulk request; 0: none

	// answer takes the place of the usual answer to a request; false: usual.
	answer func(w http.ResponseWriter, r *http.Request) bool
	// item gives the value of "create" for a document; empty: the usual.
	item func(id string, doc map[string]any) string
	// header of every answer.
	product, about string
}

func newFakeNode(t testing.TB) *fakeNode {
	n := &fakeNode{t: t, docs: map[string]map[string]any{}, index: map[string]string{}, product: "Elasticsearch",
		about: `{"version":{"number":"8.19.7","build_flavor":"default"},"tagline":"You Know, for Search"}`}
	n.server = httptest.NewServer(n)
	t.Cleanup(n.server.Close)
	return n
}

func (n *fakeNode) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.requests = append(n.requests, r)
	if n.product != "" {
		w.Header().Set("X-Elastic-Product", n.product)
	}
	w.Header().Set("Content-Type", "application/json")
	in := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(in)
		if err != nil {
			n.t.Error(err)
			return
		}
		in = z
	}
	body, err := io.ReadAll(in)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if strings.HasSuffix(r.URL.Path, "/_bulk") {
		n.bulks++
	}
	switch {
	case n.answer != nil && n.answer(w, r):
	case r.URL.Path == "/":
		io.WriteString(w, n.about)
	case !strings.HasSuffix(r.URL.Path, "/_bulk"):
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":"no handler found for uri [%s] and method [%s]"}`, r.URL.Path, r.Method)
	case n.limit > 0 && len(body) > n.limit:
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	default:
		n.bulk(w, strings.Split(r.URL.Path, "/")[1], body)
	}
}

func (n *fakeNode) bulk(w io.Writer, index string, body []byte) {
	out := bufio.NewWriter(w)
	defer out.Flush()
	out.WriteString(`{"items":[`)
	in := bufio.NewScanner(bytes.NewReader(body))
	in.Buffer(nil, 1<<20)
	for first := true; in.Scan(); first = false {
		var action struct {
			Create *struct {
				ID    string `json:"_id"`
				Index string `json:"_index"`
			}
		}
		if err := json.Unmarshal(in.Bytes(), &action); err != nil || action.Create == nil || !in.Scan() {
			n.t.Errorf("not an action with a document: %q", in.Bytes())
			return
		}
		doc := map[string]any{}
		if err := json.Unmarshal(in.Bytes(), &doc); err != nil {
			n.t.Errorf("%v: %q", err, in.Bytes())
			return
		}
		if !first {
			out.WriteByte(',')
		}
		out.WriteString(`{"create":`)
		out.WriteString(n.create(action.Create.ID, or(action.Create.Index, index), doc))
		out.WriteByte('}')
	}
	out.WriteString(`]}`)
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (n *fakeNode) create(id, index string, doc map[string]any) string {
	if n.item != nil {
		if text := n.item(id, doc); text != "" {
			return text
		}
	}
	if n.docs[id] != nil {
		return `{"status":409,"error":{"type":"version_conflict_engine_exception","reason":"[` + id + `]: version conflict, document already exists"}}`
	}
	n.docs[id], n.index[id] = doc, index
	return `{"status":201}`
}

func (n *fakeNode) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.docs)
}

func (n *fakeNode) set(change func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change()
}

// open makes an output for the node.
func (n *fakeNode) open(t testing.TB, k Keys) *Output {
	t.Helper()
	if k.Addresses == nil {
		k.Addresses = []string{n.server.URL}
	}
	return openOutput(t, k)
}

func openOutput(t testing.TB, k Keys) *Output {
	t.Helper()
	o, err := New(k, Env{Identity: identity(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

// refuse answers every bulk request with a status and a body.
func refuse(status int, header, body string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/_bulk") {
			return false
		}
		if name, value, ok := strings.Cut(header, ": "); ok {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
		return true
	}
}

package elasticsearch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs"
)

func outcomes(r outputs.Result) (delivered, rejected, retry int) {
	for _, o := range r.Outcomes {
		switch o {
		case outputs.Delivered:
			delivered++
		case outputs.Rejected:
			rejected++
		default:
			retry++
		}
	}
	return
}

// want checks a Result by its numbers.
func want(t *testing.T, r outputs.Result, delivered, rejected, retry int) {
	t.Helper()
	if d, j, y := outcomes(r); d != delivered || j != rejected || y != retry {
		t.Fatalf("%d delivered, %d rejected, %d to retry; want %d, %d, %d: %v", d, j, y, delivered, rejected, retry, r.Reasons)
	}
	if len(r.Reasons) != rejected {
		t.Fatalf("%d reasons for %d rejected events", len(r.Reasons), rejected)
	}
}

func TestSend(t *testing.T) {
	for _, level := range []int{0, 1} {
		n := newFakeNode(t)
		o := n.open(t, Keys{Gzip: level, MaxRequest: 100_000, Namespace: "prod", Pipeline: "p"})
		batch := batchOf(500)
		batch[7], batch[8] = hostileEvent(7), healthEvent(8)
		r, err := o.Send(t.Context(), batch)
		if err != nil {
			t.Fatal(err)
		}
		want(t, r, 500, 0, 0)
		if n.count() != 500 || n.bulks < 5 {
			t.Errorf("%d documents in %d requests", n.count(), n.bulks)
		}
		for i := range batch {
			id := event.IDString(batch[i].ID)
			doc, index := n.docs[id], "logs-trailhound.event-prod"
			if batch[i].Code.IsHealth() {
				index = "logs-trailhound.health-prod"
			}
			if n.index[id] != index {
				t.Errorf("event %d is in %s", i, n.index[id])
			}
			stream := doc["data_stream"].(map[string]any)
			if got := fmt.Sprintf("%v-%v-%v", stream["type"], stream["dataset"], stream["namespace"]); got != index {
				t.Errorf("event %d says it is in %s", i, got)
			}
		}
		if q := n.requests[1].URL.Query(); q.Get("pipeline") != "p" || !strings.Contains(q.Get("filter_path"), "items.*.status") {
			t.Errorf("asked with %v", q)
		}
		if got := n.requests[1].Header.Get("User-Agent"); got != "trailhound/1.0.0" {
			t.Errorf("user agent %q", got)
		}
		// Again: nothing twice.
		if r, err = o.Send(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		want(t, r, 500, 0, 0)
		if s := o.Stats(); s.Duplicates != 500 || s.Delivered != 1000 || n.count() != 500 {
			t.Errorf("%+v", s)
		}
	}
}

func TestItems(t *testing.T) {
	n := newFakeNode(t)
	o := n.open(t, Keys{Pipeline: "p"})
	batch := batchOf(12)
	reply := []string{
		`{"status":201}`,
		`{"status":200,"failure_store":"used"}`,
		`{"status":409,"error":{"type":"version_conflict_engine_exception"}}`,
		`{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"queue full"}}`,
		`{"status":503,"error":{"type":"unavailable_shards_exception"}}`,
		`{"status":400,"error":{"type":"document_parsing_exception","reason":"failed to parse","caused_by":{"reason":"'x' is not an IP string literal.","type":"y"}}}`,
		`{"status":403,"error":{"type":"cluster_block_exception","reason":"index blocked"}}`,
		`{"status":404,"error":{"type":"index_not_found_exception"}}`,
		`{"status":400,"error":{"type":"illegal_argument_exception","reason":"pipeline with id [p] does not exist"}}`,
		`{"status":422,"error":"an older node's text"}`,
		`{"status":302}`,
		`{"status":201,"failure_store":"not_enabled","more":{"a":[1,-2.5e3,null,"x",true,{}]}}`,
	}
	n.item = func(id string, _ map[string]any) string {
		return reply[slices.IndexFunc(batch, func(e event.Event) bool { return event.IDString(e.ID) == id })]
	}
	r, err := o.Send(t.Context(), batch)
	const d, j, y = outputs.Delivered, outputs.Rejected, outputs.Retry
	if wantList := []outputs.Outcome{d, d, d, y, y, j, y, y, y, j, y, d}; !slices.Equal(r.Outcomes, wantList) {
		t.Errorf("%v, want %v", r.Outcomes, wantList)
	}
	if got := r.Reasons[5]; got != "400 document_parsing_exception: failed to parse ('x' is not an IP string literal.)" {
		t.Errorf("reason %q", got)
	}
	if got := r.Reasons[9]; got != "422 error: an older node's text" {
		t.Errorf("reason %q", got)
	}
	if err == nil || !errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), "6 of 12 events are put off: 429 es_rejected_execution_exception: queue full") ||
		!strings.Contains(err.Error(), "create_doc on logs-trailhound.event-default") || r.RetryAfter != deniedWait {
		t.Errorf("%v, wait %v", err, r.RetryAfter)
	}
	if s := o.Stats(); s.Diverted != 1 || s.Duplicates != 1 || s.Rejected != 2 || s.Retried != 6 || s.Delivered != 4 {
		t.Errorf("%+v", s)
	}
}

func TestRefusedRequests(t *testing.T) {
	for _, c := range []struct {
		name, header, body string
		status             int
		wait               time.Duration
		denied             bool
		texts              []string
	}{
		{"429", "Retry-After: 7", `{"error":{"type":"es_rejected_execution_exception","reason":"memory"}}`, 429, 7 * time.Second, false, []string{"429 es_rejected_execution_exception: memory"}},
		{"503 of a proxy", "Retry-After: 99999999", `<html>no</html>`, 503, longestWait, false, []string{"answers 503"}},
		{"401", "", `{"error":{"type":"security_exception","reason":"unable to authenticate"},"status":401}`, 401, deniedWait, true, []string{"unable to authenticate", "api_key"}},
		{"403", "", `{"error":{"type":"security_exception","reason":"action [indices:data/write/bulk] is unauthorized"},"status":403}`, 403, deniedWait, true,
			[]string{"is unauthorized", "auto_configure and create_doc on logs-trailhound.event-default"}},
		{"401 of OpenSearch", "", "Unauthorized", 401, deniedWait, true, []string{"Unauthorized"}},
		{"404", "", `{"error":"no such thing"}`, 404, 0, false, []string{"404: no such thing"}},
		{"redirect", "Location: http://192.0.2.1/", "", 302, 0, false, []string{"answers 302"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newFakeNode(t)
			n.answer = refuse(c.status, c.header, c.body)
			o := n.open(t, Keys{APIKey: "id:s3cret"})
			r, err := o.Send(t.Context(), batchOf(20))
			want(t, r, 0, 0, 20)
			if err == nil || errors.Is(err, ErrDenied) != c.denied || r.RetryAfter != c.wait || strings.Contains(err.Error(), "s3cret") {
				t.Fatalf("%v, wait %v", err, r.RetryAfter)
			}
			for _, text := range append(c.texts, n.server.URL) {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%q is not in %v", text, err)
				}
			}
			if n.bulks != 1 {
				t.Errorf("asked %d times: retries are the loop's", n.bulks)
			}
			n.set(func() { n.answer = nil })
			r, err = o.Send(t.Context(), batchOf(20))
			if err != nil {
				t.Fatal(err)
			}
			want(t, r, 20, 0, 0)
		})
	}
}

// A node that takes small requests only gets small ones from then on.
func TestTooLarge(t *testing.T) {
	n := newFakeNode(t)
	n.limit = 200_000
	o := n.open(t, Keys{})
	r, err := o.Send(t.Context(), batchOf(1000))
	if err != nil {
		t.Fatal(err)
	}
	want(t, r, 1000, 0, 0)
	if o.Stats().Splits == 0 || o.limit > n.limit {
		t.Errorf("%+v, limit %d", o.Stats(), o.limit)
	}
	n.set(func() { n.bulks = 0 })
	splits := o.Stats().Splits
	if _, err := o.Send(t.Context(), batchOf(1000)); err != nil || o.Stats().Splits != splits {
		t.Errorf("%v, split again", err)
	}
	// One that does not fit by itself is rejected; the others arrive.
	batch := batchOf(9)
	for i := range batch {
		batch[i].ID[0] = 9
	}
	batch[3].Trail = strings.Repeat("x", 5000)
	n.set(func() { n.limit = 4000 })
	if r, err = o.Send(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	want(t, r, 8, 1, 0)
	if !strings.Contains(r.Reasons[3], "413") {
		t.Errorf("%v", r.Reasons)
	}
}

// One document can make the whole request malformed.
func TestPoison(t *testing.T) {
	n := newFakeNode(t)
	o := n.open(t, Keys{})
	poison := func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "_bulk") {
			return false
		}
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		if strings.Contains(string(body), "poison") {
			return refuse(400, "", `{"error":{"type":"x_content_parse_exception","reason":"duplicate key"}}`)(w, r)
		}
		return false
	}
	n.answer = poison
	batch := batchOf(300)
	batch[0].Trail, batch[77].Trail, batch[299].Trail = "poison", "poison", "poison"
	r, err := o.Send(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	want(t, r, 297, 3, 0)
	for _, i := range []int{0, 77, 299} {
		if r.Outcomes[i] != outputs.Rejected || !strings.Contains(r.Reasons[i], "duplicate key") {
			t.Errorf("event %d: %v %q", i, r.Outcomes[i], r.Reasons[i])
		}
	}
	if n.bulks > 80 {
		t.Errorf("%d requests to find three events", n.bulks)
	}
}

// When everything is refused it is not the events: none may be lost for it.
func TestMisconfigured(t *testing.T) {
	n := newFakeNode(t)
	n.answer = refuse(400, "", `{"error":{"type":"illegal_argument_exception","reason":"unrecognized parameter"}}`)
	o := n.open(t, Keys{})
	for _, size := range []int{1, 3, 500} {
		r, err := o.Send(t.Context(), batchOf(size))
		want(t, r, 0, 0, size)
		if err == nil || !strings.Contains(err.Error(), "unrecognized parameter") {
			t.Errorf("%d: %v", size, err)
		}
	}
	if n.bulks > 60 {
		t.Errorf("%d requests", n.bulks)
	}
	// Nor when it was well before.
	n.set(func() { n.answer = nil })
	if _, err := o.Send(t.Context(), batchOf(5)); err != nil {
		t.Fatal(err)
	}
	n.set(func() { n.answer = refuse(400, "", `{}`) })
	r, err := o.Send(t.Context(), batchOf(500))
	want(t, r, 0, 0, 500)
	if err == nil || !strings.Contains(err.Error(), "every request is refused") {
		t.Error(err)
	}
}

func TestUntrustedAnswers(t *testing.T) {
	item := `{"create":{"status":201}}`
	for name, body := range map[string]string{
		"fewer items":     `{"items":[` + item + `]}`,
		"more items":      `{"items":[` + item + "," + item + "," + item + `]}`,
		"no items":        `{"errors":false,"took":1}`,
		"empty":           ``,
		"not JSON":        `hello`,
		"a list":          `[` + item + "," + item + `]`,
		"cut":             `{"items":[` + item + `,{"create":{"status":201`,
		"cut at the end":  `{"items":[` + item + "," + item + `]`,
		"more behind":     `{"items":[` + item + "," + item + `]}x`,
		"status is text":  `{"items":[{"create":{"status":"201"}},` + item + `]}`,
		"status is huge":  `{"items":[{"create":{"status":99999999999999999999}},` + item + `]}`,
		"deep":            `{"items":[{"create":{"x":` + strings.Repeat("[", 1<<20) + `}},` + item + `]}`,
		"endless":         `{"items":[{"create":{"x":"` + strings.Repeat("y", 1<<20) + `"}},` + item + `]}`,
		"endless reasons": `{"items":[{"create":{"status":400,"error":{"reason":"` + strings.Repeat(`\u00fc`, 1<<20) + `"}}},` + item + `]}`,
	} {
		t.Run(name, func(t *testing.T) {
			n := newFakeNode(t)
			n.answer = refuse(200, "", body)
			r, err := n.open(t, Keys{}).Send(t.Context(), batchOf(2))
			want(t, r, 0, 0, 2)
			if err == nil || !strings.Contains(err.Error(), n.server.URL) {
				t.Error(err)
			}
		})
	}
	// The limits are of what is too much, not of what is a lot.
	n := newFakeNode(t)
	n.answer = refuse(200, "", `{"items":[{"create":{"status":400,"error":{"type":"a","reason":"`+strings.Repeat(`\u00fc`, 1000)+`"}}},`+item+`]}`)
	r, err := n.open(t, Keys{}).Send(t.Context(), batchOf(2))
	if err != nil {
		t.Fatal(err)
	}
	want(t, r, 1, 1, 0)
	if reason := r.Reasons[0]; len(reason) > maxText+20 || !strings.HasSuffix(reason, "ü") {
		t.Errorf("%d bytes: %q", len(reason), reason)
	}
}

func TestDeadline(t *testing.T) {
	n := newFakeNode(t)
	hold := make(chan struct{})
	n.answer = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "_bulk") {
			w.(http.Flusher).Flush() // a header, and then nothing
			<-hold
		}
		return false
	}
	o := n.open(t, Keys{})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	r, err := o.Send(ctx, batchOf(3))
	close(hold)
	want(t, r, 0, 0, 3)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestFailover(t *testing.T) {
	dead := httptest.NewServer(nil)
	dead.Close()
	busy, good := newFakeNode(t), newFakeNode(t)
	busy.answer = func(w http.ResponseWriter, r *http.Request) bool { w.WriteHeader(503); return true }
	o := openOutput(t, Keys{Addresses: []string{dead.URL, busy.server.URL, good.server.URL + "/"}, Flavor: "elasticsearch"})
	for range 3 {
		r, err := o.Send(t.Context(), batchOf(10))
		if err != nil {
			t.Fatal(err)
		}
		want(t, r, 10, 0, 0)
	}
	if busy.bulks != 1 {
		t.Errorf("the node that is not ready was asked %d times", busy.bulks)
	}
	// The first is asked again after its rest.
	busy.set(func() { busy.answer = nil })
	for _, n := range o.nodes.list {
		n.until = time.Now().Add(-time.Second)
	}
	if _, err := o.Send(t.Context(), batchOf(10)); err != nil || busy.count() != 10 {
		t.Errorf("%v, %d", err, busy.count())
	}
	if o.nodes.list[0].failed != 2 || o.nodes.list[1].failed != 0 {
		t.Errorf("failures in a row: %d, %d", o.nodes.list[0].failed, o.nodes.list[1].failed)
	}
	// All dead: the error names one.
	good.server.Close()
	busy.server.Close()
	r, err := o.Send(t.Context(), batchOf(10))
	want(t, r, 0, 0, 10)
	if err == nil || !strings.Contains(err.Error(), "http://127.0.0.1:") {
		t.Error(err)
	}
}

// A node that closes the connection in the middle, and what comes of it.
func TestConnectionLost(t *testing.T) {
	n := newFakeNode(t)
	lose := true
	n.answer = func(w http.ResponseWriter, r *http.Request) bool {
		if lose && strings.HasSuffix(r.URL.Path, "_bulk") {
			body, _ := io.ReadAll(r.Body)
			n.bulk(io.Discard, strings.Split(r.URL.Path, "/")[1], body) // it has them, but cannot say so any more
			panic(http.ErrAbortHandler)
		}
		return false
	}
	o := n.open(t, Keys{})
	r, err := o.Send(t.Context(), batchOf(10))
	want(t, r, 0, 0, 10)
	if err == nil {
		t.Error("no error")
	}
	n.set(func() { lose = false })
	if r, err = o.Send(t.Context(), batchOf(10)); err != nil {
		t.Fatal(err)
	}
	want(t, r, 10, 0, 0)
	if s := o.Stats(); s.Duplicates != 10 || n.count() != 10 {
		t.Errorf("%+v", s)
	}
}

func TestEmptyBatch(t *testing.T) {
	n := newFakeNode(t)
	r, err := n.open(t, Keys{}).Send(t.Context(), nil)
	if err != nil || len(r.Outcomes) != 0 || len(n.requests) != 0 {
		t.Errorf("%v %v %d", r, err, len(n.requests))
	}
}

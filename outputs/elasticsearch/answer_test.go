package elasticsearch

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// FuzzAnswer holds the scanner against encoding/json: what that refuses may be
// taken, but what both take must be the same.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		`{"items":[{"create":{"status":201}},{"create":{"status":409,"error":{"type":"version_conflict_engine_exception","reason":"x"}}}]}`,
		`{"took":3,"errors":true,"items":[{"create":{"_index":"a","status":400,"error":{"type":"a","reason":"b\"\\\u00fc\ud834\udd1e","caused_by":{"type":"c","reason":"d"}}}},{"create":{"status":201,"failure_store":"used","_shards":{"total":2}}}]}`,
		` { "items" : [ { "create" : { "status" : 201 } } , { "index" : { "status" : 1 } } ] } `,
		`{"items":[{},{}],"items":[{},{}]}`, `{"items":[{"create":{"error":"text"}},{}]}`, `{"items":[{"a":{"status":01}},{}]}`, `{}`, `{"items":[]}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var a answerReader
		list, err := a.read(strings.NewReader(s), 2)
		if err != nil {
			return
		}
		if len(list) != 2 {
			t.Fatalf("%d results without an error", len(list))
		}
		for _, r := range list {
			if r.status < 0 || r.status > 1_000_000 || len(r.kind) > maxText || len(r.reason) > 2*maxText+3 {
				t.Fatalf("%+v", r)
			}
		}
		var told struct {
			Items []map[string]json.RawMessage `json:"items"`
		}
		if strings.Count(s, "items") != 1 || json.Unmarshal([]byte(s), &told) != nil {
			return
		}
		if len(told.Items) != 2 {
			t.Fatalf("%d items, encoding/json finds %d in %q", len(list), len(told.Items), s)
		}
		for i, item := range told.Items {
			for _, text := range item {
				var one struct{ Status *int }
				if len(item) == 1 && bytes.Count(bytes.ToLower(text), []byte("status")) == 1 && json.Unmarshal(text, &one) == nil && one.Status != nil &&
					bytes.Contains(text, []byte(`"status"`)) && *one.Status != list[i].status {
					t.Fatalf("status %d, encoding/json finds %d in %q", list[i].status, *one.Status, s)
				}
			}
		}
	})
}

func TestReasonIsCutBetweenRunes(t *testing.T) {
	for n := maxText - 5; n < maxText+3; n++ {
		for _, end := range []string{"ü", `\u00fc`, "€", `\ud834\udd1e`, "𝄞"} {
			text := `{"items":[{"create":{"status":400,"error":{"type":"t","reason":"` + strings.Repeat("x", n) + end + `y"}}}]}`
			var a answerReader
			list, err := a.read(strings.NewReader(text), 1)
			if err != nil {
				t.Fatal(err)
			}
			if r := list[0].reason; strings.Contains(r, "\uFFFD") || len(r) > maxText || len(r) < maxText-5 {
				t.Errorf("%d, %s: %q", n, end, r[len(r)-8:])
			}
		}
	}
}

func TestAnswersAllocateNothing(t *testing.T) {
	text := []byte(`{"items":[` + strings.Repeat(`{"create":{"status":201}},`, 999) + `{"create":{"status":201}}]}`)
	var a answerReader
	r := bytes.NewReader(text)
	if n := testing.AllocsPerRun(20, func() {
		r.Reset(text)
		if _, err := a.read(r, 1000); err != nil {
			t.Fatal(err)
		}
	}); n > 4 {
		t.Errorf("%v allocations for an answer", n)
	}
}

func BenchmarkAnswer(b *testing.B) {
	text := []byte(`{"items":[` + strings.Repeat(`{"create":{"status":201}},`, 3999) + `{"create":{"status":201}}]}`)
	var a answerReader
	r := bytes.NewReader(text)
	b.ReportAllocs()
	for b.Loop() {
		r.Reset(text)
		if _, err := a.read(r, 4000); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/4000, "ns/event")
}

package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// newRefuser is an Elasticsearch that refuses every tenth document for good.
func newRefuser(t *testing.T) string {
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		w.Header().Set("Content-Type", "application/json")
		if q.URL.Path == "/" {
			io.WriteString(w, `{"version":{"number":"8.19.0","build_flavor":"default"},"tagline":"You Know, for Search"}`)
			return
		}
		from := io.Reader(q.Body)
		if q.Header.Get("Content-Encoding") == "gzip" {
			unpacked, err := gzip.NewReader(q.Body)
			if err != nil {
				t.Error(err)
				return
			}
			from = unpacked
		}
		body, err := io.ReadAll(from)
		if err != nil {
			t.Error(err)
			return
		}
		var answer bytes.Buffer
		for range bytes.Count(body, []byte("\n")) / 2 {
			if answer.Len() > 0 {
				answer.WriteByte(',')
			}
			if n++; n%10 == 0 {
				answer.WriteString(`{"create":{"status":400,"error":{"type":"mapper_parsing_exception","reason":"no"}}}`)
			} else {
				answer.WriteString(`{"create":{"status":201}}`)
			}
		}
		fmt.Fprintf(w, `{"errors":true,"items":[%s]}`, answer.Bytes())
	}))
	t.Cleanup(server.Close)
	return server.URL
}

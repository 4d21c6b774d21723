package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// An API key that is exchanged at the receiver and in its file while the sensor
// runs: the file is read again, and everything arrives. No key is ever said.
func TestReplayDeliverReadsCredentialsAgain(t *testing.T) {
	r, left := newReplayed(t), temporary(t)
	file, key := r.capture(t, "a.pcap", 9), writeTest(t, filepath.Join(r.dir, "key"), "first:s3cret\n")
	node, err := url.Parse(newRefuser(t)) // the tenth would be refused
	if err != nil {
		t.Fatal(err)
	}
	behind := httputil.NewSingleHostReverseProxy(node)
	var denied atomic.Int32
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Header.Get("Authorization") == "ApiKey c2Vjb25kOnMzY3JldA==" { // second:s3cret
			behind.ServeHTTP(w, q)
			return
		}
		denied.Add(1)
		writeTest(t, key, "second:s3cret\n")
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(front.Close)
	r.configure(t, fmt.Sprintf("  - {name: es, type: elasticsearch, addresses: [\"%s\"], api_key: \"${file:key}\"}\n", front.URL))
	code, _, errs := r.run(t, "--every", "--deliver", file)
	if code != exitDone || denied.Load() != 1 || !strings.Contains(errs, "es: 9 delivered (acknowledged), 0 rejected, 0 filtered, 0 pending") ||
		!strings.Contains(errs, "1 attempt failed (1 auth)") || strings.Contains(errs, "s3cret") {
		t.Errorf("code %d, %d refused\n%s", code, denied.Load(), errs)
	}
	if l := left(); len(l) > 0 {
		t.Errorf("left: %v", l)
	}
}

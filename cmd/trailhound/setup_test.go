package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A cluster answers as Elasticsearch does to whoever has the password, and
// remembers what it was told to install.
type cluster struct {
	*httptest.Server
	mu        sync.Mutex
	installed []string
	silent    bool
	open      bool // without security
}

func newCluster(t *testing.T) *cluster {
	c := &cluster{}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

func (c *cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	c.mu.Lock()
	defer c.mu.Unlock()
	w.Header().Set("X-Elastic-Product", "Elasticsearch")
	_, password, _ := r.BasicAuth()
	switch {
	case c.silent:
		<-r.Context().Done()
	case c.open && strings.HasPrefix(r.URL.Path, "/_security"):
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":"no handler found for uri [%s] and method [%s]"}`, r.URL.Path, r.Method)
	case password != "s3cret" && !c.open:
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, `{"error":{"type":"security_exception","reason":"unable to authenticate"}}`)
	case r.URL.Path == "/":
		io.WriteString(w, `{"version":{"number":"8.19.7"},"tagline":"You Know, for Search"}`)
	case r.Method == http.MethodGet || strings.HasSuffix(r.URL.Path, "/_simulate"):
		io.WriteString(w, `{}`)
	case r.URL.Path == "/_security/api_key":
		c.installed = append(c.installed, r.URL.Path)
		io.WriteString(w, `{"encoded":"a2V5OnZhbHVl"}`)
	default:
		c.installed = append(c.installed, r.URL.Path)
		io.WriteString(w, `{"acknowledged":true}`)
	}
}

// elasticsearchConfig writes a configuration with outputs of these names.
func elasticsearchConfig(t *testing.T, url string, names ...string) (dir string) {
	dir = t.TempDir()
	text := "state: " + dir + "\noutputs:\n- {name: local, type: csv, path: " + dir + "/a.csv}\n"
	for _, name := range names {
		text += fmt.Sprintf("- {name: %s, type: elasticsearch, addresses: [%q], username: admin, password: s3cret, namespace: %[1]s}\n", name, url)
	}
	writeTest(t, filepath.Join(dir, "config.yaml"), text)
	return dir
}

func TestSetupElasticsearch(t *testing.T) {
	c := newCluster(t)
	dir := elasticsearchConfig(t, c.URL, "elk")

	code, out, errs := trailsRun(t, dir, "setup", "elasticsearch")
	if code != exitDone || errs != "" || len(c.installed) > 0 {
		t.Fatalf("printing: %d %q, installed %v", code, errs, c.installed)
	}
	for _, want := range []string{"PUT _ilm/policy/trailhound\n{", "PUT _index_template/logs-trailhound.event\n{", "PUT _security/role/trailhound\n{", "POST _security/api_key\n{"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not printed", want)
		}
	}

	code, out, errs = trailsRun(t, dir, "setup", "elasticsearch", "--apply")
	if code != exitDone || errs != "" || !slices.Contains(c.installed, "/_index_template/logs-trailhound.health") || slices.Contains(c.installed, "/_security/api_key") {
		t.Fatalf("applying: %d %q %q, installed %v", code, out, errs, c.installed)
	}
	if !strings.Contains(out, "POST logs-trailhound.event-elk/_rollover") {
		t.Errorf("%q", out)
	}

	code, out, errs = trailsRun(t, dir, "setup", "elasticsearch", "--apply", "--api-key")
	if code != exitDone || errs != "" || !strings.Contains(out, "a2V5OnZhbHVl") {
		t.Fatalf("with key: %d %q %q", code, out, errs)
	}
}

// Whoever asks for a key and gets none must not take the exit code for one.
func TestSetupElasticsearchWithoutSecurity(t *testing.T) {
	c := newCluster(t)
	c.open = true
	dir := elasticsearchConfig(t, c.URL, "elk")
	code, out, errs := trailsRun(t, dir, "setup", "elasticsearch", "--apply", "--api-key")
	if code != exitFailed || !strings.Contains(errs, "no API key was made: security is off at "+c.URL) ||
		!strings.Contains(out, "API key api_key: left out") || !slices.Contains(c.installed, "/_index_template/logs-trailhound.event") {
		t.Errorf("%d %q %q, installed %v", code, out, errs, c.installed)
	}
	if code, _, errs := trailsRun(t, dir, "setup", "elasticsearch", "--apply"); code != exitDone || errs != "" {
		t.Errorf("without a key: %d %q", code, errs)
	}
}

// Who is meant, and what the exit codes say.
func TestSetupElasticsearchChooses(t *testing.T) {
	c := newCluster(t)
	for _, test := range []struct {
		names []string
		args  []string
		code  int
		want  string // in what is printed or in the error
	}{
		{[]string{"one", "two"}, []string{"--output", "two", "--apply"}, exitDone, "logs-trailhound.event-two"},
		{[]string{"one", "two"}, []string{"--apply"}, exitUsage, "choose one with --output: one, two"},
		{[]string{"one"}, []string{"--output", "oen"}, exitUsage, `no output "oen" of type elasticsearch, but one`},
		{[]string{"one"}, []string{"--output", "local"}, exitUsage, "is of type csv"},
		{[]string{"one"}, []string{"--api-key"}, exitUsage, "needs --apply"},
		{[]string{"one"}, []string{"one"}, exitUsage, "unknown command"},
		{nil, nil, exitConfig, "no output of type elasticsearch"},
		{[]string{"one"}, []string{"--set", "outputs.one.gzip=11"}, exitConfig, "outputs.one.gzip"},
		{[]string{"one"}, []string{"--apply", "--set", "outputs.one.password=wrong"}, exitFailed, "401 security_exception"},
		{[]string{"one"}, []string{"--set", "outputs.one.password=wrong"}, exitDone, "could not be asked"},
		{[]string{"one"}, []string{"--apply", "--set", "outputs.one.addresses=['http://127.0.0.1:1']"}, exitFailed, "cannot connect to 127.0.0.1:1"},
	} {
		code, out, errs := trailsRun(t, elasticsearchConfig(t, c.URL, test.names...), append([]string{"setup", "elasticsearch"}, test.args...)...)
		if code != test.code || !strings.Contains(out+errs, test.want) {
			t.Errorf("%v %v: %d, want %d with %q: %.500q %q", test.names, test.args, code, test.code, test.want, out, errs)
		}
		if strings.Contains(out+errs, "s3cret") {
			t.Errorf("%v: it shows the password", test.args)
		}
	}
}

// A node that takes the connection and says nothing ends in an error that names
// the key; printing goes on without it.
func TestSetupElasticsearchSilent(t *testing.T) {
	t.Parallel() // it waits for timeouts
	c := newCluster(t)
	c.silent = true
	dir := elasticsearchConfig(t, c.URL, "elk")
	code, out, errs := trailsRun(t, dir, "setup", "elasticsearch", "--set", "outputs.elk.timeout=1s")
	if code != exitDone || !strings.Contains(out, "could not be asked") {
		t.Errorf("%d %.300q %q", code, out, errs)
	}
	code, _, errs = trailsRun(t, dir, "setup", "elasticsearch", "--apply", "--set", "outputs.elk.timeout=1s")
	if code != exitFailed || !strings.Contains(errs, "the output's timeout is 1s") {
		t.Errorf("%d %q", code, errs)
	}
}

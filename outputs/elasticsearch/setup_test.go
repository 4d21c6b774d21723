package elasticsearch

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; run go test -update and look at the difference\n%s", file, got)
	}
}

// knows makes a node that has the types and paths given.
func (n *fakeNode) knows(types, paths string) {
	n.answer = func(w http.ResponseWriter, r *http.Request) bool {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		switch {
		case r.URL.Path == "/_index_template/_simulate":
			name := regexp.MustCompile(`"type":"(\w+)"`).FindSubmatch(body)[1]
			if !strings.Contains(types, string(name)) {
				w.WriteHeader(400)
				io.WriteString(w, `{"error":{"caused_by":{"reason":"The mapper type [`+string(name)+`] declared on field [x] does not exist."}}}`)
				return true
			}
		case !strings.Contains(paths, strings.Split(r.URL.Path, "/")[1]) || r.URL.Path == "/":
			return false
		}
		io.WriteString(w, `{}`)
		return true
	}
}

func TestSetupPrints(t *testing.T) {
	for _, c := range []struct{ name, about, types, paths string }{
		{"elasticsearch", `{"version":{"number":"8.19.7"},"tagline":"You Know, for Search"}`, "wildcard constant_keyword match_only_text", "_ilm _security"},
		{"elasticsearch-bare", `{"version":{"number":"8.6.0"},"tagline":"You Know, for Search"}`, "", ""},
		{"serverless", `{"version":{"number":"8.11.0","build_flavor":"serverless"},"tagline":"You Know, for Search"}`, "wildcard constant_keyword match_only_text", "_security"},
		{"opensearch", `{"version":{"number":"2.19.6","distribution":"opensearch"}}`, "wildcard constant_keyword match_only_text", "_plugins"},
	} {
		n := newFakeNode(t)
		n.about = c.about
		n.knows(c.types, c.paths)
		var out bytes.Buffer
		if err := n.open(t, Keys{Namespace: "prod"}).Setup(t.Context(), &out, SetupOptions{}); err != nil {
			t.Fatal(err)
		}
		golden(t, "setup-"+c.name+".txt", out.Bytes())
		for _, r := range n.requests {
			if r.Method != http.MethodGet && !strings.HasSuffix(r.URL.Path, "/_simulate") {
				t.Errorf("%s: printing sends %s %s", c.name, r.Method, r.URL.Path)
			}
		}
	}
	// Without a node it prints all the same, and says so.
	var out bytes.Buffer
	if err := openOutput(t, Keys{Addresses: []string{"http://127.0.0.1:1"}}).Setup(t.Context(), &out, SetupOptions{}); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); !strings.Contains(text, "could not be asked") || !strings.Contains(text, "PUT _index_template/logs-trailhound.health\n{") {
		t.Error(text)
	}
}

func TestSetupApplies(t *testing.T) {
	n := newFakeNode(t)
	n.knows("wildcard", "_component_template _index_template _ilm")
	var out bytes.Buffer
	o := n.open(t, Keys{Dataset: "mine"})
	if err := o.Setup(t.Context(), &out, SetupOptions{Apply: true, Key: true}); !errors.Is(err, ErrNoKey) || !strings.Contains(err.Error(), "security is off at "+n.server.URL) {
		t.Fatal(err)
	}
	if text := out.String(); !strings.Contains(text, "template of the data stream logs-mine: installed") || !strings.Contains(text, "role trailhound: left out") {
		t.Error(text)
	}
	var puts []string
	for _, r := range n.requests {
		if r.Method == http.MethodPut {
			puts = append(puts, r.URL.Path)
			if strings.HasSuffix(r.URL.Path, "logs-mine") {
				var body map[string]any
				json.NewDecoder(r.Body).Decode(&body)
				if body["priority"] != 501.0 || body["index_patterns"].([]any)[0] != "logs-mine-*" {
					t.Errorf("%v", body)
				}
			}
		}
	}
	if got := strings.Join(puts, " "); got != "/_ilm/policy/trailhound /_component_template/trailhound-settings /_component_template/trailhound-mappings "+
		"/_index_template/logs-mine /_index_template/logs-trailhound.health /_security/role/trailhound" {
		t.Error(got)
	}
	n.set(func() {
		n.answer = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/" {
				return false
			}
			w.WriteHeader(403)
			io.WriteString(w, `{"error":{"type":"security_exception","reason":"no"}}`)
			return true
		}
	})
	if err := o.Setup(t.Context(), &out, SetupOptions{Apply: true}); err == nil || !strings.Contains(err.Error(), "manage_index_templates") {
		t.Error(err)
	}
}

// With setup: true the first contact installs, once, and only what is missing.
func TestSetupAtFirstContact(t *testing.T) {
	n := newFakeNode(t)
	installed, puts := 0, 0
	n.answer = func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case r.URL.Path == "/" || strings.HasSuffix(r.URL.Path, "_bulk"):
			return false
		case r.Method == http.MethodPut:
			puts++
			io.WriteString(w, `{"acknowledged":true}`)
		case strings.HasPrefix(r.URL.Path, "/_index_template/logs-") && installed == 0:
			w.WriteHeader(404)
		case strings.HasPrefix(r.URL.Path, "/_index_template/logs-"):
			json.NewEncoder(w).Encode(map[string]any{"index_templates": []any{map[string]any{"index_template": map[string]any{"version": installed}}}})
		default:
			io.WriteString(w, `{}`)
		}
		return true
	}
	for _, c := range []struct{ installed, puts int }{{0, 5}, {objectVersion - 1, 5}, {objectVersion, 0}, {objectVersion + 1, 0}} {
		n.set(func() { installed, puts = c.installed, 0 })
		o := n.open(t, Keys{Setup: true, Flavor: "elasticsearch"})
		for range 2 {
			if r, err := o.Send(t.Context(), batchOf(2)); err != nil || r.Outcomes[1] == 0 {
				t.Fatal(err)
			}
		}
		if puts != c.puts {
			t.Errorf("installed version %d: %d requests that install, want %d", c.installed, puts, c.puts)
		}
	}
	// Without the right to do so nothing is sent: the mapping would be wrong for good.
	n.set(func() {
		n.bulks = 0
		n.answer = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/" || strings.HasSuffix(r.URL.Path, "_bulk") {
				return false
			}
			w.WriteHeader(403)
			return true
		}
	})
	r, err := n.open(t, Keys{Setup: true}).Send(t.Context(), batchOf(2))
	want(t, r, 0, 0, 2)
	if err == nil || !strings.Contains(err.Error(), "manage_index_templates") || n.bulks > 0 {
		t.Error(err)
	}
}

package elasticsearch

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// What the environment says is nothing to the output.
func TestEnvironmentIsLeftAlone(t *testing.T) {
	n := newFakeNode(t)
	t.Setenv("ELASTICSEARCH_URL", "http://192.0.2.1:9200")
	t.Setenv("ELASTIC_CLIENT_APIVERSIONING", "true")
	t.Setenv("HTTP_PROXY", "http://192.0.2.1:3128")
	o := n.open(t, Keys{Username: "u", Password: "p"})
	r, err := o.Send(t.Context(), batchOf(2))
	if err != nil {
		t.Fatal(err)
	}
	want(t, r, 2, 0, 0)
	for _, r := range n.requests {
		if a := r.Header.Get("Accept"); a != "" {
			t.Errorf("%s: Accept %q", r.URL.Path, a)
		}
		if c := r.Header.Get("Content-Type"); r.Method == http.MethodPost && c != "application/json" {
			t.Errorf("%s: Content-Type %q", r.URL.Path, c)
		}
		if user, password, _ := r.BasicAuth(); user != "u" || password != "p" {
			t.Errorf("%s: %q", r.URL.Path, r.Header.Get("Authorization"))
		}
		for name := range r.Header {
			if strings.HasPrefix(name, "X-Elastic") || name == "Idempotency-Key" || name == "Accept-Encoding" {
				t.Errorf("%s: header %s", r.URL.Path, name)
			}
		}
	}
}

func TestAPIKeyForms(t *testing.T) {
	for _, key := range []string{"id:key", "aWQ6a2V5"} {
		k := Keys{APIKey: ""}
		k.APIKey.UnmarshalText([]byte(key))
		if got := k.authorization(); got != "ApiKey aWQ6a2V5" {
			t.Errorf("%s: %s", key, got)
		}
	}
}

func TestFlavor(t *testing.T) {
	const elastic = `{"version":{"number":"8.19.7"},"tagline":"You Know, for Search"}`
	const open = `{"version":{"distribution":"opensearch","number":"7.10.2"},"tagline":"The OpenSearch Project"}`
	for _, c := range []struct {
		name, flavor, product, about string
		status                       int
		asked                        bool
		want                         string // in the error
	}{
		{"elasticsearch", "auto", "Elasticsearch", elastic, 200, true, ""},
		{"elasticsearch behind a proxy that drops headers", "auto", "", elastic, 200, true, ""},
		{"opensearch", "auto", "", open, 200, true, ""},
		{"opensearch named", "opensearch", "", open, 200, false, ""},
		{"elasticsearch named, header dropped", "elasticsearch", "", elastic, 200, false, ""},
		{"no right to ask", "auto", "Elasticsearch", `{}`, 403, true, ""},
		{"no right to ask, and no header", "auto", "", `{}`, 403, true, "set flavor"},
		{"no right to ask, named", "opensearch", "", `{}`, 403, false, ""},
		{"another server", "auto", "", `{"hello":"world"}`, 200, true, "neither"},
		{"a page", "auto", "", `<html>`, 200, true, "not of Elasticsearch"},
		{"credentials", "auto", "Elasticsearch", `{}`, 401, true, "401"},
		{"not up yet", "auto", "", ``, 503, true, "503"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newFakeNode(t)
			n.product = c.product
			asked := false
			n.answer = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != "/" {
					return false
				}
				asked = true
				w.WriteHeader(c.status)
				io.WriteString(w, c.about)
				return true
			}
			o := n.open(t, Keys{Flavor: c.flavor})
			for range 2 {
				r, err := o.Send(t.Context(), batchOf(3))
				if c.want != "" {
					want(t, r, 0, 0, 3)
					if err == nil || !strings.Contains(err.Error(), c.want) || n.bulks > 0 {
						t.Fatalf("%v, %d bulk requests", err, n.bulks)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				want(t, r, 3, 0, 0)
			}
			if asked != c.asked {
				t.Errorf("asked with GET /: %v", asked)
			}
		})
	}
}

// All connections go by way of the dialer that the program gave.
func TestDialer(t *testing.T) {
	n := newFakeNode(t)
	dialled := 0
	o, err := New(Keys{Addresses: []string{"http://127.0.0.2:1"}}, Env{Identity: identity(),
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			dialled++
			if address != "127.0.0.2:1" {
				t.Errorf("dials %s", address)
			}
			return (&net.Dialer{}).DialContext(ctx, network, n.server.Listener.Addr().String())
		}})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	for range 3 {
		if _, err := o.Send(t.Context(), batchOf(1)); err != nil {
			t.Fatal(err)
		}
	}
	if dialled != 1 {
		t.Errorf("%d connections", dialled)
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer string
		status int
		want   string
	}{
		{"no security", "", 0, ""},
		{"all", `{"has_all_requested":true}`, 200, ""},
		{"some", `{"has_all_requested":false,"index":{"logs-trailhound.event-default":{"auto_configure":true,"create_doc":true},
			"logs-trailhound.health-default":{"auto_configure":false,"create_doc":true}}}`, 200, "lacks the index privileges auto_configure on logs-trailhound.health-default:"},
		{"refused", `{}`, 403, "auto_configure and create_doc"},
		{"nonsense", `[]`, 200, "not the JSON"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newFakeNode(t)
			n.answer = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != "/_security/user/_has_privileges" || c.status == 0 {
					return false
				}
				var question struct {
					Index []struct{ Names, Privileges []string }
				}
				if err := json.NewDecoder(r.Body).Decode(&question); err != nil || len(question.Index) != 1 || len(question.Index[0].Names) != 2 {
					t.Errorf("%v: %+v", err, question)
				}
				w.WriteHeader(c.status)
				io.WriteString(w, c.answer)
				return true
			}
			err := n.open(t, Keys{}).Check(t.Context())
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Error(err)
			case c.want == "refused" && !errors.Is(err, ErrDenied):
				t.Error(err)
			}
			if n.bulks > 0 {
				t.Error("wrote")
			}
		})
	}
	o := openOutput(t, Keys{Addresses: []string{"http://127.0.0.1:1"}})
	if err := o.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "http://127.0.0.1:1") {
		t.Error(err)
	}
}

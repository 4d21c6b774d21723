package elasticsearch

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"trailhound/agent/event"
	"trailhound/outputs"
)

// Whoever counts failures can tell what kind one is of; only one that other
// credentials may mend asks for them.
func TestKindsOfErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(w http.ResponseWriter, r *http.Request) bool
		want   outputs.Class
		renew  bool
	}{
		{"401", refuse(401, "", ""), outputs.Auth, true},
		{"403", refuse(403, "", ""), outputs.Auth, false},
		{"400", refuse(400, "", `{"error":"no"}`), outputs.Refused, false},
		{"404", refuse(404, "", ""), outputs.Unavailable, false},
		{"413", refuse(413, "", ""), outputs.Refused, false},
		{"429", refuse(429, "", ""), outputs.Throttled, false},
		{"500", refuse(500, "", ""), outputs.Unavailable, false},
		{"503", refuse(503, "", ""), outputs.Unavailable, false},
		{"302", refuse(302, "Location: http://192.0.2.1/", ""), outputs.Protocol, false},
		{"no JSON", answers("<html>"), outputs.Protocol, false},
		{"too few", answers(`{"items":[]}`), outputs.Protocol, false},
		{"too many", answers(`{"items":[` + strings.Repeat(`{"create":{"status":201}},`, 20) + `{}]}`), outputs.Protocol, false},
	} {
		n := newFakeNode(t)
		n.answer = c.answer
		_, err := n.open(t, Keys{Flavor: "elasticsearch"}).Send(t.Context(), batchOf(12))
		if got := outputs.ClassOf(err); err == nil || got != c.want || errors.Is(err, outputs.ErrCredentials) != c.renew {
			t.Errorf("%s: %v, want %v: %v", c.name, got, c.want, err)
		}
	}
	_, err := openOutput(t, Keys{Addresses: []string{"http://127.0.0.1:1"}}).Send(t.Context(), batchOf(1))
	if got := outputs.ClassOf(err); got != outputs.Connect {
		t.Errorf("nobody there: %v: %v", got, err)
	}
	for name, text := range map[string]string{
		"a greeting of another protocol":   "220 mail.example ESMTP\r\n",
		"a status that is no number":       "HTTP/1.1 abc OK\r\n\r\n",
		"a head without an end":            "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 100<<10),
		"a chunk of a length that is none": "HTTP/1.1 200 OK\r\nX-Elastic-Product: Elasticsearch\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
		"an answer that is too long": "HTTP/1.1 200 OK\r\nX-Elastic-Product: Elasticsearch\r\nContent-Length: 9000000\r\n\r\n" +
			strings.Repeat(" ", 9_000_000),
	} {
		for flavor, send := range map[string]func(*Output) error{
			"": func(o *Output) error { return o.Check(t.Context()) },
			"elasticsearch": func(o *Output) error {
				_, err := o.Send(t.Context(), batchOf(1))
				return err
			},
		} {
			err := send(openOutput(t, Keys{Addresses: []string{"http://" + says(t, text)}, Flavor: flavor}))
			if got := outputs.ClassOf(err); err == nil || got != outputs.Protocol {
				t.Errorf("%s, flavor %q: %v: %v", name, flavor, got, err)
			}
		}
	}
	for item, want := range map[string]outputs.Class{`{"status":429}`: outputs.Throttled, `{"status":503}`: outputs.Unavailable, `{"status":403}`: outputs.Auth} {
		n := newFakeNode(t)
		n.item = func(string, map[string]any) string { return item }
		o := n.open(t, Keys{})
		_, err := o.Send(t.Context(), []event.Event{batchOf(1)[0]})
		if got := outputs.ClassOf(err); got != want || errors.Is(err, outputs.ErrCredentials) {
			t.Errorf("%s: %v, want %v: %v", item, got, want, err)
		}
		if c := o.Counters(); c.Deferred != 1 || c.Requests != 1 || c.Bytes == 0 || c.Duplicates+c.Diverted+c.Splits != 0 {
			t.Errorf("%+v", c)
		}
	}
}

// A receiver that quotes the request in its refusal does not bring our
// credentials into the log, nor onto the status page.
func TestRefusalDoesNotQuoteCredentials(t *testing.T) {
	for name, k := range map[string]Keys{
		"api key":  {APIKey: "id:hunter2"},
		"password": {Username: "sensor", Password: "hunter2"},
	} {
		_, secret, _ := strings.Cut(k.authorization(), " ")
		for flavor, send := range map[string]func(*Output) error{
			"auto": func(o *Output) error { return o.Check(t.Context()) },
			"elasticsearch": func(o *Output) error {
				_, err := o.Send(t.Context(), batchOf(1))
				return err
			},
		} {
			quoted := 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				if r.Header.Get("Authorization") == k.authorization() {
					quoted++
				}
				w.WriteHeader(401)
				fmt.Fprintf(w, "who is Authorization: %s?", r.Header.Get("Authorization"))
			}))
			k.Addresses, k.Flavor = []string{s.URL}, flavor
			err := send(openOutput(t, k))
			s.Close()
			if quoted == 0 || err == nil || strings.Contains(err.Error(), secret) || !strings.Contains(err.Error(), "***?") {
				t.Errorf("%s, flavor %s, quoted %d times: %v", name, flavor, quoted, err)
			}
		}
	}
}

// says listens, and answers a request with a text, whatever it is.
func says(t *testing.T, text string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
					io.Copy(io.Discard, r.Body)
					io.WriteString(c, text)
				}
			}()
		}
	}()
	return l.Addr().String()
}

// answers makes a node whose answers to bulk requests are always the same.
func answers(text string) func(w http.ResponseWriter, r *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, text)
		return true
	}
}

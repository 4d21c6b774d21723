package status

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestDialAddress(t *testing.T) {
	for _, c := range []struct{ listen, network, address string }{
		{"127.0.0.1:8339", "tcp", "127.0.0.1:8339"},
		{":8339", "tcp", "127.0.0.1:8339"},
		{"0.0.0.0:8339", "tcp", "127.0.0.1:8339"},
		{"[::]:8339", "tcp", "[::1]:8339"},
		{"[::1]:8339", "tcp", "[::1]:8339"},
		{"localhost:8339", "tcp", "localhost:8339"},
		{"unix:/run/a", "unix", "/run/a"},
		{"/run/a", "unix", "/run/a"},
	} {
		network, address, err := dialAddress(c.listen)
		if network != c.network || address != c.address || err != nil {
			t.Errorf("%s: %s %s %v", c.listen, network, address, err)
		}
	}
}

func TestClient(t *testing.T) {
	_, url := served(t, Options{})
	c, err := NewClient(strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	s, raw, err := c.Status(t.Context())
	if err != nil || !s.Ready || s.Trails.Count != 1630214 || len(raw) == 0 {
		t.Errorf("%+v %s %v", s, raw, err)
	}
	if _, err := NewClient("8339"); err == nil {
		t.Error("an address without a port is taken")
	}
}

func TestClientErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(w http.ResponseWriter, r *http.Request)
		want   string
	}{
		{"stuck", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, "does not answer in time"},
		{"other server", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, "is no sensor: its /status gives 404"},
		{"redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/status?again", http.StatusFound) }, "gives 302"},
		{"no JSON", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }, "is no sensor: invalid character"},
		{"other JSON", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"capture": []}`) }, "is no sensor: json:"},
		{"endless", func(w http.ResponseWriter, r *http.Request) {
			for part := make([]byte, 1<<20); ; {
				if _, err := w.Write(part); err != nil {
					return
				}
			}
		}, "is longer than 33554432 bytes"},
		{"cut off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "{")
		}, "cannot read the answer"},
	} {
		server := httptest.NewServer(http.HandlerFunc(c.answer))
		client, err := NewClient(server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := client.Status(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
		server.Close()
	}

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	client, err := NewClient(address)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := client.Status(t.Context()); err == nil || err.Error() != "cannot ask a sensor at "+address+": connection refused" {
		t.Errorf("nobody: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := client.Status(ctx); err == nil {
		t.Error("asks when cancelled")
	}
}

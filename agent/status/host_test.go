package status

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// askFor asks with a Host of its own, as a browser does that was led here by
// another name.
func askFor(t *testing.T, network, address, request string) *http.Response {
	t.Helper()
	c, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, request)
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	return r
}

func TestForeignHost(t *testing.T) {
	s, _ := served(t, Options{Listen: "localhost:0"})
	address := s.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	own, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		host string
		code int
	}{
		{"127.0.0.1:" + port, 200}, {"127.0.0.1", 200}, {"[::1]:" + port, 200}, {"192.0.2.1", 200},
		{"localhost:" + port, 200}, {"LocalHost.", 200}, {own, 200}, {strings.ToUpper(own) + ".:" + port, 200},
		{"rebound.example:" + port, 421}, {"rebound.example", 421}, {"localhost.rebound.example", 421}, {own + ".rebound.example", 421},
		{"127.0.0.1.rebound.example:" + port, 421}, {":" + port, 421},
	} {
		for _, path := range []string{"/healthz", "/status", "/metrics", "/"} {
			if r := askFor(t, "tcp", address, "GET "+path+" HTTP/1.1\r\nHost: "+c.host+"\r\n\r\n"); r.StatusCode != c.code {
				t.Errorf("%s of %s: %d, want %d", path, c.host, r.StatusCode, c.code)
			}
		}
	}
	if r := askFor(t, "tcp", address, "GET http://rebound.example/status HTTP/1.1\r\nHost: localhost\r\n\r\n"); r.StatusCode != 421 {
		t.Errorf("by the target: %d", r.StatusCode)
	}
	if r := askFor(t, "tcp", address, "GET /healthz HTTP/1.0\r\n\r\n"); r.StatusCode != 200 {
		t.Errorf("without a host: %d", r.StatusCode)
	}

	// Also when all addresses are listened at: what counts is which was asked.
	all, _ := served(t, Options{Listen: ":0"})
	_, port, _ = net.SplitHostPort(all.Addr().String())
	if r := askFor(t, "tcp", "127.0.0.1:"+port, "GET /status HTTP/1.1\r\nHost: rebound.example\r\n\r\n"); r.StatusCode != 421 {
		t.Errorf("at all addresses: %d", r.StatusCode)
	}
	path := filepath.Join(t.TempDir(), "s.sock")
	served(t, Options{Listen: path})
	if r := askFor(t, "unix", path, "GET /status HTTP/1.1\r\nHost: rebound.example\r\n\r\n"); r.StatusCode != 200 {
		t.Errorf("at a unix socket: %d", r.StatusCode)
	}
}

func TestOwnNames(t *testing.T) {
	for _, c := range []struct{ listen, name string }{{"Sensor7.Example.:8339", "sensor7.example"}, {":8339", "localhost"}, {"/run/a", "localhost"}} {
		if n := ownNames(c.listen); !n[c.name] || n[""] {
			t.Errorf("%s: %v", c.listen, n)
		}
	}
}

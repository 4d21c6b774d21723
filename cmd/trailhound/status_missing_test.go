package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"trailhound/agent/status"
)

// TestServiceNotCaptured: an interface that is configured by name and not
// captured makes the sensor not ready, whether it has gone or is there again
// with no socket left for it, and the page says which.
func TestServiceNotCaptured(t *testing.T) {
	c := newClinic(t)
	_, _, dir := c.nobody(t)
	table := filepath.Join(dir, tableFile)
	tableOf(t, table, 10)
	config, socket := filepath.Join(c.dir, "missing.yaml"), filepath.Join(dir, "status.sock")
	// Sockets that were in a fan-out group cannot be used again, so there are two.
	text := fmt.Sprintf("capture: {ring_total: 8MiB, interfaces: [v0, d0, {name: o0, optional: true}], workers: 2, spare_sockets: 2, silence: off}\n"+
		"health: {canary: 0s}\nlog: {format: json}\nstate: %s\noutputs: []\nstatus: {listen: \"unix:%s\"}\n", dir, socket)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	ip := c.here.IP
	ip("link add d0 type veth peer name d1")
	ip("link set d1 up")
	ip("link set d0 up")
	s := c.run(t, config, "nobody")
	s.until("capturing", says("capturing"))
	client, err := status.NewClient("unix:" + socket)
	if err != nil {
		t.Fatal(err)
	}
	is := func(want string) {
		t.Helper()
		var have string
		eventually(t, func() string { return want + ", is " + have }, func() bool {
			now, _, err := client.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var codes []string
			for _, r := range now.Reasons {
				codes = append(codes, r.Code)
			}
			for _, m := range now.Capture.Missing {
				codes = append(codes, m.Interface+" "+linkText(false, &m))
			}
			have = strings.Join(codes, ", ")
			return have == want && now.Ready == !strings.Contains(want, "capture.")
		})
	}
	is("o0 not there")
	again := func() {
		ip("link add d0 type veth peer name d1")
		ip("link set d1 up")
		ip("link set d0 up")
	}
	ip("link del d0")
	is("capture.missing, d0 not there, o0 not there")
	again()
	is("o0 not there") // by the spare sockets
	ip("link del d0")
	is("capture.missing, d0 not there, o0 not there")
	again()
	is("capture.restart_needed, d0 up, not captured, o0 not there")

	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET /readyz HTTP/1.0\r\n\r\n")
	if line, err := bufio.NewReader(conn).ReadString('\n'); !strings.Contains(line, " 503 ") {
		t.Errorf("/readyz gives %q, %v", line, err)
	}
	if err := s.end(syscall.SIGTERM); err != nil {
		t.Errorf("the end: %v %+v", err, s.past)
	}
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"trailhound/agent/status"
)

// endpoint is what is at the address of the status endpoint.
type endpoint struct {
	listen  string
	sensor  string // version of the sensor that answers there; empty: none does
	wrong   error  // why the address is none
	refused error  // why one cannot listen there; nil: one can
	later   bool   // the directory of the socket does not exist yet
}

// asking is how long a sensor may take to answer.
const asking = 2 * time.Second

func checkEndpoint(ctx context.Context, listen string, who runner) finding {
	return judgeEndpoint(readEndpoint(ctx, listen, who))
}

func readEndpoint(ctx context.Context, listen string, who runner) endpoint {
	e := endpoint{listen: listen}
	if listen == "" {
		return e
	}
	network, address, err := status.Address(listen)
	if err != nil {
		e.wrong = err
		return e
	}
	if e.sensor = askVersion(ctx, network, address); e.sensor != "" {
		return e
	}
	e.refused = tryListen(network, address, who)
	e.later = network == "unix" && errors.Is(e.refused, fs.ErrNotExist)
	return e
}

// tryListen says why the user cannot listen. A unix socket is not made: what
// counts is whether its directory can be written to, and that nothing else has
// its name.
func tryListen(network, address string, who runner) error {
	if network == "unix" {
		if st, err := os.Lstat(address); err == nil && st.Mode()&fs.ModeSocket == 0 {
			return errors.New("there is a file of that name")
		}
		if c, err := net.DialTimeout(network, address, asking); err == nil {
			c.Close()
			return errors.New("another program listens there")
		}
		p, err := lookAt(filepath.Dir(address))
		if err != nil {
			return err
		}
		return who.denied(p, mayWrite|mayEnter)
	}
	if _, port, err := net.SplitHostPort(address); err == nil && !who.self && who.uid != 0 {
		first, _ := strconv.Atoi(readWord("/proc/sys/net/ipv4/ip_unprivileged_port_start"))
		if n, err := strconv.Atoi(port); err == nil && n != 0 && n < first {
			return fmt.Errorf("ports below %d are for root, and it runs as %s", first, who.name)
		}
	}
	l, err := net.Listen(network, address)
	if own := (*net.OpError)(nil); errors.As(err, &own) {
		return own.Err // without the address again
	}
	if err != nil {
		return err
	}
	return l.Close()
}

// askVersion gives the version of a sensor that answers at an address; empty if
// none does.
func askVersion(ctx context.Context, network, address string) string {
	if host, port, err := net.SplitHostPort(address); network == "tcp" && err == nil {
		if a, err := netip.ParseAddr(host); host == "" || err == nil && a.IsUnspecified() {
			address = net.JoinHostPort("localhost", port)
		}
	}
	t := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	defer t.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/status", nil)
	if err != nil {
		return ""
	}
	answer, err := t.RoundTrip(r)
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	var snapshot status.Snapshot
	if err := json.NewDecoder(io.LimitReader(answer.Body, 4<<20)).Decode(&snapshot); err != nil {
		return ""
	}
	return snapshot.Version.Version
}

func judgeEndpoint(e endpoint) finding {
	f := finding{Check: "status endpoint", Status: statusOK}
	switch {
	case e.listen == "":
		f.Detail = "off (status.listen is empty)"
	case e.wrong != nil:
		f.Status, f.Detail, f.Action = statusFail, e.wrong.Error(), "correct status.listen"
	case e.sensor != "":
		f.Detail = fmt.Sprintf("a running sensor answers at %s (version %s)", e.listen, e.sensor)
	case e.later:
		f.Status, f.Detail = statusWarn, fmt.Sprintf("the directory of %s does not exist now", e.listen)
		f.Action = "systemd makes it for the service (RuntimeDirectory); else make it"
	case e.refused != nil:
		f.Status, f.Detail, f.Action = statusFail, fmt.Sprintf("cannot listen at %s: %v", e.listen, e.refused), "choose another status.listen, or end what has it (ss -ltnp)"
	default:
		f.Detail = e.listen + " is free"
	}
	return f
}

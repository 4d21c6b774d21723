package status

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
)

// misdirected is what a request for a foreign name is told.
const misdirected = "this is not the host that was asked for: use its IP address, localhost, or its own name as hostname(1) or status.listen has it\n"

// ownNames are the names that a server goes by: localhost, the host's, and the
// one it listens at, if that is a name.
func ownNames(listen string) map[string]bool {
	names := map[string]bool{"localhost": true}
	if name, err := os.Hostname(); err == nil {
		names[plainHost(name)] = true
	}
	if network, address, err := Address(listen); err == nil && network == "tcp" {
		host, _, _ := net.SplitHostPort(address)
		names[plainHost(host)] = true
	}
	delete(names, "")
	return names
}

// plainHost is a host name as names are compared: lower case, without the dot
// of the root.
func plainHost(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// foreign says whether a request that reached the loopback asks for a host that
// is not this one. A page in a browser on this host can have its own name point
// here (DNS rebinding) and would then be allowed to read the answers; the name
// gives it away. Where the network may ask there is nothing to guard. Without a
// Host, as in HTTP/1.0, no browser asks.
func (s *Server) foreign(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok || !local.IP.IsLoopback() || r.Host == "" {
		return false
	}
	host := (&url.URL{Host: r.Host}).Hostname()
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	return !s.names[plainHost(host)]
}

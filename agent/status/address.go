package status

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// maxPath is the longest path of a socket: sun_path of unix(7) less its NUL.
const maxPath = 107

// Address splits what status.listen says into a network, tcp or unix, and an
// address of it: "127.0.0.1:8339", ":8339", "unix:/run/trailhound/status.sock"
// and "/run/trailhound/status.sock".
func Address(listen string) (network, address string, err error) {
	if path, ok := strings.CutPrefix(listen, "unix:"); ok || strings.HasPrefix(listen, "/") {
		if !strings.HasPrefix(path, "/") {
			return "", "", fmt.Errorf("status address %q is not a socket with its whole path, such as unix:/run/trailhound/status.sock", listen)
		}
		if len(path) > maxPath {
			return "", "", fmt.Errorf("status address %q is longer than the %d bytes that a socket's path may have", listen, maxPath)
		}
		return "unix", path, nil
	}
	if _, _, err := net.SplitHostPort(listen); err != nil {
		return "", "", fmt.Errorf("status address %q is neither address:port nor unix:/path", listen)
	}
	return "tcp", listen, nil
}

// dialAddress is where a server that listens at an address is to be reached
// from the same host: one on all addresses is on the loopback's too.
func dialAddress(listen string) (network, address string, err error) {
	network, address, err = Address(listen)
	if err != nil || network != "tcp" {
		return network, address, err
	}
	host, port, _ := net.SplitHostPort(address)
	if a, err := netip.ParseAddr(host); host == "" || err == nil && a.IsUnspecified() {
		host = "127.0.0.1"
		if err == nil && a.Is6() {
			host = "::1"
		}
	}
	return network, net.JoinHostPort(host, port), nil
}

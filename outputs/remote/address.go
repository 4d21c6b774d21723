package remote

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// ParseAddress reads scheme://host:port; without a scheme it is empty. A port
// that is missing is defaultPort, unless that is empty.
func ParseAddress(text, defaultPort string) (scheme, address string, err error) {
	rest := text
	if before, after, ok := strings.Cut(text, "://"); ok {
		scheme, rest = strings.ToLower(before), after
	}
	if _, _, err := net.SplitHostPort(rest); err != nil && defaultPort != "" && rest != "" {
		host := strings.TrimSuffix(strings.TrimPrefix(rest, "["), "]")
		rest = net.JoinHostPort(host, defaultPort)
	}
	return scheme, rest, checkAddress(rest)
}

// checkAddress says what is wrong with host:port.
func checkAddress(text string) error {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return fmt.Errorf("%q is no address: want host:port, an IPv6 address in brackets", text)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("%q is no address: its port is not a number from 1 to 65535", text)
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	if host == "" || len(host) > 253 || strings.ContainsAny(host, " /\\@?#%:[]\t\r\n") {
		return fmt.Errorf("%q is no address: its host is neither a name nor an IP address", text)
	}
	return nil
}

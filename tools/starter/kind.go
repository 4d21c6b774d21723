package main

import (
	"net/netip"
	"regexp"
	"strings"
)

// kind is a form of trail, finer than the product's kinds: each form is looked
// up in its own way, and the starter set is to hold all of them.
type kind int

const (
	malformed kind = iota
	expression
	name
	singleLabel
	address4
	address6
	addressPort4
	addressPort6
	network
	path
	pathQuery
	hostSlash
	addressSlash
	addressPortSlash
	hostPath
	addressPath
	portPath
)

var (
	isExpression = regexp.MustCompile(`[\].][*+]|\[[A-Za-z0-9_.-]+\]`)
	isName       = regexp.MustCompile(`^([a-z0-9_-]+\.)*[a-z_-][a-z0-9_-]*$`)
	isHost       = regexp.MustCompile(`^([a-z0-9_-]+\.)+[a-z][a-z0-9-]*$`)
)

func kindOf(t string) kind {
	host, rest, slash := strings.Cut(t, "/")
	a, addressErr := netip.ParseAddr(host)
	ap, portErr := netip.ParseAddrPort(host)
	switch {
	case strings.ContainsAny(t, " \"") || !ascii(t):
		return malformed
	case !slash && (isExpression.MatchString(t)) && portErr != nil:
		return expression
	case !slash && addressErr == nil && a.Is4():
		return address4
	case !slash && addressErr == nil:
		return address6
	case !slash && portErr == nil && ap.Port() > 0 && ap.Addr().Is4():
		return addressPort4
	case !slash && portErr == nil && ap.Port() > 0 && !ap.Addr().IsLinkLocalUnicast() && !ap.Addr().Is4In6():
		return addressPort6
	case !slash && isName.MatchString(t) && !strings.Contains(t, "."):
		return singleLabel
	case !slash && isHost.MatchString(t):
		return name
	case !slash:
		return malformed
	case host == "" && strings.Contains(rest, "?"):
		return pathQuery
	case host == "":
		return path
	case isHost.MatchString(host) && rest == "":
		return hostSlash
	case addressErr == nil && rest == "":
		return addressSlash
	case portErr == nil && rest == "":
		return addressPortSlash
	}
	if _, err := netip.ParsePrefix(t); err == nil {
		return network
	}
	h, _, port := strings.Cut(host, ":")
	switch {
	case isHost.MatchString(host):
		return hostPath
	case addressErr == nil:
		return addressPath
	case portErr == nil || port && isHost.MatchString(h):
		return portPath
	}
	return malformed
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

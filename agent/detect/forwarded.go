package detect

import (
	"bytes"
	"net/netip"
)

// forwarded is the address that a forwarded-for value begins with, without port and
// brackets; of IPv4 whatever digits and dots there are, as the reference has it.
func forwarded(value []byte) []byte {
	value = bytes.TrimLeft(value, `"`)
	inside, brackets := bytes.CutPrefix(value, []byte("["))
	n, colons := 0, 0
	for n < len(inside) && n < maxAddrText && (inside[n] == '.' || inside[n] == ':' || unhex(inside[n]) < 16) {
		if inside[n] == ':' {
			colons++
		}
		n++
	}
	if closed := n < len(inside) && inside[n] == ']'; colons > 1 && closed == brackets {
		if _, err := netip.ParseAddr(string(inside[:n])); err == nil {
			return inside[:n]
		}
	}
	for i, c := range value {
		if (c < '0' || c > '9') && c != '.' {
			return value[:i]
		}
	}
	return value
}

// maxAddrText is the length of the longest address: IPv6 with IPv4 in its last part.
const maxAddrText = len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255")

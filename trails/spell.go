package trails

import (
	"net/netip"
	"strings"
)

// Canonical gives a trail's text with an IPv6 address at its beginning, and one in
// parentheses behind it, in the form of RFC 5952, as structured formats want it. A
// port, the length of a network and any other text stay as they are.
func Canonical(text string) string {
	return respell(text, func(dst []byte, a netip.Addr) []byte { return a.AppendTo(dst) })
}

// Spelled is Canonical the other way round: with the address as AppendAddr has it.
func Spelled(text string) string { return respell(text, AppendAddr) }

func respell(text string, spell func([]byte, netip.Addr) []byte) string {
	if strings.Count(text, ":") < 2 { // no IPv6 address is in it, as in most
		return text
	}
	open, head, rest := "", text, ""
	if at := strings.IndexAny(text, " /]"); at >= 0 {
		head, rest = text[:at], text[at:]
	}
	if len(head) > 0 && head[0] == '[' {
		open, head = head[:1], head[1:]
	}
	inner, display := "", false
	if at := strings.IndexByte(rest, '('); at >= 0 && rest[len(rest)-1] == ')' {
		inner, rest, display = rest[at+1:len(rest)-1], rest[:at], true
	}
	a, ok := parseIPv6(head)
	if !ok {
		return text
	}
	out := append(spell(append(make([]byte, 0, len(text)), open...), a), rest...)
	if display {
		out = append(out, '(')
		if a, ok := parseIPv6(inner); ok {
			out = spell(out, a)
		} else {
			out = append(out, inner...)
		}
		out = append(out, ')')
	}
	return string(out)
}

func parseIPv6(text string) (netip.Addr, bool) {
	if strings.Count(text, ":") < 2 {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(text)
	return a, err == nil && a.Zone() == ""
}

package format

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"trailhound/trails"
)

// appendPort appends a port; none is "-".
func appendPort(dst []byte, port uint16) []byte {
	if port == 0 {
		return append(dst, '-')
	}
	return strconv.AppendUint(dst, uint64(port), 10)
}

// appendPorts appends the distinct ports of a summary, joined with commas, or
// else the one port.
func appendPorts(dst []byte, list []uint16, one uint16) []byte {
	if len(list) == 0 {
		return appendPort(dst, one)
	}
	return appendPortList(dst, list)
}

func appendPortList(dst []byte, list []uint16) []byte {
	for i, p := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendUint(dst, uint64(p), 10)
	}
	return dst
}

// appendAddr appends an address in the spelling of the reference; none is "-".
func appendAddr(dst []byte, a netip.Addr) []byte {
	if !a.IsValid() {
		return append(dst, '-')
	}
	return trails.AppendAddr(dst, a)
}

// appendAddrList appends addresses joined with commas, sorted as text the way
// the reference does it.
func appendAddrList(dst []byte, list []netip.Addr) []byte {
	texts := make([]string, len(list))
	for i, a := range list {
		texts[i] = trails.AddrText(a)
	}
	slices.Sort(texts)
	return append(dst, strings.Join(texts, ",")...)
}

// appendSource appends the source column: the address and, where a request
// names one, the address it was forwarded for.
func appendSource(dst []byte, src netip.Addr, forwarded string) []byte {
	dst = appendAddr(dst, src)
	if forwarded != "" {
		dst = append(append(dst, ','), forwarded...)
	}
	return dst
}

// parseAddr is the address that a text is, or the zero Addr, as for the
// forwarded-for text "1.2.3.4.5". Unlike netip.ParseAddr it takes no zone and
// does not make an error of each name.
func parseAddr(text string) netip.Addr {
	if len(text) < 2 || len(text) > 45 {
		return netip.Addr{}
	}
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9', c == '.', c == ':', c|0x20 >= 'a' && c|0x20 <= 'f':
		default:
			return netip.Addr{}
		}
	}
	a, _ := netip.ParseAddr(text)
	return a
}

// enclose puts dst[at:] into double quotes and doubles those within, in place.
func enclose(dst []byte, at int) []byte {
	inner := 0
	for _, c := range dst[at:] {
		if c == '"' {
			inner++
		}
	}
	end := len(dst)
	for range inner + 2 {
		dst = append(dst, '"')
	}
	to := len(dst) - 2 // the last quote is already there
	for from := end - 1; from >= at; from-- {
		dst[to] = dst[from]
		to--
		if dst[from] == '"' {
			dst[to] = '"'
			to--
		}
	}
	dst[at] = '"'
	return dst
}

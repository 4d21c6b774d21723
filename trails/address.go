package trails

import (
	"net/netip"
	"strconv"
)

const hexDigits = "0123456789abcdef"

// AppendAddr appends an address in the one text form that keys and events use.
// It is the reference's, not RFC 5952: an IPv6 address without a zero group
// among the first seven is written out in full; otherwise the longest run of
// such groups (leftmost of equals, even if one group long) becomes "::". The
// last group is always written, so the unspecified address is "::0".
func AppendAddr(dst []byte, a netip.Addr) []byte {
	if a.Is4() {
		return a.AppendTo(dst)
	}
	b := a.As16()
	start, length := zeroRun(&b)
	if length == 0 {
		for g := 0; g < 16; g += 2 {
			if g > 0 {
				dst = append(dst, ':')
			}
			dst = append(dst, hexDigits[b[g]>>4], hexDigits[b[g]&15], hexDigits[b[g+1]>>4], hexDigits[b[g+1]&15])
		}
		return dst
	}
	for g := 0; g < start; g++ {
		dst = append(appendGroup(dst, &b, g), ':')
	}
	if start == 0 {
		dst = append(dst, ':')
	}
	for g := start + length; g < 8; g++ {
		dst = appendGroup(append(dst, ':'), &b, g)
	}
	return dst
}

// AppendAddrPort appends "addr:port", an IPv6 address in brackets.
func AppendAddrPort(dst []byte, a netip.Addr, port uint16) []byte {
	if a.Is4() {
		dst = a.AppendTo(dst)
	} else {
		dst = append(AppendAddr(append(dst, '['), a), ']')
	}
	return strconv.AppendUint(append(dst, ':'), uint64(port), 10)
}

// AddrText is AppendAddr as a string; the zero Addr is the empty string.
func AddrText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return string(AppendAddr(make([]byte, 0, 40), a))
}

// parseAddr reads an address without a zone. Dotted quads, nearly all there
// are, cost no allocation, which netip.ParseAddr of a []byte does.
func parseAddr(text []byte) (netip.Addr, bool) {
	if digitsAndDots(text) {
		return parseQuad(text)
	}
	a, err := netip.ParseAddr(string(text))
	return a, err == nil && a.Zone() == ""
}

// parseQuad reads a dotted quad, without leading zeros (some tools take those
// for octal).
func parseQuad(text []byte) (netip.Addr, bool) {
	var quad [4]byte
	octet, digits, n := 0, 0, 0
	for _, c := range text {
		if c == '.' {
			if digits == 0 || octet == 3 {
				return netip.Addr{}, false
			}
			quad[octet] = byte(n)
			octet, digits, n = octet+1, 0, 0
			continue
		}
		if c < '0' || c > '9' || (digits > 0 && n == 0) {
			return netip.Addr{}, false
		}
		if n = n*10 + int(c-'0'); n > 255 {
			return netip.Addr{}, false
		}
		digits++
	}
	if octet != 3 || digits == 0 {
		return netip.Addr{}, false
	}
	quad[3] = byte(n)
	return netip.AddrFrom4(quad), true
}

// appendAddr appends the bytes that a key holds of an address.
func appendAddr(dst []byte, a netip.Addr) []byte {
	if a.Is4() {
		b := a.As4()
		return append(dst, b[:]...)
	}
	b := a.As16()
	return append(dst, b[:]...)
}

func appendGroup(dst []byte, b *[16]byte, g int) []byte {
	return strconv.AppendUint(dst, uint64(b[2*g])<<8|uint64(b[2*g+1]), 16)
}

// zeroRun finds the longest run of zero groups among the first seven.
func zeroRun(b *[16]byte) (start, length int) {
	for g := 0; g < 7; {
		end := g
		for end < 7 && b[2*end] == 0 && b[2*end+1] == 0 {
			end++
		}
		if end-g > length {
			start, length = g, end-g
		}
		g = max(end, g+1)
	}
	return start, length
}

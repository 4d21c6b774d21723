package trails

import (
	"encoding/hex"
	"net/netip"
	"strconv"
)

// AppendText appends the text that a key is shown as: what AppendKey turns
// into the same key again.
func AppendText(dst []byte, kind Kind, key []byte) []byte {
	switch kind {
	case Address:
		if a, ok := netip.AddrFromSlice(key); ok {
			return AppendAddr(dst, a)
		}
	case AddressPort:
		if n := len(key) - 2; n > 0 {
			if a, ok := netip.AddrFromSlice(key[:n]); ok {
				return AppendAddrPort(dst, a, uint16(key[n])<<8|uint16(key[n+1]))
			}
		}
	case Network:
		if n := len(key) - 1; n > 0 {
			if a, ok := netip.AddrFromSlice(key[:n]); ok {
				return strconv.AppendUint(append(AppendAddr(dst, a), '/'), uint64(key[n]), 10)
			}
		}
	case Certificate:
		return hex.AppendEncode(dst, key)
	case JA3:
		return hex.AppendEncode(append(dst, "ja3:"...), key)
	case JA4:
		return append(append(dst, "ja4:"...), key...)
	case UserAgent:
		return append(append(dst, "ua:"...), key...)
	case URL:
		if len(key) == 0 {
			break
		}
		// http://192.0.2.1/24 is a URL, 192.0.2.1/24 a network.
		if _, ok := parseNetwork(key); ok || Prefixed(key) {
			dst = append(dst, "http://"...)
		}
	case Pattern:
		if !IsPattern(key) || Prefixed(key) {
			dst = append(dst, "re:"...)
		}
	}
	return append(dst, key...)
}

// Text is AppendText as a string.
func Text(kind Kind, key []byte) string { return string(AppendText(nil, kind, key)) }

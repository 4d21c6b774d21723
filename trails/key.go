package trails

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
)

// The reasons for which a text is no key.
var (
	ErrEmpty          = errors.New("empty")
	ErrTooLong        = errors.New("longer than 4096 bytes")
	ErrAddress        = errors.New("not an address")
	ErrPort           = errors.New("port is not a number from 1 to 65535")
	ErrNetwork        = errors.New("the network of all addresses")
	ErrName           = errors.New("not a name")
	ErrNamePort       = errors.New("a name with a port matches nothing on the wire")
	ErrURL            = errors.New("not a URL")
	ErrControl        = errors.New("holds a control character")
	ErrAmbiguousHash  = errors.New("32 hex digits may be a JA3 or a file hash: write ja3: in front of a JA3")
	ErrHash           = errors.New("not a digest of this kind")
	ErrFeedPattern    = errors.New("a feed may not list regular expressions")
	ErrBadReplacement = errors.New("holds U+FFFD, a sign of a damaged download")
)

// maxKey bounds the text of a key.
const maxKey = 4096

// AppendKey puts the text of an indicator into canonical form, appends the key
// to dst and says its kind. It is the only place that decides what a text is.
// The text may carry one of the prefixes ua: ja3: ja4: sha1: sha256: re:
func AppendKey(dst, text []byte) (Kind, []byte, error) {
	text = bytes.TrimSpace(text)
	if kind, ok := plainName(text); ok {
		return kind, append(dst, text...), nil
	}
	switch {
	case len(text) == 0:
		return Invalid, dst, ErrEmpty
	case len(text) > maxKey:
		return Invalid, dst, ErrTooLong
	case bytes.Contains(text, []byte("\uFFFD")):
		return Invalid, dst, ErrBadReplacement
	}
	for _, c := range text {
		if c < ' ' || c == 0x7F {
			return Invalid, dst, ErrControl
		}
	}
	if kind, colon := prefix(text); colon > 0 {
		return appendPrefixed(dst, kind, text[:colon], text[colon+1:])
	}
	if bytes.IndexByte(text, '/') >= 0 {
		if p, ok := parseNetwork(text); ok {
			if p.Bits() == 0 {
				return Invalid, dst, ErrNetwork
			}
			return Network, append(appendAddr(dst, p.Addr()), byte(p.Bits())), nil
		}
		return appendURL(dst, text)
	}
	if IsPattern(text) {
		return Pattern, append(dst, text...), nil
	}
	if isHex(text) {
		switch len(text) {
		case 32:
			return Invalid, dst, ErrAmbiguousHash
		case 40, 64:
			return appendHash(dst, Certificate, text, len(text))
		}
	}
	if bytes.IndexByte(text, ':') >= 0 {
		return appendColon(dst, text)
	}
	if c := text[len(text)-1]; c >= '0' && c <= '9' && digitsAndDots(text) {
		a, ok := parseQuad(text)
		if !ok {
			return Invalid, dst, ErrAddress
		}
		return Address, appendAddr(dst, a), nil
	}
	return appendName(dst, text)
}

// plainName is the fast way for what most rows are: a lower-case name of
// letters, digits, hyphens and dots that needs no change.
func plainName(text []byte) (Kind, bool) {
	if len(text) < 4 || len(text) > 253 || len(text) == 32 || len(text) == 40 || len(text) == 64 {
		return Invalid, false
	}
	last := text[len(text)-1]
	if last < 'a' || last > 'z' || text[0] == '.' || (text[0] == 'w' && bytes.HasPrefix(text, []byte("www."))) {
		return Invalid, false
	}
	dot := true
	for _, c := range text {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
			dot = false
		case c == '.' && !dot:
			dot = true
		default:
			return Invalid, false
		}
	}
	return Domain, true
}

// Prefixed says whether a text names its kind itself: ua: ja3: ja4: sha1:
// sha256: re: in any case.
func Prefixed(text []byte) bool {
	_, colon := prefix(text)
	return colon > 0
}

// prefix gives the kind that the prefix of a text names, and where its colon
// is; 0 if there is no such prefix.
func prefix(text []byte) (Kind, int) {
	colon := bytes.IndexByte(text[:min(len(text), len("sha256:"))], ':')
	if colon < 2 {
		return Invalid, 0
	}
	for i, name := range prefixNames {
		if len(name) == colon && strings.EqualFold(name, string(text[:colon])) {
			return prefixKinds[i], colon
		}
	}
	return Invalid, 0
}

var (
	prefixNames = [...]string{"ua", "re", "ja3", "ja4", "sha1", "sha256"}
	prefixKinds = [...]Kind{UserAgent, Pattern, JA3, JA4, Certificate, Certificate}
)

func appendPrefixed(dst []byte, kind Kind, name, value []byte) (Kind, []byte, error) {
	value = bytes.TrimSpace(value)
	if len(value) == 0 {
		return Invalid, dst, ErrEmpty
	}
	switch kind {
	case JA3:
		return appendHash(dst, JA3, value, 32)
	case JA4:
		if !isJA4(value) {
			return Invalid, dst, ErrHash
		}
		return JA4, appendLower(dst, value), nil
	case Certificate:
		digits := 40
		if len(name) == len("sha256") {
			digits = 64
		}
		return appendHash(dst, Certificate, value, digits)
	}
	return kind, append(dst, value...), nil
}

func appendHash(dst []byte, kind Kind, text []byte, digits int) (Kind, []byte, error) {
	text = bytes.ReplaceAll(text, []byte(":"), nil) // the way certificate tools write digests
	if len(text) != digits {
		return Invalid, dst, ErrHash
	}
	key, err := hex.AppendDecode(dst, text)
	if err != nil {
		return Invalid, dst, ErrHash
	}
	return kind, key, nil
}

// appendColon takes what has a colon and no slash: an IPv6 address, or an
// address with a port.
func appendColon(dst, text []byte) (Kind, []byte, error) {
	if text[0] != '[' && bytes.Count(text, []byte(":")) > 1 {
		a, ok := parseAddr(text)
		if !ok {
			return Invalid, dst, ErrAddress
		}
		return Address, appendAddr(dst, a), nil
	}
	colon := bytes.LastIndexByte(text, ':')
	host, port := text[:colon], text[colon+1:]
	if text[0] == '[' {
		if len(host) < 2 || host[len(host)-1] != ']' {
			return Invalid, dst, ErrAddress
		}
		host = host[1 : len(host)-1]
	}
	a, ok := parseAddr(host)
	if !ok {
		if digitsAndDots(host) || text[0] == '[' {
			return Invalid, dst, ErrAddress
		}
		return Invalid, dst, ErrNamePort
	}
	n, ok := parsePort(port)
	if !ok {
		return Invalid, dst, ErrPort
	}
	return AddressPort, append(appendAddr(dst, a), byte(n>>8), byte(n)), nil
}

// parseNetwork takes "address/bits"; what is no such thing may be a URL.
func parseNetwork(text []byte) (netip.Prefix, bool) {
	if c := text[len(text)-1]; c < '0' || c > '9' {
		return netip.Prefix{}, false
	}
	slash := bytes.IndexByte(text, '/')
	if slash < 2 || len(text)-slash > 4 || (!digitsAndDots(text[:slash]) && bytes.IndexByte(text[:slash], ':') < 0) {
		return netip.Prefix{}, false
	}
	a, ok := parseAddr(text[:slash])
	bits := 0
	for i, c := range text[slash+1:] {
		if c < '0' || c > '9' || (i > 0 && bits == 0) {
			return netip.Prefix{}, false
		}
		bits = bits*10 + int(c-'0')
	}
	p := netip.PrefixFrom(a, bits)
	return p.Masked(), ok && p.IsValid()
}

// appendName puts a name into canonical form: lower case, ASCII (IDNA), no
// leading or trailing dots, no "*." and no "www." in front.
func appendName(dst, text []byte) (Kind, []byte, error) {
	text = bytes.TrimPrefix(text, []byte("*."))
	text = bytes.Trim(text, ".")
	at := len(dst)
	dst, err := appendHost(dst, text)
	if err != nil {
		return Invalid, dst[:at], err
	}
	// A full-width or misplaced dot becomes one only in the ASCII form, and
	// "www.www." must end where a second reading of the key would end.
	name := bytes.Trim(dst[at:], ".")
	for bytes.HasPrefix(name, []byte("www.")) && bytes.IndexByte(name[4:], '.') > 0 {
		name = name[4:]
	}
	switch {
	case !ValidName(name):
		return Invalid, dst[:at], ErrName
	case len(name) > maxKey:
		return Invalid, dst[:at], ErrTooLong
	case isHex(name) && (len(name) == 32 || len(name) == 40 || len(name) == 64):
		return Invalid, dst[:at], ErrHash // "<digest>." is a damaged digest, not a top-level domain
	}
	return Domain, append(dst[:at], name...), nil
}

// appendHost appends the ASCII lower-case form of a host.
func appendHost(dst, host []byte) ([]byte, error) {
	for _, c := range host {
		if c >= 0x80 {
			ascii, err := idna.Lookup.ToASCII(string(host))
			if err != nil || ascii == "" {
				return dst, ErrName
			}
			return append(dst, ascii...), nil
		}
	}
	return appendLower(dst, host), nil
}

// ValidName says whether a lower-case text can be the key of a name: labels of
// letters, digits, hyphens and underscores, none empty, the last one not a
// number. Lengths are not looked at: a Host header knows no limit.
func ValidName(name []byte) bool {
	if len(name) == 0 {
		return false
	}
	label, digits := 0, true
	for _, c := range name {
		switch {
		case c == '.':
			if label == 0 {
				return false
			}
			label, digits = 0, true
			continue
		case c >= '0' && c <= '9':
		case c >= 'a' && c <= 'z', c == '-', c == '_':
			digits = false
		default:
			return false
		}
		label++
	}
	return label > 0 && !digits
}

func isHex(text []byte) bool {
	for _, c := range text {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false
		}
	}
	return true
}

// isJA4 checks the shape "t13d1516h2_8daaf6152771_02713d6af862".
func isJA4(v []byte) bool {
	if len(v) != 36 || v[10] != '_' || v[23] != '_' {
		return false
	}
	for _, c := range v[:10] {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return isHex(v[11:23]) && isHex(v[24:]) && (v[0]|0x20 == 't' || v[0]|0x20 == 'q' || v[0]|0x20 == 'd')
}

func digitsAndDots(text []byte) bool {
	for _, c := range text {
		if c != '.' && (c < '0' || c > '9') {
			return false
		}
	}
	return len(text) > 0
}

func parsePort(text []byte) (uint16, bool) {
	if len(text) == 0 || len(text) > 5 {
		return 0, false
	}
	n := 0
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return uint16(n), n > 0 && n < 65536
}

func appendLower(dst, text []byte) []byte {
	at := len(dst)
	dst = append(dst, text...)
	for i, c := range dst[at:] {
		if c >= 'A' && c <= 'Z' {
			dst[at+i] = c | 0x20
		}
	}
	return dst
}

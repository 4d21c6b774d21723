package detect

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// plainHosts spells hosts as trails do, and remembers how those beyond ASCII are
// spelled: finding out costs hundreds of times what reading the request does.
type plainHosts struct {
	clean // for its seed
	names []alabels
}

// alabels are a host's A-labels. The name is nil when it has none.
type alabels struct {
	hash uint64
	name []byte
}

// newPlainHosts makes room for n hosts, a power of two.
func newPlainHosts(n int) plainHosts { return plainHosts{newClean(0), make([]alabels, n)} }

// host is a host as trails spell it: without a dot at its end, and a name beyond
// ASCII, if it is wide, as A-labels (RFC 5891). It is the host itself when there is
// nothing to change, or no such form.
func (p *plainHosts) host(host []byte, wide bool) []byte {
	host = bytes.TrimSuffix(host, dot)
	if !wide || len(host) > maxHostText || !beyondASCII(host) {
		return host
	}
	h := p.hash(host)
	known := &p.names[h%uint64(len(p.names))]
	if known.hash != h {
		*known = alabels{hash: h}
		if fitsALabels(host) {
			if name, err := idna.Lookup.ToASCII(string(host)); err == nil && name != "" {
				known.name = []byte(name)
			}
		}
	}
	if known.name == nil {
		return host
	}
	return known.name
}

// maxHostText is more than a name of 253 characters takes in UTF-8.
const maxHostText = 1024

// fitsALabels says whether a host beyond ASCII may become a name (RFC 1035 2.3.4:
// 63 octets a label, 253 in all). The time of Punycode grows with the square of a
// label, so it is asked first: a label in it has "xn--", and at least an octet for
// each character.
func fitsALabels(host []byte) bool {
	const prefix = len("xn--")
	all, label := 0, 0
	wide := false // the label
	for len(host) > 0 {
		r, n := utf8.DecodeRune(host)
		host = host[n:]
		switch r {
		case '.', '\u3002', '\uff0e', '\uff61': // IDNA takes all four for dots
			label, wide = -1, false
		default:
			if r >= utf8.RuneSelf && !wide {
				wide = true
				label += prefix
				all += prefix
			}
		}
		label++
		all++
		if label > 63 || all > maxNoted {
			return false
		}
	}
	return true
}

// Package attack tells requests that attack a server, downloads of programs
// and the answers of sinkholes by their text alone.
//
// Nothing here knows of packets, hosts or events. A text is read once: a
// filter of three-byte windows finds the places where a rule could hold, and
// only there a matcher written by hand looks closer. Time is linear in the
// size of the text whatever it holds, and nothing is allocated per text but
// for the growth of a Matcher's buffer.
//
// Letters compare by Unicode simple folding (ſ is s, the Kelvin sign is k);
// word characters, digits and white space have their Unicode meaning (UTS 18,
// annex C); bytes that are not UTF-8 count as U+FFFD, one each.
package attack

import "math/bits"

// Category is a class of requests that attack a server. Lesser ones are tried
// before greater ones; a text has the first that it meets.
type Category uint8

// The categories in the order in which they are tried.
const (
	None Category = iota
	SQLInjection
	XMLInjection
	PHPInjection
	LDAPInjection
	XSS
	XXE
	SSTI
	DataLeakage
	ConfigFile
	RCE
	Traversal
	WebScan
	DNSChanger

	categories = iota
)

// every is the set of all categories, one bit each.
const every = set(1<<categories - 1<<SQLInjection)

// set is a set of categories: bit n is category n.
type set uint16

func (s set) has(c Category) bool { return s>>c&1 != 0 }

// least is the first category of a set in the order of trial, or None.
func (s set) least() Category {
	if s == 0 {
		return None
	}
	return Category(bits.TrailingZeros16(uint16(s)))
}

var infos = [categories]string{
	SQLInjection:  "potential sql injection",
	XMLInjection:  "potential xml injection",
	PHPInjection:  "potential php injection",
	LDAPInjection: "potential ldap injection",
	XSS:           "potential xss injection",
	XXE:           "potential xxe injection",
	SSTI:          "potential ssti injection",
	DataLeakage:   "potential data leakage",
	ConfigFile:    "config file access",
	RCE:           "potential remote code execution",
	Traversal:     "potential directory traversal",
	WebScan:       "potential web scan",
	DNSChanger:    "potential dns changer",
}

// Info is how events call the category, "potential sql injection", without
// the " (suspicious)" that follows there; empty for None.
func (c Category) Info() string {
	if c >= categories {
		return ""
	}
	return infos[c]
}

// String names the category.
func (c Category) String() string {
	if c == None || c >= categories {
		return "none"
	}
	return infos[c]
}

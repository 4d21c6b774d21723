// Package trails says what an indicator is: its kinds, the one canonical form
// of each key, the text it is shown as, and where it came from.
//
// Everything that reads indicators (package source), stores them (package
// table) or meets them on the wire (package detect) goes through the functions
// here, so that a key compiled and a key looked up can never differ in form.
package trails

import "time"

// Kind says what an indicator matches. The numbers are stored in table files
// and are never reused.
type Kind uint8

const (
	// Invalid is no kind at all; no table holds it.
	Invalid Kind = 0
	// Domain is a name, lower case, without leading "www."; it covers its
	// subdomains. A single label ("xyz") is a whole top-level domain.
	Domain Kind = 1
	// Address is one IPv4 or IPv6 address; its key is the 4 or 16 bytes.
	Address Kind = 2
	// AddressPort is an address and a port; 4 or 16 bytes, then the port in
	// network order.
	AddressPort Kind = 3
	// Network is a CIDR range; 4 or 16 masked bytes, then the prefix length.
	Network Kind = 4
	// URL is a path ("/gate.php"), a host with path ("evil.example/x"), or a
	// host with every path ("evil.example/"); lower case.
	URL Kind = 5
	// Pattern is a regular expression over lower-cased names.
	Pattern Kind = 6
	// UserAgent is a regular expression over User-Agent values.
	UserAgent Kind = 7
	// Certificate is the SHA-1 (20 bytes) or SHA-256 (32 bytes) of a server
	// certificate in DER.
	Certificate Kind = 8
	// JA3 is the MD5 (16 bytes) of a TLS client's JA3 string.
	JA3 Kind = 9
	// JA4 is a TLS client's JA4 text, lower case.
	JA4 Kind = 10

	// Kinds is one more than the highest kind.
	Kinds = 11
)

var kindNames = [Kinds]string{"invalid", "domain", "address", "address-port", "network", "url", "pattern",
	"user-agent", "certificate", "ja3", "ja4"}

// String gives the name of a kind as commands and documents spell it.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// References with a meaning of their own (as opposed to the name of a feed).
const (
	ReferenceStatic    = "(static)"
	ReferenceCustom    = "(custom)"
	ReferenceHeuristic = "(heuristic)"
)

// A Source says where one reading of a trail came from.
type Source struct {
	// Name is the file, relative to its tree, or the name of the feed or list.
	Name string
	// URLs are the publications named above the trail's block in the file.
	URLs []string
	// LastSeen is when that source was last read with the trail in it; zero
	// while a table is being built.
	LastSeen time.Time
}

// Provenance is what a trail carries besides its key: why it is listed, who
// says so, and every place it was read from (the winner first).
type Provenance struct {
	Info      string
	Reference string
	Sources   []Source
}

// A Collector takes what a reader reads. Package table builds from it.
type Collector interface {
	// Provenance interns p and gives its handle.
	Provenance(p Provenance) uint32
	// Add takes one trail. The key is in canonical form and is copied. A key
	// added again takes the later provenance; the sources of both are kept.
	Add(kind Kind, key []byte, provenance uint32)
}

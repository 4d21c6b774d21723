// Package event says what a detection is.
package event

import (
	"net/netip"
	"time"

	"trailhound/trails"
)

// Type is the kind of observation as the reference names it.
type Type string

// The types of the reference.
const (
	DNS   Type = "DNS"   // a name, whatever carried it
	IP    Type = "IP"    // an address
	IPORT Type = "IPORT" // an address with port
	URL   Type = "URL"   // path, host with path, or any URL of a host
	HTTP  Type = "HTTP"  // response checks, body hits, odd requests
	UA    Type = "UA"    // a user agent
	PATH  Type = "PATH"  // web scanning
	PORT  Type = "PORT"  // infection scanning
	CERT  Type = "CERT"  // a server certificate
)

// Types lists the types of detections.
func Types() []Type { return []Type{DNS, IP, IPORT, URL, HTTP, UA, PATH, PORT, CERT} }

// HEALTH is what the sensor says of itself. The reference has no such type.
const HEALTH Type = "HEALTH"

// Code is the stable machine name of what was detected. SIEM rules are written
// against it, so a code is never renamed.
type Code string

// Severity is low, medium or high; Info is for what the sensor says of itself.
type Severity uint8

// The severities, in rising order.
const (
	Info Severity = iota
	Low
	Medium
	High
)

// Direction says how an event's packet went, seen from the home networks.
type Direction string

// The directions, as ECS network.direction spells them for a perimeter sensor.
const (
	Inbound   Direction = "inbound"
	Outbound  Direction = "outbound"
	Internal  Direction = "internal"
	External  Direction = "external"
	Undecided Direction = "unknown"
)

// Event is one detection, or the summary of repeats of one. Numbers stay
// numbers and what is absent stays the zero value: no "-" and no "A,B" in here.
type Event struct {
	ID    [16]byte // UUID, fixed when the event is made: version 7 live, version 8 in replay
	Epoch uint64   // the journal's, given when the event is appended; 0 before
	Seq   uint64   // the journal's sequence number, from 1; 0 before

	Time   time.Time // of the packet, UTC, microseconds
	Number uint64    // the packet's number in a replayed capture, from 1; 0 live

	Type       Type
	Code       Code
	Severity   Severity
	Confidence uint8 // 0-100
	Direction  Direction

	// What was seen, three ways: the observable as it was on the wire, the
	// indicator that it matched, and the reference's display form with what is
	// not the indicator in parentheses.
	Observable string
	Indicator  string
	Kind       trails.Kind // the indicator's kind; Invalid for a heuristic
	Trail      string

	Info      string
	Reference string
	Sources   []trails.Source // where the trail was read, the winner first

	Src, Dst         netip.Addr
	SrcPort, DstPort uint16 // 0: none
	Protocol         string // TCP, UDP, ICMP, ICMPV6, GRE ...: the reference's label
	Forwarded        string // forwarded-for value of the request, unvalidated text
	Application      string // dns, http, tls, quic; empty when unknown
	CommunityID      string // of the flow (Community ID v1, "1:..."); empty without addresses
	SrcGroup         string // the name of the home network that Src is in; empty: none
	DstGroup         string

	Outcome Outcome // whether it got through, as far as is known
	Retro   Retro   // set when a new trail was found in what had been seen before

	DNS  DNSFacts
	HTTP HTTPFacts
	TLS  TLSFacts

	Interface string // capture interface, empty in replay
	Alias     string // what the operator calls that interface
	VLANs     []uint16

	// Aggregate is set on the first event of an aggregation key and on the
	// summaries of its repeats.
	Aggregate Aggregate

	Suppression Suppression // what a rule of the operator did to it

	Health HealthFacts // of a health event: what the sensor says of itself
}

// DNSFacts is what a DNS message said.
type DNSFacts struct {
	Question string // as asked, lower case
	Type     uint16 // 0: none
	Class    uint16
	// RCode is the response code, if HasRCode: of the message, or of the answer to
	// the query that raised the event.
	RCode    uint8
	HasRCode bool
	Answers  []string // addresses and names in the answer, at most MaxAnswers
}

// HTTPFacts is what an HTTP message said. All text is capped and cleaned.
type HTTPFacts struct {
	Method    string
	Host      string
	Target    string // the request target as sent
	Status    uint16
	UserAgent string
	// ContentType is that of a response.
	ContentType string
	Body        string // the first bytes of a request's body, at most MaxBody, where it was matched
}

// TLSFacts is what a TLS or QUIC handshake said.
type TLSFacts struct {
	ServerName string
	SHA1       string // of the server's certificate, lower-case hex
	SHA256     string
	JA3        string // of a ClientHello that was seen whole: MD5, lower-case hex
	JA4        string
}

// Outcome is what became of what an event is about: whether the other side
// answered.
type Outcome uint8

// The outcomes.
const (
	OutcomeNone    Outcome = iota // not followed, or not over yet
	OutcomeUnknown                // the other direction is not seen here, or not for long enough
	Attempted                     // no answer came
	Answered                      // the other side answered
	Refused                       // it refused: RST, a DNS error, ICMP unreachable

	NumOutcomes = iota
)

// String is the outcome as events show it; empty for OutcomeNone.
func (o Outcome) String() string {
	return [...]string{"", "unknown", "attempted", "answered", "refused"}[min(o, Refused)]
}

// Retro tells of traffic that was seen before its trail was known.
type Retro struct {
	First, Last time.Time    // when it was seen, to the minute; zero: no retro event
	Hosts       []netip.Addr // that had to do with it, as far as they are remembered
}

// Aggregate tells how many detections an event stands for.
type Aggregate struct {
	ID      [16]byte // shared by the first event and its summaries; zero: not aggregated
	Summary bool     // a summary of repeats, not a first event
	// Count is the number of detections this event stands for: 1, or the
	// repeats folded into a summary.
	Count       uint64
	First, Last time.Time // of those detections; zero when Count is 1
	// Distinct values among the repeats, in rising order, at most MaxValues
	// each; the More numbers say how many further values were seen.
	SrcPorts, DstPorts         []uint16
	Dsts                       []netip.Addr
	MoreSrcPorts, MoreDstPorts uint32
	MoreDsts                   uint32
	// Trails lists the distinct trails of a summary over several of them, in
	// the order they came: at most MaxValues of together MaxTrail bytes.
	Trails     []string
	MoreTrails uint32
}

// Suppression is the mark of a suppression rule that let the event live.
type Suppression struct {
	Rule  string // id of the rule; empty: none
	Local bool   // for the journal and local files only, not for any receiver
}

// MaxValues bounds each list of distinct values in an Aggregate.
const MaxValues = 32

// MaxAnswers bounds DNSFacts.Answers, MaxBody (bytes) HTTPFacts.Body.
const (
	MaxAnswers = 16
	MaxBody    = 256
)

// Limits on text that comes from the network (bytes).
const (
	MaxEvidence = 1024
	MaxTrail    = 4096
)

package lint

import "trailhound/trails"

// Reason says why a trail can never match. The names are stable: scripts may
// ask for them.
type Reason uint8

const (
	// Matched is no finding.
	Matched Reason = iota
	// Whitelisted: a whitelist entry covers the trail or a name above it;
	// Detail is the entry.
	Whitelisted
	// ImpossibleName: no message can carry the name; Detail says why.
	ImpossibleName
	// ImpossibleURL: no request can carry the URL; Detail says why.
	ImpossibleURL
	// ImpossibleAgent: no request can carry such a User-Agent, or it is one of
	// those that are never reported; Detail says why.
	ImpossibleAgent
	// InfoWord: words of the info hold back every event; Detail names them.
	InfoWord
	// Outranked: what matches this trail matches another one first; Detail is
	// that trail.
	Outranked
	// Heuristic: a heuristic answers for every such packet in the trail's place;
	// Detail is its code.
	Heuristic
	// BadExpression: the expression cannot be used; Detail says why.
	BadExpression
	// NoSample: the expression may well match, but no text could be made for
	// it here.
	NoSample
	// Unsupported: this version matches nothing of this kind.
	Unsupported
	// Unmatched: everything speaks for a match, but there was none. This is a
	// fault of the program.
	Unmatched

	// Reasons is one more than the highest reason.
	Reasons
)

var reasonNames = [Reasons]string{"matched", "whitelisted", "impossible-name", "impossible-url", "impossible-agent", "info-word",
	"outranked", "heuristic", "bad-expression", "no-sample", "unsupported", "unmatched"}

var reasonTexts = [Reasons]string{
	"can match",
	"a whitelist entry covers the trail",
	"no message can carry the name",
	"no request can carry the URL",
	"no request can carry the user agent, or it is never reported",
	"words of the info hold back every event",
	"another trail always matches first",
	"a heuristic answers for the packet instead",
	"the expression cannot be used",
	"no sample could be made from the expression, so it was not checked",
	"this version matches nothing of this kind",
	"should match but does not: a fault of the program",
}

// String gives the stable name.
func (r Reason) String() string {
	if r < Reasons {
		return reasonNames[r]
	}
	return "unknown"
}

// Text says the reason in words.
func (r Reason) Text() string {
	if r < Reasons {
		return reasonTexts[r]
	}
	return "unknown"
}

// Finding is one trail that can never match.
type Finding struct {
	Kind   trails.Kind
	Trail  string // as it is shown
	Reason Reason
	Detail string // depends on the reason; may be empty
	Source string // the name of the source that won; may be empty
}

// Summary is what a run came to.
type Summary struct {
	// Trails were looked at; Findings of them can never match.
	Trails, Findings int
	// Sent trails matched a frame made for them. LookedUp ones were only found
	// by their key, since no frame can be made from what they hold: a
	// certificate cannot be made from its digest.
	Sent, LookedUp int
	// ByReason and ByKind split Findings.
	ByReason [Reasons]int
	ByKind   [trails.Kinds]int
}

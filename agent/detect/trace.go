package detect

import (
	"encoding/hex"
	"net/netip"
	"strconv"

	"trailhound/agent/event"
	"trailhound/agent/protocol/attack"
	"trailhound/trails"
	"trailhound/trails/table"
)

// Trace is what a worker did with a packet, in order: for people who ask why
// an event was raised, or was not. A service has none. The methods that the
// packet path calls do nothing on the nil Trace, and are small enough to cost one
// comparison there.
type Trace struct {
	Steps []Step
	More  int // steps beyond maxSteps, which are counted only

	rules *Rules
}

// maxSteps bounds the steps of a packet: a frame may hold thousands of requests.
const maxSteps = 1000

// Step is one thing that was done.
type Step struct {
	What   string   `json:"what"` // what was read or looked up: "address", "name", "http request" ...
	Text   string   `json:"text,omitempty"`
	Result Result   `json:"result"`
	Trail  *Listing `json:"trail,omitempty"` // what was found
	Why    string   `json:"why,omitempty"`
}

// Result says what came of a step.
type Result string

// The results.
const (
	ResultRead     Result = "read"        // what the packet says; nothing was looked up yet
	ResultMiss     Result = "not listed"  // no trail
	ResultListed   Result = "listed"      // Trail
	ResultWhite    Result = "whitelisted" // Why names the entry
	ResultHeld     Result = "held back"   // a trail, or something seen, that raises nothing: Why
	ResultClean    Result = "known clean" // looked up for an earlier packet, and remembered
	ResultFound    Result = "found"       // of what is no trail
	ResultNotFound Result = "not found"   // of what is no trail
	ResultNoted    Result = "noted"       // Why
)

// Listing is a trail with where it comes from.
type Listing struct {
	Text      string   `json:"text"`
	Kind      string   `json:"kind"`
	Info      string   `json:"info"`
	Reference string   `json:"reference"`
	Sources   []string `json:"sources,omitempty"` // names of the feeds, the winner first
}

// SetTrace has the worker write down what it does with the packets that follow;
// SetRules ends it. Fingerprints and digests are made whether or not there is a
// trail that one could be: whoever asks wants to see them.
func (w *Worker) SetTrace(t *Trace) {
	rules := *w.rules
	rules.trace, rules.fingerprints, rules.digests = t, true, true
	w.rules, t.rules = &rules, &rules
}

func (t *Trace) add(s Step) {
	if len(t.Steps) >= maxSteps {
		t.More++
		return
	}
	t.Steps = append(t.Steps, s)
}

// step adds a step about a text from the network.
func (t *Trace) step(what string, text []byte, result Result, why string) {
	t.add(Step{What: what, Text: t.clean(text), Result: result, Why: why})
}

// clean makes text from the network fit to be shown.
func (t *Trace) clean(text []byte) string {
	if t.rules.opt.Redact {
		text = event.Redact(text)
	}
	s, _ := event.Clean(text, event.MaxEvidence)
	return s
}

// looked adds what a look-up gave.
func (t *Trace) looked(what string, text []byte, ref table.Ref) {
	if ref == 0 {
		t.step(what, text, ResultMiss, "")
		return
	}
	t.add(Step{What: what, Text: t.clean(text), Result: ResultListed, Trail: t.listing(ref)})
}

func (t *Trace) listing(ref table.Ref) *Listing {
	tab := t.rules.table
	p, kind := tab.Provenance(ref), tab.Kind(ref)
	l := &Listing{Text: trails.Text(kind, tab.Key(ref)), Kind: kind.String(), Info: p.Info, Reference: p.Reference}
	for _, s := range p.Sources {
		l.Sources = append(l.Sources, s.Name)
	}
	return l
}

// key notes a look-up, and gives its result on.
func (t *Trace) key(what string, key []byte, ref table.Ref) table.Ref {
	if t != nil {
		t.looked(what, key, ref)
	}
	return ref
}

// addr is key for an address.
func (t *Trace) addr(a netip.Addr, ref table.Ref) table.Ref {
	if t != nil {
		t.lookedAddr(a, ref)
	}
	return ref
}

func (t *Trace) lookedAddr(a netip.Addr, ref table.Ref) {
	t.looked("address", trails.AppendAddr(nil, a), ref)
}

// addrPort is key for an address with its port.
func (t *Trace) addrPort(a netip.Addr, port uint16, ref table.Ref) table.Ref {
	if t != nil {
		t.lookedAddrPort(a, port, ref)
	}
	return ref
}

func (t *Trace) lookedAddrPort(a netip.Addr, port uint16, ref table.Ref) {
	t.looked("address and port", trails.AppendAddrPort(nil, a, port), ref)
}

// url is key for a path behind a host.
func (t *Trace) url(host, path []byte, ref table.Ref) table.Ref {
	if t != nil {
		t.looked("url", append(append([]byte(nil), host...), path...), ref)
	}
	return ref
}

// far notes an address near which there is no trail, neither it nor a network of
// it nor one of its ports.
func (t *Trace) far(a netip.Addr) {
	if t != nil {
		t.lookedNear(a)
	}
}

func (t *Trace) lookedNear(a netip.Addr) {
	t.step("address", trails.AppendAddr(nil, a), ResultMiss, "neither the address, nor with any port, nor a network around it")
}

// white notes that the whitelist takes out the trail last found.
func (t *Trace) white(ref table.Ref) {
	if t != nil {
		t.whitelisted(ref)
	}
}

func (t *Trace) whitelisted(ref table.Ref) {
	l := t.listing(ref)
	why := "an entry of the whitelist takes the trail out"
	if entry, ok := t.rules.white.Explain(l.Text); ok {
		why = "the whitelist's entry " + entry + " takes the trail out"
	}
	if n := len(t.Steps); n > 0 && t.Steps[n-1].Trail != nil && t.Steps[n-1].Trail.Text == l.Text {
		t.Steps[n-1].Result, t.Steps[n-1].Why = ResultWhite, why
		return
	}
	t.add(Step{What: l.Kind, Text: l.Text, Result: ResultWhite, Trail: l, Why: why})
}

// whiteName notes a name of which nothing is raised.
func (t *Trace) whiteName(name []byte) {
	if t != nil {
		t.whiteNamed(name)
	}
}

func (t *Trace) whiteNamed(name []byte) {
	why := "an entry of the whitelist has it"
	if entry, ok := t.rules.white.Explain(string(name)); ok {
		why = "the whitelist's entry " + entry + " has it"
	}
	t.step("name", name, ResultWhite, why)
}

// held notes why what was found raises nothing.
func (t *Trace) held(why string) {
	if t != nil {
		t.holdBack(why)
	}
}

func (t *Trace) holdBack(why string) {
	if n := len(t.Steps); n > 0 && (t.Steps[n-1].Result == ResultListed || t.Steps[n-1].Result == ResultFound) {
		t.Steps[n-1].Result, t.Steps[n-1].Why = ResultHeld, why
		return
	}
	t.add(Step{What: "event", Result: ResultHeld, Why: why})
}

// unraised notes that an event of a code is not raised.
func (t *Trace) unraised(code event.Code, why string) {
	if t != nil {
		t.add(Step{What: "event", Text: string(code), Result: ResultHeld, Why: why})
	}
}

// known notes a text that an earlier packet had, and that matched nothing.
func (t *Trace) known(what string, text []byte) {
	if t != nil {
		t.step(what, text, ResultClean, "an earlier packet had it, and it matched nothing")
	}
}

// name notes a name that matches nothing, unless it was said why.
func (t *Trace) name(name []byte, ref table.Ref) {
	if t != nil && ref == 0 {
		t.nameless(name)
	}
}

func (t *Trace) nameless(name []byte) {
	text := t.clean(name)
	for i := len(t.Steps) - 1; i >= 0 && t.Steps[i].Result != ResultRead; i-- {
		if t.Steps[i].What == "name" && t.Steps[i].Text == text {
			return
		}
	}
	t.add(Step{What: "name", Text: text, Result: ResultMiss, Why: "neither the name, nor one above it, nor an expression"})
}

// suffix is key for a name, or a part of one, that may be listed itself or by a
// name above it.
func (t *Trace) suffix(name []byte, ref table.Ref) table.Ref {
	if t != nil && ref != 0 {
		t.looked("name", name, ref)
	}
	return ref
}

// digest is key for the digest of a certificate.
func (t *Trace) digest(hash string, sum []byte, ref table.Ref) table.Ref {
	if t != nil {
		t.lookedDigest(hash, sum, ref)
	}
	return ref
}

func (t *Trace) lookedDigest(hash string, sum []byte, ref table.Ref) {
	t.looked("certificate "+hash, hex.AppendEncode(nil, sum), ref)
}

// agent notes a search for suspicious user agents, of which value[start:end] is
// one.
func (t *Trace) agent(value []byte, start, end int, found bool) {
	if t != nil {
		t.agentSearched(value, start, end, found)
	}
}

func (t *Trace) agentSearched(value []byte, start, end int, found bool) {
	t.search("user agent", value, found, "its part "+strconv.Quote(t.clean(value[start:end])))
}

// search notes a search for what is no trail.
func (t *Trace) search(what string, text []byte, found bool, info string) {
	result := ResultNotFound
	if found {
		result = ResultFound
	} else {
		info = ""
	}
	t.step(what, text, result, info)
}

// category notes a search for the categories of requests.
func (t *Trace) category(text []byte, c attack.Category) attack.Category {
	if t != nil {
		t.categorySearched(text, c)
	}
	return c
}

func (t *Trace) categorySearched(text []byte, c attack.Category) {
	t.search("request category", text, c != attack.None, c.Info())
}

// noted adds what there is to say of no text.
func (t *Trace) noted(what, why string) {
	if t != nil {
		t.add(Step{What: what, Result: ResultNoted, Why: why})
	}
}

// Why something raises nothing.
const (
	whyDestination = "its info says attacker, or parking site (which counts for ports 80 and 443 alone): it is no matter of a destination"
	whySource      = "its info says malware: it is no matter of a source"
	whyService     = "its info says suspicious or sinkhole, and the name is that of a name or mail server"
	whyDynamic     = "its info says dynamic or free web: it is about names below it, not about itself"
	whyICMP        = "of ICMP, addresses are looked up for echo requests alone"
	whyProtocol    = "addresses of this protocol are not looked up"
	whyRepeat      = "the flow raised an event in this second already"
	whyRepeatedDNS = "the flow had the same message in this second already"
	whyTwice       = "the packet raised the same already"
	whyCrowded     = "the packet raised 64 others already, or 48 for a heuristic"
	whySwitchedOff = "heuristics: false switches them off"
	whyDisabled    = "detection.disable names the code"
	whyRole        = "a role of the host (detection.roles) excuses it"
	whyWorthless   = "the text around it is that of an ordinary request"
	whyExempt      = "a word or a folder of the path exempts requests that leave the home networks"
	whyHarmless    = "the user agent is one of those that are never reported"
	whyFirst       = "a first fragment of TCP with other flags than a SYN's: remembered, for a later one may make it a SYN"
	whyLater       = "a later fragment of TCP that may make a SYN of its first one"
)

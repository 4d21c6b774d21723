package event

import (
	"net/netip"
	"time"
)

// Conversation is what an event is about as far as answers go: a client that
// speaks to a server. Connections are one each, so that none is answered by what
// the server says on another; questions of DNS are, from whatever port.
type Conversation struct {
	Client, Server netip.Addr
	ClientPort     uint16 // 0: none, and with a question of DNS
	Port           uint16 // the server's; 0: none
	Protocol       string // as Event.Protocol
	Question       string // of DNS, with its type below
	Type           uint16
}

// ConversationOf gives the conversation that an event is about, whose answer will
// tell whether it got through. There is none of an event that is not about one
// packet of a client: the heuristics over time, what a server said, what is
// known already.
func ConversationOf(e *Event) (c Conversation, ok bool) {
	switch e.Code {
	case TrailDNSAnswer, TrailIPAnswer, ScanPort, ScanUDP, ScanWeb, ScanInfection,
		DNSLong, DNSExhaustion, DNSNXDomain, DNSParked, DNSDGAEntropy, DNSDGAConsonant, DNSSinkholed,
		HTTPSinkhole, HTTPSeized, HTTPCType, TrailCERT:
		return c, false
	}
	if e.Code.IsHealth() || e.Outcome != OutcomeNone || !e.Retro.First.IsZero() || !e.Src.IsValid() || !e.Dst.IsValid() {
		return c, false
	}
	if e.Dst.IsMulticast() || e.Dst == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return c, false // what answers has another address
	}
	c = Conversation{Client: e.Src, Server: e.Dst, ClientPort: e.SrcPort, Port: e.DstPort, Protocol: e.Protocol, Question: e.DNS.Question, Type: e.DNS.Type}
	if c.Question != "" {
		c.ClientPort = 0
	}
	return c, true
}

// Answer is what a sensor saw of a conversation after the event.
type Answer struct {
	// Conversation is the one that was answered; without addresses: any. Such an
	// answer says no more than that both directions of traffic are seen here, or, with
	// OutcomeUnknown, that answers were lost.
	Conversation Conversation
	// Interface is where the question of such a proof was seen; empty in replay.
	// Slot is its number (capture.Frame.Interface), for those who know the name.
	Interface string
	Slot      int
	Time      time.Time
	Number    uint64  // of the packet in a replayed capture
	Outcome   Outcome // Answered, Refused, or OutcomeUnknown: it is no longer watched
	RCode     uint8   // of DNS, if HasRCode
	HasRCode  bool
	Answers   []string // of DNS, at most MaxAnswers
	Status    uint16   // of HTTP; 0: not known, or not yet
}

// Proof says whether the answer is to nothing that raised an event.
func (a *Answer) Proof() bool { return !a.Conversation.Client.IsValid() }

// Size estimates the memory of an answer in bytes.
func (a *Answer) Size() int {
	n := 256 + len(a.Conversation.Question)
	for _, s := range a.Answers {
		n += 16 + len(s)
	}
	return n
}

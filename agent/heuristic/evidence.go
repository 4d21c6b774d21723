// Package heuristic finds what no single packet shows: scans, tunnels in names,
// names that an algorithm made up.
//
// Each worker has a Collector that writes down evidence: one observation each,
// without a verdict. The Board takes the evidence of all workers in the order of
// the packets and judges it at once, so that any number of workers finds what
// one finds. Windows slide over packet time. Memory is bounded: what had to be
// given up is counted.
package heuristic

import (
	"net/netip"

	"trailhound/agent/packet"
)

// Kind is what was observed.
type Kind uint8

// The kinds of evidence.
const (
	ProbeTCP Kind = iota // a SYN, or one of the stealth probes; Item: destination port
	ProbeUDP             // a datagram of neither side's port 53; Item: destination port
	WebPath              // a request; Item: hash of the first segment of its path
	Query                // a question of DNS, with the name
	LongName             // a name from elsewhere (TLS, HTTP) whose first label is long
	NXDomain             // an answer that says that the name does not exist
	numKinds = iota
)

// Flags say more of an observation.
type Flags uint8

// The flags.
const (
	IPv4     Flags = 1 << iota // both addresses are 4 bytes at the end of the 16
	OverTCP                    // of Query and NXDomain: not a datagram
	LongHead                   // of Query: the first label is long (D 11c), so that dns.long may be raised
	Stealth                    // of ProbeTCP: not a SYN
)

// Evidence is one observation. It has no pointers, so that batches of it cost
// the garbage collector nothing.
type Evidence struct {
	At       int64  // the packet's time, Unix nanoseconds
	Number   uint64 // the packet's number in a replayed capture; 0 live
	Item     uint64 // what is counted, by kind
	Digest   uint64 // of a datagram: length and first bytes (D 9.1), for NXDomain
	Src, Dst [16]byte
	text     uint32 // where the name begins in Batch.Text
	SrcPort  uint16
	DstPort  uint16
	QType    uint16
	VLANs    [2]uint16 // the outermost two
	Port     uint16    // live: the slot of the interface
	Era      uint32    // how often the clock was set back before, over all packets; 0 live
	length   uint8     // of the name
	VLAN     uint8     // how many of VLANs are set
	Kind     Kind
	Flags    Flags
}

// SrcAddr and DstAddr give the addresses as events have them.
func (e *Evidence) SrcAddr() netip.Addr { return addr(e.Src, e.Flags) }

// DstAddr is SrcAddr for the destination.
func (e *Evidence) DstAddr() netip.Addr { return addr(e.Dst, e.Flags) }

func addr(a [16]byte, f Flags) netip.Addr {
	if f&IPv4 != 0 {
		return netip.AddrFrom4([4]byte(a[12:]))
	}
	return netip.AddrFrom16(a)
}

// Batch is evidence in the order of a worker's packets.
type Batch struct {
	Evidence []Evidence
	Text     []byte // the names
}

// BatchSize is the most observations of a batch, BatchText the bytes of names
// after which it is full.
const (
	BatchSize = 512
	BatchText = 16 << 10
)

// NewBatch makes an empty batch.
func NewBatch() *Batch {
	return &Batch{Evidence: make([]Evidence, 0, BatchSize), Text: make([]byte, 0, BatchText+256)}
}

// Reset empties the batch.
func (b *Batch) Reset() { b.Evidence, b.Text = b.Evidence[:0], b.Text[:0] }

// Name is the name of an observation of the batch, lower case, without a dot at
// the end; empty for kinds that have none.
func (b *Batch) Name(e *Evidence) []byte {
	return b.Text[e.text : int(e.text)+int(e.length)]
}

func (b *Batch) full() bool { return len(b.Evidence) == BatchSize || len(b.Text) >= BatchText }

// fill copies what all kinds have.
func (e *Evidence) fill(k Kind, p *packet.Packet) {
	e.At, e.Number = p.Time.UnixNano(), p.Number
	e.Src, e.Dst = p.Src.As16(), p.Dst.As16()
	e.SrcPort, e.DstPort = p.SrcPort, p.DstPort
	e.VLAN = uint8(copy(e.VLANs[:], p.VLANs[:p.VLAN]))
	e.Kind = k
	if p.Src.Is4() {
		e.Flags = IPv4
	}
}

package agent

import (
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"trailhound/agent/capture"
	"trailhound/agent/detect"
	"trailhound/agent/packet"
)

// Decoded is what was decoded of a packet.
type Decoded struct {
	Number   uint64
	Time     time.Time
	Captured int // bytes
	Length   int // bytes on the wire, as the capture says
	Link     packet.LinkType
	Reason   packet.Reason
	VLANs    []uint16

	// Of packets with addresses.
	Src, Dst         netip.Addr
	Proto            uint8
	SrcPort, DstPort uint16
	Flags            uint8 // of TCP
	Fragment         bool  // the first fragment of a datagram
	Truncated        bool  // captured shorter than the IP header says
	Payload          int   // bytes
	Kind             string
}

// decoded reads what the worker made of a frame; before are its counts of frames
// before that.
func decoded(f *capture.Frame, w *detect.Worker, before *[packet.NumReasons]uint64) Decoded {
	p := w.Packet()
	d := Decoded{Number: f.Number, Time: f.Time, Captured: len(f.Data), Length: f.Length, Link: f.Link,
		VLANs: append([]uint16(nil), p.VLANs[:p.VLAN]...)}
	for reason, n := range w.Decode() {
		if n > before[reason] {
			d.Reason = packet.Reason(reason)
		}
	}
	if !p.Src.IsValid() {
		return d
	}
	d.Src, d.Dst, d.Proto, d.SrcPort, d.DstPort = p.Src, p.Dst, p.Proto, p.SrcPort, p.DstPort
	d.Fragment, d.Truncated, d.Payload = p.Fragment, p.Truncated, len(p.Payload)
	if p.Proto == packet.ProtoTCP {
		d.Flags = p.Flags
	}
	if d.Reason != packet.LaterFragment {
		d.Kind = w.Kind().String()
	}
	return d
}

// LinkText names the link type.
func (d *Decoded) LinkText() string {
	switch d.Link {
	case packet.LinkNull, packet.LinkLoop:
		return "BSD loopback"
	case packet.LinkEthernet:
		return "Ethernet"
	case packet.LinkTokenRing:
		return "Token Ring"
	case packet.LinkSLIP:
		return "SLIP"
	case packet.LinkPPP, packet.LinkPPPSerial, packet.LinkPPPPPPD, packet.LinkPPPDir:
		return "PPP"
	case packet.LinkPPPoE:
		return "PPPoE"
	case packet.LinkFDDI:
		return "FDDI"
	case packet.LinkRaw, packet.LinkRaw12, packet.LinkRaw14, packet.LinkIPv4, packet.LinkIPv6:
		return "raw IP"
	case packet.LinkCiscoHDLC:
		return "Cisco HDLC"
	case packet.LinkSLL, packet.LinkSLL2:
		return "Linux cooked capture"
	}
	return "link type " + strconv.Itoa(int(d.Link))
}

// ReasonText says what decoding came to; empty when all was decoded.
func (d *Decoded) ReasonText() string {
	switch d.Reason {
	case packet.OK:
		return ""
	case packet.ShortLink:
		return "the frame ends inside its link header"
	case packet.NotIP:
		return "it carries something else than IP"
	case packet.UnknownLink:
		return "the link type is not known, and nothing in the frame looks like IP"
	case packet.ShortIP:
		return "the capture ends inside an IP header"
	case packet.BadIPHeader:
		return "the IP header contradicts itself"
	case packet.TooManyHeaders:
		return "more tags or labels than are walked"
	case packet.LaterFragment:
		return "a fragment other than the first: it has no ports"
	case packet.ShortTransport:
		return "too few bytes for the transport header: matched by its addresses"
	case packet.UnknownTransport:
		return "more extension headers than are walked: matched by its addresses"
	}
	return d.Reason.String()
}

// ProtoText names the protocol.
func (d *Decoded) ProtoText() string {
	switch d.Proto {
	case packet.ProtoTCP:
		return "TCP"
	case packet.ProtoUDP:
		return "UDP"
	}
	if label := packet.Label(d.Proto); label != "" {
		return label
	}
	return fmt.Sprintf("protocol %d", d.Proto)
}

// FlagsText lists the flags of TCP; "none" when there are none.
func (d *Decoded) FlagsText() (text string) {
	for i, name := range [...]string{"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"} {
		if d.Flags&(1<<i) != 0 {
			if text != "" {
				text += " "
			}
			text += name
		}
	}
	if text == "" {
		return "none"
	}
	return text
}

// Unmatched says what of a packet is not looked up, whatever the trails; empty:
// everything was.
func (d *Decoded) Unmatched() string {
	const syn = packet.FlagSYN | packet.FlagACK | packet.FlagRST | packet.FlagFIN
	switch {
	case !d.Src.IsValid():
		return "nothing was looked up: the frame was not decoded"
	case d.Reason == packet.LaterFragment:
		return "of later fragments only those of TCP are looked at, for a SYN that overwrites the first one's flags"
	case d.Reason == packet.OK && d.Proto == packet.ProtoTCP && d.Flags&syn != packet.FlagSYN:
		return "addresses of TCP are looked up for a SYN alone; of this segment only the payload is"
	}
	return ""
}

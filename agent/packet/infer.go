package packet

import "encoding/binary"

const (
	// maxGuess is the largest offset at which IP is looked for.
	maxGuess = 64
	// maxTrailer is how much may follow a packet that is believed on the word
	// of its length: Ethernet padding, a frame check sequence, a trailer.
	maxTrailer = 64
)

// A guess is where IP begins in the frames of a link type that has no entry in
// decodeLink.
type guess struct {
	link   LinkType
	offset uint8
	made   bool // link and offset are set
	locked bool // two guesses in a row agreed
}

// infer finds IP in a frame of an unknown link type. Once an offset is locked
// it is taken first; another one must then be strong to be believed, which
// helps link types with headers of varying length.
func (d *Decoder) infer(link LinkType, frame []byte, p *Packet) Reason {
	g := d.guess(link)
	if g.locked && int(g.offset) < len(frame) {
		if r := p.ipByNibble(frame[g.offset:]); r.addressed() {
			return r
		}
	}
	offset, strong, found := findIP(frame)
	if !found || g.locked && !strong {
		return UnknownLink
	}
	if !g.locked {
		g.locked = g.made && g.offset == offset
		g.made, g.offset = true, offset
	}
	return p.ip(frame[offset:])
}

// guess gives the state of a link type. A capture has one or two of them; of
// more than four, those not made last start anew.
func (d *Decoder) guess(link LinkType) *guess {
	for i := range d.guesses {
		if g := &d.guesses[i]; g.made && g.link == link {
			return g
		}
	}
	for i := range d.guesses {
		if g := &d.guesses[i]; !g.made {
			g.link = link
			return g
		}
	}
	g := &d.guesses[d.oldest]
	d.oldest = (d.oldest + 1) % uint8(len(d.guesses))
	*g = guess{link: link}
	return g
}

// findIP looks for an IP header at the offsets 0 to maxGuess. The first strong
// one wins, else the first weak one.
func findIP(frame []byte) (offset uint8, strong, found bool) {
	for i := 0; i <= maxGuess && i+20 <= len(frame); i++ {
		like, sure := likeIP(frame[i:])
		if sure {
			return uint8(i), true, true
		}
		if like && !found {
			offset, found = uint8(i), true
		}
	}
	return offset, false, found
}

// likeIP says whether b may begin with an IP header, and whether its length
// bears that out. b has 20 bytes.
func likeIP(b []byte) (like, sure bool) {
	switch b[0] >> 4 {
	case 4:
		head, total := int(b[0]&0x0f)*4, int(binary.BigEndian.Uint16(b[2:]))
		if head < 20 || total < head || !common(b[9]) {
			return false, false
		}
		return true, total <= len(b) && len(b)-total <= maxTrailer
	case 6:
		if len(b) < 40 || !common(b[6]) && !commonExtension(b[6]) {
			return false, false
		}
		n := int(binary.BigEndian.Uint16(b[4:]))
		return true, n != 0 && 40+n <= len(b) && len(b)-40-n <= maxTrailer
	}
	return false, false
}

// common says whether an IP protocol is frequent enough to bear out a guess.
func common(proto uint8) bool {
	switch proto {
	case ProtoICMP, 2, ProtoTCP, ProtoUDP, 47, 50, 51, ProtoICMPv6, 89, 103, 132:
		return true
	}
	return false
}

func commonExtension(proto uint8) bool {
	switch proto {
	case extHopByHop, extRouting, extFragment, extDestination:
		return true
	}
	return false
}

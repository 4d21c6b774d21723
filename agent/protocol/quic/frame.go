package quic

// Frame types that an Initial packet may hold (RFC 9000 12.4), and those of
// gQUIC from Q050 on.
const (
	framePadding = 0x00
	framePing    = 0x01
	frameACK     = 0x02
	frameACKECN  = 0x03
	frameCrypto  = 0x06

	googlePing   = 0x07
	googleCrypto = 0x08
)

// Crypto is a piece of a client's handshake messages: Data stands at Offset of
// the CRYPTO stream (RFC 9000 19.6).
type Crypto struct {
	Offset uint64
	Data   []byte
}

// Next returns the next CRYPTO frame of the datagram given to Open, in the
// order of the wire: clients send them out of order on purpose. The last one
// is shorter than it was sent when the capture cut it. Data is valid until the
// next Open or ServerName. Once ok is false it stays so.
func (d *Decoder) Next() (f Crypto, ok bool) {
	for {
		if f, ok = d.frame(&d.packet); ok {
			return f, true
		}
		if !d.nextPacket() {
			return Crypto{}, false
		}
	}
}

// frame walks to the next CRYPTO frame of the packet. A frame that has no
// place in an Initial ends the walk.
func (d *Decoder) frame(p *initial) (f Crypto, ok bool) {
	ping, crypto := byte(framePing), byte(frameCrypto)
	google := googleFrames(d.version)
	if google {
		ping, crypto = googlePing, googleCrypto
	}
	for d.need(p, p.at+1) {
		kind := p.plain[p.at]
		p.at++
		switch {
		case kind == framePadding, kind == ping:
		case kind == crypto:
			if f, ok = d.crypto(p); ok {
				return f, true
			}
			p.at = len(p.plain)
		case (kind == frameACK || kind == frameACKECN) && !google:
			if !d.ack(p, kind == frameACKECN) {
				p.at = len(p.plain)
			}
		default:
			p.at = len(p.plain)
		}
	}
	return Crypto{}, false
}

// crypto reads a CRYPTO frame behind its type.
func (d *Decoder) crypto(p *initial) (f Crypto, ok bool) {
	offset, ok := d.varint(p)
	if !ok {
		return Crypto{}, false
	}
	length, ok := d.varint(p)
	if !ok {
		return Crypto{}, false
	}
	rest := uint64(len(p.plain) - p.at)
	if length > rest {
		if !p.cut {
			return Crypto{}, false
		}
		length = rest
	}
	end := p.at + int(length)
	d.need(p, end)
	f = Crypto{offset, p.plain[p.at:end:end]}
	p.at = end
	return f, true
}

// ack passes over an ACK frame behind its type (RFC 9000 19.3).
func (d *Decoder) ack(p *initial, ecn bool) bool {
	var count uint64
	for i := range 4 { // largest, delay, range count, first range
		v, ok := d.varint(p)
		if !ok {
			return false
		}
		if i == 2 {
			count = v
		}
	}
	if count > uint64(len(p.plain)) {
		return false
	}
	count *= 2 // gap and length each
	if ecn {
		count += 3
	}
	for ; count > 0; count-- {
		if _, ok := d.varint(p); !ok {
			return false
		}
	}
	return true
}

// varint reads a variable-length integer of the plain text.
func (d *Decoder) varint(p *initial) (v uint64, ok bool) {
	d.need(p, min(p.at+8, len(p.plain)))
	v, n := varint(p.plain, p.at)
	p.at += n
	return v, n > 0
}

package quic

import (
	"bytes"

	"trailhound/agent/protocol/tls"
)

// maxPlain bounds the plain text taken from one datagram and the part of the
// CRYPTO stream put together from it.
const maxPlain = 4096

// A Decoder reads the Initial packets of datagrams. It holds the buffers and
// the keys of connections seen lately (about 50 KiB) and allocates nothing
// after it is made. One goroutine uses it.
type Decoder struct {
	aes   aes128
	cache [cacheSize]cached

	version uint32 // of the datagram given to Open
	cid     []byte // the client's destination connection id
	rest    []byte // packets not yet looked at
	packet  initial
	used    int // bytes of plain in use

	plain  [maxPlain]byte
	stream assembly
	hello  tls.Hello
	greets bool   // hello is that of the last datagram
	first  Crypto // its first piece, while there may be more; else no data
}

// NewDecoder returns a Decoder ready for use.
func NewDecoder() *Decoder {
	d := new(Decoder)
	d.aes.init()
	return d
}

// ServerName returns the server name that a client's datagram asks for, as on
// the wire: tls.HostName checks it. Initial packets are decrypted, also several
// in one datagram, and their CRYPTO frames put together by offset as far as
// they reach from the beginning without a gap. Of gQUIC with a plain CHLO it
// reads the SNI tag. The name is valid until the next call.
func (d *Decoder) ServerName(b []byte) (name []byte, ok bool) {
	d.greets, d.first = false, Crypto{}
	if !Looks(b) {
		return nil, false
	}
	if message, plain := plainCHLO(b); plain {
		name = chloServerName(message)
		return name, name != nil
	}
	d.Open(b)
	f, ok := d.Next()
	if !ok {
		return nil, false
	}
	if f.Offset == 0 { // mostly the whole ClientHello
		if name = d.serverName(f.Data); name != nil {
			d.first = f
			return name, true
		}
	}
	name = d.gather(f)
	return name, name != nil
}

// gather puts a piece and all that follow it together, and reads that. Without
// any more there is nothing new to read.
func (d *Decoder) gather(first Crypto) (name []byte) {
	f, ok := d.Next()
	if !ok {
		return nil
	}
	d.stream.reset()
	d.stream.add(first)
	for ; ok; f, ok = d.Next() {
		d.stream.add(f)
	}
	return d.serverName(d.stream.prefix())
}

// serverName reads the beginning of the CRYPTO stream.
func (d *Decoder) serverName(message []byte) []byte {
	if d.version == googleQ050 {
		return chloServerName(message)
	}
	d.greets = d.hello.ParseHandshake(message)
	return d.hello.ServerName
}

// Hello is the ClientHello of the datagram that ServerName was last given, as far
// as it was there (tls.Hello.Complete); nil when there was none, as in gQUIC. It
// reads what ServerName had no need to, and is valid as long as the name.
func (d *Decoder) Hello() *tls.Hello {
	if d.greets && !d.hello.Complete && d.first.Data != nil {
		d.gather(d.first)
		d.first = Crypto{}
	}
	if !d.greets {
		return nil
	}
	return &d.hello
}

// Open starts over with a datagram, for Next to step through its CRYPTO
// frames. b must not change until the last Next.
func (d *Decoder) Open(b []byte) {
	d.rest, d.used = b, 0
	d.version, d.cid = 0, nil
	d.packet = initial{}
}

// Connection returns version and destination connection id of the Initial
// packets that Next found frames in: the key under which the client's first
// flight, several datagrams, belongs together. id points into the datagram; it
// is nil before the first Next.
func (d *Decoder) Connection() (version uint32, id []byte) { return d.version, d.cid }

// nextPacket goes to the next Initial of the datagram that belongs to the
// client's flight. Others are passed over (RFC 9000 12.2).
func (d *Decoder) nextPacket() bool {
	d.packet = initial{}
	for len(d.rest) > 0 {
		b := d.rest
		var h header
		if !h.parse(b) {
			break
		}
		d.rest = b[min(h.end, len(b)):]
		if !h.initial {
			continue
		}
		if d.cid == nil {
			d.version, d.cid = h.version, h.dcid
		} else if d.version != h.version || !bytes.Equal(d.cid, h.dcid) {
			continue
		}
		if d.unprotect(&d.packet, b, &h) {
			return true
		}
		d.packet = initial{}
	}
	d.rest = nil
	return false
}

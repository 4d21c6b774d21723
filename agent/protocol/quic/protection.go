package quic

import "encoding/binary"

// initial is an Initial packet being decrypted. Its plain text grows with
// demand: the server name is usually in the first third of a packet whose rest
// is padding.
//
// The tag is not verified: a packet that the capture cut short has none, and
// GHASH would cost as much again. What wrong keys make of a packet does not
// pass the checks of the reserved bits, the frames and the ClientHello.
type initial struct {
	keys   *keys
	nonce  [3]uint32
	cipher []byte // without the tag
	plain  []byte // its plain text, as long as cipher
	done   int    // bytes of plain decrypted, a multiple of the block size or all
	at     int    // where the next frame is
	cut    bool   // cipher ends earlier than the packet did
}

// unprotect removes header protection (RFC 9001 5.4) and points p at the
// cipher text. ok is false when the reserved bits are not zero (RFC 9000
// 17.2): not a client's packet, or not of this connection.
func (d *Decoder) unprotect(p *initial, b []byte, h *header) (ok bool) {
	if h.pn+4+sampleSize > len(b) {
		return false
	}
	p.keys = d.keysFor(h.version, h.dcid)
	u := binary.BigEndian
	s := b[h.pn+4:]
	mask, mask1, _, _ := d.aes.encrypt(&p.keys.header, u.Uint32(s), u.Uint32(s[4:]), u.Uint32(s[8:]), u.Uint32(s[12:]))
	first := b[0] ^ byte(mask>>24)&0x0F
	if first&0x0C != 0 {
		return false
	}
	n := int(first&3) + 1
	pn := u.Uint32(b[h.pn:]) ^ (mask<<8 | mask1>>24)
	pn >>= 8 * (4 - n)

	// The nonce is the iv with the packet number at its end (RFC 9001 5.3).
	iv := &p.keys.iv
	p.nonce = [3]uint32{u.Uint32(iv[0:]), u.Uint32(iv[4:]), u.Uint32(iv[8:]) ^ pn}
	p.cipher = b[h.pn+n : max(h.pn+n, min(h.end-tagSize, len(b)))]
	p.cut = h.end-tagSize > len(b)
	if room := len(d.plain) - d.used; len(p.cipher) > room {
		p.cipher, p.cut = p.cipher[:room], true
	}
	p.plain = d.plain[d.used : d.used+len(p.cipher)]
	d.used += len(p.cipher)
	p.done, p.at = 0, 0
	return true
}

// need makes sure that the first n bytes of the plain text are decrypted, and
// says whether there are as many.
func (d *Decoder) need(p *initial, n int) bool {
	if n <= p.done {
		return true
	}
	if n > len(p.plain) {
		return false
	}
	u := binary.BigEndian
	// GCM encrypts from counter 2 on (SP 800-38D 7.1); 1 is for the tag.
	counter := uint32(p.done/16) + 2
	for p.done < n {
		k0, k1, k2, k3 := d.aes.encrypt(&p.keys.packet, p.nonce[0], p.nonce[1], p.nonce[2], counter)
		counter++
		in, out := p.cipher[p.done:], p.plain[p.done:]
		if len(in) >= 16 && len(out) >= 16 {
			u.PutUint64(out, u.Uint64(in)^(uint64(k0)<<32|uint64(k1)))
			u.PutUint64(out[8:], u.Uint64(in[8:])^(uint64(k2)<<32|uint64(k3)))
			p.done += 16
			continue
		}
		var block [16]byte
		u.PutUint64(block[:], uint64(k0)<<32|uint64(k1))
		u.PutUint64(block[8:], uint64(k2)<<32|uint64(k3))
		for i, c := range in {
			out[i] = c ^ block[i]
		}
		p.done = len(p.plain)
	}
	return true
}

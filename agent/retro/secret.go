package retro

import (
	"crypto/rand"
	"encoding/binary"
	"math/bits"
	"net/netip"

	"trailhound/trails"
)

// Secret keys the hashes: without it nobody can tell what they are of, or choose
// what collides.
type Secret [16]byte

// NewSecret makes one by chance.
func NewSecret() (s Secret) {
	rand.Read(s[:]) // never fails
	return s
}

// Hash is SipHash-2-4 of the key of a trail or an observable; never 0.
func (s *Secret) Hash(kind trails.Kind, key []byte) uint64 {
	h := s.sip(byte(kind), key)
	if h == 0 {
		return 1
	}
	return h
}

// host is a hash of an address that is no Hash of one; never 0.
func (s *Secret) host(a [16]byte) uint32 {
	return uint32(s.sip(byte(trails.Invalid), a[:])) | 1
}

// appendAddr appends the key of an address.
func appendAddr(dst []byte, a netip.Addr) []byte {
	if a.Is4() {
		b := a.As4()
		return append(dst, b[:]...)
	}
	b := a.As16()
	return append(dst, b[:]...)
}

// sip is SipHash-2-4 (Aumasson, Bernstein 2012) of b followed by last.
func (s *Secret) sip(last byte, b []byte) uint64 {
	k0, k1 := binary.LittleEndian.Uint64(s[:]), binary.LittleEndian.Uint64(s[8:])
	v := state{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573}
	length := len(b) + 1
	for len(b) >= 8 {
		v.word(binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
	var tail [8]byte
	tail[copy(tail[:], b)] = last // of 8 bytes at most 7 are left
	if len(b) == 7 {
		v.word(binary.LittleEndian.Uint64(tail[:]))
		tail = [8]byte{}
	}
	tail[7] = byte(length)
	v.word(binary.LittleEndian.Uint64(tail[:]))
	v.c ^= 0xff
	v.round()
	v.round()
	v.round()
	v.round()
	return v.a ^ v.b ^ v.c ^ v.d
}

type state struct{ a, b, c, d uint64 }

func (v *state) word(m uint64) {
	v.d ^= m
	v.round()
	v.round()
	v.a ^= m
}

func (v *state) round() {
	a, b, c, d := v.a, v.b, v.c, v.d
	a += b
	b = bits.RotateLeft64(b, 13) ^ a
	a = bits.RotateLeft64(a, 32)
	c += d
	d = bits.RotateLeft64(d, 16) ^ c
	a += d
	d = bits.RotateLeft64(d, 21) ^ a
	c += b
	b = bits.RotateLeft64(b, 17) ^ c
	c = bits.RotateLeft64(c, 32)
	v.a, v.b, v.c, v.d = a, b, c, d
}

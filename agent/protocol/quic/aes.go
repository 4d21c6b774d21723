package quic

import (
	"encoding/binary"
	"math/bits"
)

// aes128 encrypts single blocks with AES-128 (FIPS 197). It is here, beside
// crypto/aes, for one reason: aes.NewCipher puts its key schedule on the heap
// each time (512 bytes, twice per connection), so whoever sends Initial packets
// with random connection ids would drive the sensor's collector. This one keys
// in place.
//
// It looks tables up by key and data and so leaks both through timing. That is
// no loss: the keys of Initial packets follow from the packet itself (RFC 9001
// 5.2), they keep nothing secret. Use it for nothing else.
type aes128 struct {
	// te combines SubBytes and MixColumns for the top byte of a column; the
	// other three rows are rotations of it.
	te   [256]uint32
	sbox [256]byte
}

// schedule is an expanded key: 11 round keys of four columns.
type schedule [44]uint32

// init fills the tables by the definitions of FIPS 197 4.2 and 5.1.1.
func (a *aes128) init() {
	// p runs through all non-zero field elements as powers of 3, q through
	// their inverses: 0xF6 is 1/3.
	p, q := byte(1), byte(1)
	for {
		p ^= xtime(p)
		q = mul(q, 0xF6)
		a.sbox[p] = q ^ bits.RotateLeft8(q, 1) ^ bits.RotateLeft8(q, 2) ^
			bits.RotateLeft8(q, 3) ^ bits.RotateLeft8(q, 4) ^ 0x63
		if p == 1 {
			break
		}
	}
	a.sbox[0] = 0x63
	for i, s := range a.sbox {
		d := xtime(s)
		a.te[i] = uint32(d)<<24 | uint32(s)<<16 | uint32(s)<<8 | uint32(d^s)
	}
}

// xtime multiplies by x in GF(2^8) modulo x^8+x^4+x^3+x+1.
func xtime(b byte) byte { return b<<1 ^ b>>7*0x1B }

func mul(a, b byte) (p byte) {
	for ; b != 0; b >>= 1 {
		p ^= a * (b & 1)
		a = xtime(a)
	}
	return p
}

// expand is KeyExpansion of FIPS 197 5.2.
func (a *aes128) expand(w *schedule, key *[16]byte) {
	for i := range 4 {
		w[i] = binary.BigEndian.Uint32(key[4*i:])
	}
	rcon := byte(1)
	for i := 4; i < len(w); i += 4 {
		t := w[i-1]
		t = uint32(a.sbox[t>>16&0xFF]^rcon)<<24 | uint32(a.sbox[t>>8&0xFF])<<16 |
			uint32(a.sbox[t&0xFF])<<8 | uint32(a.sbox[t>>24])
		w[i] = w[i-4] ^ t
		w[i+1] = w[i-3] ^ w[i]
		w[i+2] = w[i-2] ^ w[i+1]
		w[i+3] = w[i-1] ^ w[i+2]
		rcon = xtime(rcon)
	}
}

// encrypt is Cipher of FIPS 197 5.1 for the four columns of one block.
func (a *aes128) encrypt(w *schedule, s0, s1, s2, s3 uint32) (uint32, uint32, uint32, uint32) {
	te := &a.te
	s0, s1, s2, s3 = s0^w[0], s1^w[1], s2^w[2], s3^w[3]
	for r := 4; r <= 36; r += 4 {
		k := w[r : r+4 : r+4]
		t0 := te[s0>>24] ^ bits.RotateLeft32(te[s1>>16&0xFF], 24) ^ bits.RotateLeft32(te[s2>>8&0xFF], 16) ^ bits.RotateLeft32(te[s3&0xFF], 8) ^ k[0]
		t1 := te[s1>>24] ^ bits.RotateLeft32(te[s2>>16&0xFF], 24) ^ bits.RotateLeft32(te[s3>>8&0xFF], 16) ^ bits.RotateLeft32(te[s0&0xFF], 8) ^ k[1]
		t2 := te[s2>>24] ^ bits.RotateLeft32(te[s3>>16&0xFF], 24) ^ bits.RotateLeft32(te[s0>>8&0xFF], 16) ^ bits.RotateLeft32(te[s1&0xFF], 8) ^ k[2]
		t3 := te[s3>>24] ^ bits.RotateLeft32(te[s0>>16&0xFF], 24) ^ bits.RotateLeft32(te[s1>>8&0xFF], 16) ^ bits.RotateLeft32(te[s2&0xFF], 8) ^ k[3]
		s0, s1, s2, s3 = t0, t1, t2, t3
	}
	return a.last(s0, s1, s2, s3) ^ w[40], a.last(s1, s2, s3, s0) ^ w[41],
		a.last(s2, s3, s0, s1) ^ w[42], a.last(s3, s0, s1, s2) ^ w[43]
}

// last is one column of the last round, which has no MixColumns.
func (a *aes128) last(s0, s1, s2, s3 uint32) uint32 {
	return uint32(a.sbox[s0>>24])<<24 | uint32(a.sbox[s1>>16&0xFF])<<16 |
		uint32(a.sbox[s2>>8&0xFF])<<8 | uint32(a.sbox[s3&0xFF])
}

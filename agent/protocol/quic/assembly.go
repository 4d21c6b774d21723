package quic

import "math/bits"

// assembly puts pieces of the CRYPTO stream together by offset, whatever their
// order and overlap. What lies beyond its size is left out.
type assembly struct {
	data [maxPlain]byte
	have [maxPlain / 64]uint64 // a bit per byte
}

func (a *assembly) reset() { clear(a.have[:]) }

func (a *assembly) add(f Crypto) {
	if f.Offset >= maxPlain {
		return
	}
	at := int(f.Offset)
	end := at + copy(a.data[at:], f.Data)
	for at < end {
		n := min(end-at, 64-at%64)
		a.have[at/64] |= ^uint64(0) >> (64 - n) << (at % 64)
		at += n
	}
}

// prefix returns the stream from its beginning to the first gap.
func (a *assembly) prefix() []byte {
	n := 0
	for _, w := range a.have {
		c := bits.TrailingZeros64(^w)
		if n += c; c < 64 {
			break
		}
	}
	return a.data[:n:n]
}

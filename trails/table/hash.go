package table

import (
	"math/bits"

	"trailhound/trails"
)

// Odd constants with well mixed bits (from the fractions of square roots).
const (
	mix1 = 0xa0761d6478bd642f
	mix2 = 0xe7037ed1a0b428db
	mix3 = 0x8ebc6af09c88c6e3
)

// fold multiplies to 128 bits and folds the halves together.
func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// hashBytes continues the hash h over b. The length enters the hash, so that
// two pieces cannot change bytes between them unnoticed.
func hashBytes(h uint64, b []byte) uint64 {
	n := uint64(len(b))
	for len(b) > 8 {
		h = fold(h^le.Uint64(b), mix1)
		b = b[8:]
	}
	var tail uint64
	switch {
	case len(b) >= 4:
		tail = uint64(le.Uint32(b)) | uint64(le.Uint32(b[len(b)-4:]))<<32
	case len(b) > 0:
		tail = uint64(b[0]) | uint64(b[len(b)>>1])<<8 | uint64(b[len(b)-1])<<16
	}
	return fold(h^tail, mix2^n)
}

// base is where the hash of a kind's keys starts.
func base(seed uint64, kind trails.Kind) uint64 {
	return fold(seed^mix3, mix1+uint64(kind)<<1)
}

// hash4 hashes an IPv4 address with a number that tells address, address with
// port and network apart.
func hash4(base uint64, addr uint32, extra uint64) uint64 {
	return fold(base^uint64(addr)^extra<<32, mix2)
}

func hash16(base uint64, a *[16]byte, extra uint64) uint64 {
	h := fold(base^le.Uint64(a[:]), mix1)
	return fold(h^le.Uint64(a[8:]), mix2^extra)
}

// hashURL combines the hashes of a host and a path.
func hashURL(host, path uint64) uint64 { return fold(host^bits.RotateLeft64(path, 32), mix3) }

// hostMark is what the front of URLs holds for each host that any URL names.
func hostMark(host uint64) uint64 { return fold(host, mix2) }

// hashName gives the hash of a whole name.
func hashName(base uint64, name []byte) uint64 {
	h, end := base, len(name)
	for i := end - 1; i >= -1; i-- {
		if i < 0 || name[i] == '.' {
			h = hashBytes(h, name[i+1:end])
			end = i
		}
	}
	return h
}

// hashKey gives the hash of a key in canonical form. It agrees with what the
// look-ups compute piecewise; a test holds that.
func (b *bases) hashKey(kind trails.Kind, key []byte) uint64 {
	switch kind {
	case trails.Domain:
		return hashName(b[kind], key)
	case trails.URL:
		host, path := trails.SplitURL(key)
		return hashURL(hashBytes(b[kind], host), hashBytes(b[kind], path))
	case trails.Address, trails.AddressPort, trails.Network:
		n := len(key) - keyExtra[kind]
		extra := uint64(0)
		for _, c := range key[n:] {
			extra = extra<<8 | uint64(c)
		}
		if n == 4 {
			return hash4(b[kind], be32(key), extra)
		}
		return hash16(b[kind], (*[16]byte)(key[:16]), extra)
	}
	return hashBytes(b[kind], key)
}

// keyExtra is how many bytes follow the address in a key.
var keyExtra = [trails.Kinds]int{trails.AddressPort: 2, trails.Network: 1}

// bases holds the start of each kind's hash for one seed.
type bases [trails.Kinds]uint64

func newBases(seed uint64) (b bases) {
	for k := range b {
		b[k] = base(seed, trails.Kind(k))
	}
	return b
}

func be32(b []byte) uint32 {
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

// word and mask of the Bloom front: five bits of one 64-bit word.
func bloomWord(h uint64, words uint64) uint64 {
	hi, _ := bits.Mul64(h, words)
	return hi
}

func bloomMask(h uint64) uint64 {
	return 1<<(h&63) | 1<<(h>>6&63) | 1<<(h>>12&63) | 1<<(h>>18&63) | 1<<(h>>24&63)
}

// slotOf gives the home slot of a tag (the upper half of a hash).
func slotOf(tag uint32, slots uint64) uint64 { return uint64(tag) * slots >> 32 }

// front4Bit gives the bit of an IPv4 address in a bitmap of mask+1 bits.
func front4Bit(addr, mask uint32) uint32 { return addr >> 8 & mask }

func front6Bit(seed uint64, a *[16]byte, mask uint32) uint32 {
	return uint32(fold(seed^uint64(be32(a[:])), mix3)) & mask
}

// validAddrKey says whether a key of an address kind has a length that fits.
func validAddrKey(kind trails.Kind, key []byte) bool {
	n := len(key) - keyExtra[kind]
	if n != 4 && n != 16 {
		return false
	}
	return kind != trails.Network || int(key[n]) <= 8*n
}

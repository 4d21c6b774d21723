package retro

import (
	"testing"

	"trailhound/trails"
)

// The vectors are those of the paper's reference: key 00..0f, message 00..n-1.
func TestSipHash(t *testing.T) {
	var s Secret
	for i := range s {
		s[i] = byte(i)
	}
	for n, want := range map[int]uint64{1: 0x74f839c593dc67fd, 2: 0x0d6c8009d9a94f5a, 7: 0xab0200f58b01d137, 8: 0x93f5f5799a932462,
		9: 0x9e0082df0ba9e4b0, 15: 0xa129ca6149be45e5} {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(i)
		}
		if got := s.sip(b[n-1], b[:n-1]); got != want {
			t.Errorf("%d bytes: %x, want %x", n, got, want)
		}
	}
}

func TestHashTellsApart(t *testing.T) {
	a, b := NewSecret(), NewSecret()
	key := []byte{192, 0, 2, 1, 0, 53}
	all := map[uint64]bool{}
	for _, h := range []uint64{a.Hash(trails.Domain, key), a.Hash(trails.AddressPort, key), a.Hash(trails.Address, key[:4]), b.Hash(trails.Domain, key)} {
		if h == 0 || all[h] {
			t.Errorf("%x of %v", h, all)
		}
		all[h] = true
	}
}

package quic

import (
	"crypto/aes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// The standard library is the oracle.
func TestAES128(t *testing.T) {
	var a aes128
	a.init()
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var key, in, want, got [16]byte
		for i := range key {
			key[i], in[i] = byte(r.Uint32()), byte(r.Uint32())
		}
		c, err := aes.NewCipher(key[:])
		if err != nil {
			t.Fatal(err)
		}
		c.Encrypt(want[:], in[:])
		var w schedule
		a.expand(&w, &key)
		u := binary.BigEndian
		s0, s1, s2, s3 := a.encrypt(&w, u.Uint32(in[0:]), u.Uint32(in[4:]), u.Uint32(in[8:]), u.Uint32(in[12:]))
		u.PutUint32(got[0:], s0)
		u.PutUint32(got[4:], s1)
		u.PutUint32(got[8:], s2)
		u.PutUint32(got[12:], s3)
		if got != want {
			t.Fatalf("key %x block %x: got %x, want %x", key, in, got, want)
		}
	}
}

func BenchmarkAES128Block(b *testing.B) {
	var a aes128
	a.init()
	var w schedule
	var key [16]byte
	a.expand(&w, &key)
	b.ReportAllocs()
	var s0, s1, s2, s3 uint32
	for b.Loop() {
		s0, s1, s2, s3 = a.encrypt(&w, s0, s1, s2, s3)
	}
}

func BenchmarkAES128Expand(b *testing.B) {
	var a aes128
	a.init()
	var w schedule
	var key [16]byte
	b.ReportAllocs()
	for b.Loop() {
		a.expand(&w, &key)
		key[0]++
	}
}

// What the standard library would cost per key: time like ours, and the heap.
func BenchmarkStdlibNewCipher(b *testing.B) {
	var key [16]byte
	b.ReportAllocs()
	for b.Loop() {
		if _, err := aes.NewCipher(key[:]); err != nil {
			b.Fatal(err)
		}
		key[0]++
	}
}

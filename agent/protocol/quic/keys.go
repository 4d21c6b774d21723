package quic

import (
	"bytes"
	"crypto/sha256"
)

// cacheSize is the number of connections whose keys are kept: enough for those
// in their handshake at one time. A power of two.
const cacheSize = 64

// keys protect the packets a client sends in the Initial packet number space
// (RFC 9001 5.1, 5.4), AES keys expanded.
type keys struct {
	packet, header schedule
	iv             [12]byte
}

// cached is a cache entry: keys by version and connection id.
type cached struct {
	version uint32 // 0: empty
	length  uint8
	cid     [maxCID]byte
	keys    keys
}

// keysFor returns the client's keys, derived unless they are cached. The
// pointer is valid until the next call.
func (d *Decoder) keysFor(version uint32, cid []byte) *keys {
	e := &d.cache[slot(version, cid)]
	if e.version == version && bytes.Equal(e.cid[:e.length], cid) {
		return &e.keys
	}
	e.version, e.length = version, uint8(copy(e.cid[:], cid))
	d.derive(&e.keys, version, cid)
	return &e.keys
}

// slot spreads connection ids over the cache (FNV-1a). Clients choose them at
// random; whoever makes them collide only loses the cache's help.
func slot(version uint32, cid []byte) uint32 {
	h := version ^ 2166136261
	for _, c := range cid {
		h = (h ^ uint32(c)) * 16777619
	}
	return (h ^ h>>16) % cacheSize
}

// derive makes the client's keys: RFC 9001 5.1, 5.2; labels of version 2 RFC
// 9369 3.3.
func (d *Decoder) derive(k *keys, version uint32, cid []byte) {
	labelKey, labelIV, labelHP := "tls13 quic key", "tls13 quic iv", "tls13 quic hp"
	if version == Version2 {
		labelKey, labelIV, labelHP = "tls13 quicv2 key", "tls13 quicv2 iv", "tls13 quicv2 hp"
	}
	initial := hmac(salt(version), cid)
	secret := expandLabel(&initial, "tls13 client in", 32)

	var key [16]byte
	out := expandLabel(&secret, labelKey, 16)
	copy(key[:], out[:])
	d.aes.expand(&k.packet, &key)
	out = expandLabel(&secret, labelHP, 16)
	copy(key[:], out[:])
	d.aes.expand(&k.header, &key)
	out = expandLabel(&secret, labelIV, 12)
	copy(k.iv[:], out[:])
}

// expandLabel is HKDF-Expand-Label (RFC 8446 7.1) with an empty context, for
// lengths up to one hash. The label comes with its "tls13 ".
func expandLabel(secret *[sha256.Size]byte, label string, length byte) [sha256.Size]byte {
	var info [32]byte
	info[1], info[2] = length, byte(len(label))
	n := 3 + copy(info[3:], label)
	info[n+1] = 1 // behind the length 0 of the context: the number of the block
	return hmac(string(secret[:]), info[:n+2])
}

// hmac is HMAC-SHA-256 (RFC 2104) for keys and messages of at most 64 bytes.
// All is on the stack: crypto/hmac allocates.
func hmac(key string, message []byte) [sha256.Size]byte {
	var inner [2 * sha256.BlockSize]byte
	var outer [sha256.BlockSize + sha256.Size]byte
	copy(inner[:sha256.BlockSize], key)
	for i, c := range inner[:sha256.BlockSize] {
		inner[i], outer[i] = c^0x36, c^0x5C
	}
	n := copy(inner[sha256.BlockSize:], message)
	sum := sha256.Sum256(inner[:sha256.BlockSize+n])
	copy(outer[sha256.BlockSize:], sum[:])
	return sha256.Sum256(outer[:])
}

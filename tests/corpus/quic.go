package corpus

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
)

// Versions of QUIC.
const (
	QUICv1 = 1
	QUICv2 = 0x6b3343cf // RFC 9369
)

// Piece is a part of the handshake stream, in a CRYPTO frame.
type Piece struct {
	Offset int
	Data   []byte
}

// Initial makes a client's first datagram (RFC 9001 5, RFC 9369): CRYPTO frames
// with the pieces in the order given, padding to 1,200 bytes, encrypted and
// with header protection.
func Initial(version uint32, id []byte, pieces ...Piece) string {
	salt, prefix, first := "38762cf7f55934b34d179ae6a4c80cadccbb7f0a", "quic ", byte(0xc3)
	if version == QUICv2 {
		salt, prefix, first = "0dede3def700a6db819381be6e269dcbf9bd2ed9", "quicv2 ", byte(0xd3)
	}
	salted := must(hex.DecodeString(salt))
	secret := label(must(hkdf.Extract(sha256.New, id, salted)), "client in", 32)
	key, iv, hp := label(secret, prefix+"key", 16), label(secret, prefix+"iv", 12), label(secret, prefix+"hp", 16)

	var frames []byte
	for _, p := range pieces {
		frames = append(frames, 6)
		frames = join(varint(frames, p.Offset), varint(nil, len(p.Data)), p.Data)
	}
	head := join([]byte{first}, be.AppendUint32(nil, version), sized8(id), sized8(nil), varint(nil, 0))
	const number, tag = 4, 16
	for len(head)+2+number+len(frames)+tag < 1200 {
		frames = append(frames, 0)
	}
	head = be.AppendUint16(head, 0x4000|uint16(number+len(frames)+tag))
	at := len(head)
	head = append(head, 0, 0, 0, 0) // packet number 0: the nonce is the IV itself
	gcm := must(cipher.NewGCM(must(aes.NewCipher(key))))
	packet := gcm.Seal(join(head), iv, frames, head)

	mask := make([]byte, aes.BlockSize)
	must(aes.NewCipher(hp)).Encrypt(mask, packet[at+4:at+4+aes.BlockSize])
	packet[0] ^= mask[0] & 0x0f
	for i := range number {
		packet[at+i] ^= mask[1+i]
	}
	return string(packet)
}

// label is HKDF-Expand-Label of TLS 1.3 (RFC 8446 7.1).
func label(secret []byte, name string, n int) []byte {
	info := join(be.AppendUint16(nil, uint16(n)), sized8([]byte("tls13 "+name)), []byte{0})
	return must(hkdf.Expand(sha256.New, secret, string(info), n))
}

// varint appends a variable-length integer (RFC 9000 16) in two bytes or one.
func varint(b []byte, n int) []byte {
	if n < 64 {
		return append(b, byte(n))
	}
	return be.AppendUint16(b, 0x4000|uint16(n))
}

// GoogleQ043 makes the first packet of gQUIC Q043: a public header with
// connection id and version, a hash, and a CHLO in the clear on stream 1 that
// names the server.
func GoogleQ043(serverName string) string {
	pad := make([]byte, 64)
	chlo := join([]byte("CHLO"), []byte{2, 0, 0, 0}, []byte("PAD\x00"), le32(len(pad)), []byte("SNI\x00"), le32(len(pad)+len(serverName)),
		pad, []byte(serverName))
	frame := join([]byte{0xa0, 1}, be.AppendUint16(nil, uint16(len(chlo))), chlo) // STREAM with data length, offset 0, id of one byte
	return string(join([]byte{0x09}, []byte("connecti"), []byte("Q043"), []byte{1}, make([]byte, 12), frame))
}

func le32(n int) []byte { return []byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)} }

// must is for what cannot fail: no input comes from outside.
func must[T any](v T, err error) T {
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return v
}

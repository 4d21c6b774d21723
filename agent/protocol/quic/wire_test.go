package quic

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
)

// The client's side of QUIC, written with the standard library's crypto: an
// oracle that shares nothing with the code under test but the salts, which the
// samples of the RFCs confirm.

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return b
}

func cat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// vint encodes a variable-length integer in 4 bytes.
func vint(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)|0x80<<24) }

func expand(secret []byte, label string, n int) []byte {
	info := cat([]byte{0, byte(n), byte(len(label) + 6)}, []byte("tls13 "+label), []byte{0})
	out, err := hkdf.Expand(sha256.New, secret, string(info), n)
	if err != nil {
		panic(err)
	}
	return out
}

type packetSpec struct {
	version uint32
	dcid    []byte
	scid    []byte
	token   []byte
	pn      uint32
	pnLen   int // 0: 4
	side    string
	keyCID  []byte // nil: dcid
}

// protect builds an Initial packet around the frames.
func protect(s packetSpec, frames []byte) []byte {
	if s.pnLen == 0 {
		s.pnLen = 4
	}
	if s.side == "" {
		s.side = "client in"
	}
	if s.keyCID == nil {
		s.keyCID = s.dcid
	}
	kind, prefix := byte(0), "quic "
	if s.version == Version2 {
		kind, prefix = 0x10, "quicv2 "
	}
	b := []byte{0xC0 | kind | byte(s.pnLen-1)}
	b = binary.BigEndian.AppendUint32(b, s.version)
	b = cat(b, []byte{byte(len(s.dcid))}, s.dcid, []byte{byte(len(s.scid))}, s.scid)
	if len(s.token) == 0 {
		b = append(b, 0)
	} else {
		b = cat(b, vint(len(s.token)), s.token)
	}
	b = binary.BigEndian.AppendUint16(b, uint16(s.pnLen+len(frames)+16)|0x4000)
	at := len(b)
	var pn [4]byte
	binary.BigEndian.PutUint32(pn[:], s.pn)
	b = append(b, pn[4-s.pnLen:]...)

	initial, err := hkdf.Extract(sha256.New, s.keyCID, []byte(salt(s.version)))
	if err != nil {
		panic(err)
	}
	secret := expand(initial, s.side, 32)
	block, _ := aes.NewCipher(expand(secret, prefix+"key", 16))
	gcm, _ := cipher.NewGCM(block)
	nonce := expand(secret, prefix+"iv", 12)
	for i, c := range pn {
		nonce[8+i] ^= c
	}
	b = gcm.Seal(b, nonce, frames, b)

	hp, _ := aes.NewCipher(expand(secret, prefix+"hp", 16))
	var mask [16]byte
	hp.Encrypt(mask[:], b[at+4:at+20])
	b[0] ^= mask[0] & 0x0F
	for i := range s.pnLen {
		b[at+i] ^= mask[1+i]
	}
	return b
}

func crypto(offset int, data []byte) []byte {
	return cat([]byte{6}, vint(offset), vint(len(data)), data)
}

func padded(frames []byte, n int) []byte {
	return append(bytes.Clone(frames), make([]byte, max(0, n-len(frames)))...)
}

// clientHello is a message with fill bytes of another extension before the
// name and again behind it.
func clientHello(name string, fill int) []byte {
	u := func(n int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }
	other := cat(u(0xFF), u(fill), make([]byte, fill))
	sni := cat(u(0), u(len(name)+5), u(len(name)+3), []byte{0}, u(len(name)), []byte(name))
	exts := cat(other, sni, other)
	body := cat([]byte{3, 3}, make([]byte, 32), []byte{0}, u(2), []byte{0x13, 1}, []byte{1, 0}, u(len(exts)), exts)
	return cat([]byte{1, 0}, u(len(body)), body)
}

// The CRYPTO frame of RFC 9001 A.2 and RFC 9369 A.2.
const sampleFrame = `
060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e868
04fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578
616d706c652e636f6dff01000100000a00080006001d00170018001000070005
04616c706e000500050100000000003300260024001d00209370b2c9caa47fba
baf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b000302030400
0d0010000e0403050306030203080408050806002d00020101001c0002400100
3900320408ffffffffffffffff05048000ffff07048000ffff08011001048000
75300901100f088394c8f03e51570806048000ffff`

var sampleCID = unhex("8394c8f03e515708")

func samplePacket(version uint32) []byte {
	return protect(packetSpec{version: version, dcid: sampleCID, pn: 2}, padded(unhex(sampleFrame), 1162))
}

// A CHLO with the tags in the order Chromium sends them.
func chlo(tags ...string) []byte {
	var index, values []byte
	for i := 0; i < len(tags); i += 2 {
		values = append(values, tags[i+1]...)
		index = append(index, (tags[i] + "\x00\x00\x00")[:4]...)
		index = binary.LittleEndian.AppendUint32(index, uint32(len(values)))
	}
	return cat([]byte("CHLO"), []byte{byte(len(tags) / 2), 0, 0, 0}, index, values)
}

// q043 has a public header, a packet number of one byte and the frames.
func q043(version string, frames []byte) []byte {
	return cat([]byte{0x09}, []byte("connctid"), []byte(version), []byte{1}, make([]byte, 12), frames)
}

func q046(frames []byte) []byte {
	return cat([]byte{0xC3}, []byte("Q046"), []byte{0x50}, []byte("connctid"), []byte{0, 0, 0, 1}, make([]byte, 12), frames)
}

// stream1 is a STREAM frame of the handshake stream with its length.
func stream1(data []byte) []byte {
	return cat([]byte{0xA0, 1}, binary.BigEndian.AppendUint16(nil, uint16(len(data))), data)
}

func wantName(t *testing.T, d *Decoder, what string, b []byte, want string) {
	t.Helper()
	name, ok := d.ServerName(b)
	if string(name) != want || ok != (want != "") {
		t.Errorf("%s: got %q, %v, want %q", what, name, ok, want)
	}
}

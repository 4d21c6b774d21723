package corpus

import (
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"time"
)

// ClientHello makes the handshake message of a TLS 1.3 client; the server name
// stands behind the extensions given.
func ClientHello(serverName string, before ...[]byte) []byte {
	name := sized16(sized16([]byte{0}, sized16([]byte(serverName))))
	extensions := join(join(before...), []byte{0, 0}, name, extension(0x2b, []byte{2, 3, 4}))
	body := join([]byte{3, 3}, make([]byte, 32), sized8(make([]byte, 32)), sized16([]byte{0x13, 1, 0xc0, 0x2f}),
		sized8([]byte{0}), sized16(extensions))
	return join([]byte{1}, sized24(body))
}

// extension makes an extension of a ClientHello.
func extension(kind uint16, data []byte) []byte {
	return append(be.AppendUint16(nil, kind), sized16(data)...)
}

// ALPN is the extension that asks for HTTP/2.
func ALPN() []byte { return extension(16, sized16(sized8([]byte("h2")))) }

// Record puts a handshake record header in front.
func Record(handshake ...[]byte) string {
	return string(join([]byte{0x16, 3, 1}, sized16(handshake...)))
}

// ServerFlight makes the record of a TLS 1.2 server: its hello, and the
// certificates in DER.
func ServerFlight(certificates ...[]byte) string {
	hello := join([]byte{3, 3}, make([]byte, 32), sized8(nil), []byte{0xc0, 0x2f, 0}, sized16(nil))
	var chain []byte
	for _, der := range certificates {
		chain = append(chain, sized24(der)...)
	}
	return Record([]byte{2}, sized24(hello), []byte{11}, sized24(sized24(chain)), []byte{14, 0, 0, 0})
}

// Certificate makes a self-signed certificate, the same bytes for the same
// name: Ed25519 signatures hold no randomness.
func Certificate(name string) []byte {
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, name)
	key := ed25519.NewKeyFromSeed(seed)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Unix(1600000000, 0), NotAfter: time.Unix(1900000000, 0)}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		panic("BUG: " + err.Error()) // nothing in here comes from outside
	}
	return der
}

package tls

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"
)

// Hand-made messages.

func u16(n int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }

func record(body []byte) []byte {
	return cat([]byte{0x16, 3, 1}, u16(len(body)), body)
}

func message(kind byte, body []byte) []byte {
	n := len(body)
	return cat([]byte{kind, byte(n >> 16), byte(n >> 8), byte(n)}, body)
}

func cat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func ext(kind int, data []byte) []byte { return cat(u16(kind), u16(len(data)), data) }

func sni(names ...string) []byte {
	var list []byte
	for _, n := range names {
		list = append(list, cat([]byte{0}, u16(len(n)), []byte(n))...)
	}
	return ext(0, cat(u16(len(list)), list))
}

func hello(exts ...[]byte) []byte {
	list := cat(exts...)
	return message(1, cat([]byte{3, 3}, make([]byte, 32), []byte{0}, u16(4), []byte{0x13, 1, 0xC0, 0x2F},
		[]byte{1, 0}, u16(len(list)), list))
}

func certMessage(certs ...[]byte) []byte {
	var list []byte
	for _, c := range certs {
		n := len(c)
		list = append(list, byte(n>>16), byte(n>>8), byte(n))
		list = append(list, c...)
	}
	n := len(list)
	return message(11, cat([]byte{byte(n >> 16), byte(n >> 8), byte(n)}, list))
}

// split cuts a handshake message into records of at most n bytes.
func split(msg []byte, n int) []byte {
	var out []byte
	for len(msg) > 0 {
		c := min(n, len(msg))
		out = append(out, record(msg[:c])...)
		msg = msg[c:]
	}
	return out
}

// recorder keeps what is written through a connection.
type recorder struct {
	net.Conn
	mu  sync.Mutex
	out []byte
}

func (r *recorder) Write(b []byte) (int, error) {
	r.mu.Lock()
	r.out = append(r.out, b...)
	r.mu.Unlock()
	return r.Conn.Write(b)
}

// handshake runs a real one in memory and returns what each side wrote and the
// server's certificate.
func handshake(tb testing.TB, version uint16, name string) (client, server, der []byte) {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0),
	}
	der, err = x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		tb.Fatal(err)
	}
	a, b := net.Pipe()
	cc, sc := &recorder{Conn: a}, &recorder{Conn: b}
	done := make(chan error, 1)
	go func() {
		s := tls.Server(sc, &tls.Config{
			Certificates: []tls.Certificate{{Certificate: [][]byte{der, der}, PrivateKey: key}},
			MinVersion:   version, MaxVersion: version,
		})
		err := s.Handshake()
		if err == nil {
			_, err = s.Write([]byte("x"))
		}
		done <- err
	}()
	c := tls.Client(cc, &tls.Config{
		ServerName: name, InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"},
		MinVersion: version, MaxVersion: version,
	})
	if err := c.Handshake(); err != nil {
		tb.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		tb.Fatal(err)
	}
	if err := <-done; err != nil {
		tb.Fatal(err)
	}
	a.Close()
	b.Close()
	return cc.out, sc.out, der
}

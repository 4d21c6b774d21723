package remote

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// receiver takes lines over TCP, or over TLS.
type receiver struct {
	net.Listener
	lines chan string
	conns chan net.Conn // as accepted
}

func listen(t *testing.T, address string, config *tls.Config) *receiver {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if config != nil {
		l = tls.NewListener(l, config)
	}
	r := &receiver{l, make(chan string, 100_000), make(chan net.Conn, 1000)}
	var wait sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		wait.Wait()
	})
	wait.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			r.conns <- c
			go func() {
				for s := bufio.NewScanner(c); s.Scan(); {
					r.lines <- s.Text()
				}
				c.Close()
			}()
		}
	})
	return r
}

func (r *receiver) line(t *testing.T) string {
	t.Helper()
	select {
	case line := <-r.lines:
		return line
	case <-time.After(20 * time.Second):
		t.Fatal("no line arrives")
		return ""
	}
}

func (r *receiver) conn(t *testing.T) net.Conn {
	t.Helper()
	select {
	case c := <-r.conns:
		return c
	case <-time.After(20 * time.Second):
		t.Fatal("no connection is made")
		return nil
	}
}

// dead is an address on which nobody listens.
func dead(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func open(t *testing.T, opt Options) *Remote {
	t.Helper()
	if opt.Log == nil {
		opt.Log = quiet()
	}
	r, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func connect(t *testing.T, r *Remote) *Conn {
	t.Helper()
	c, err := r.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func write(t *testing.T, c *Conn, text string) {
	t.Helper()
	if n, err := c.Write(t.Context(), []byte(text)); err != nil || n != len(text) {
		t.Fatalf("%d bytes, %v", n, err)
	}
}

// pair is a certificate with its key.
type pair struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	tls  tls.Certificate
}

// issue makes a certificate, signed by its own key when there is no authority.
func issue(t testing.TB, by *pair, edit func(c *x509.Certificate)) *pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	c := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	if by == nil {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageDigitalSignature
	}
	edit(c)
	parent, signer := c, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{key: key}
	if p.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	p.tls = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: p.cert}
	return p
}

func authority(t testing.TB, name string) *pair {
	return issue(t, nil, func(c *x509.Certificate) { c.Subject.CommonName = name })
}

func server(t testing.TB, by *pair) *pair {
	return issue(t, by, func(c *x509.Certificate) {
		c.DNSNames, c.IPAddresses = []string{"siem.example"}, []net.IP{net.IPv4(127, 0, 0, 1)}
	})
}

// save writes a certificate and its key as PEM.
func (p *pair) save(t testing.TB, dir, name string) (cert, key string) {
	t.Helper()
	cert, key = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.cert.Raw})
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{cert: text, key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})} {
		if err := os.WriteFile(name+".new", text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(name+".new", name); err != nil { // another inode, whatever the clock's grain
			t.Fatal(err)
		}
	}
	return cert, key
}

// zone is a name server for one name.
type zone struct {
	mu    sync.Mutex
	addrs []string
	down  bool
	asked int
}

func (z *zone) set(addrs ...string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.addrs, z.down = addrs, len(addrs) == 0
}

func (z *zone) questions() int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.asked
}

// resolver asks the zone over a pipe.
func (z *zone) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		a, b := net.Pipe()
		go z.serve(b)
		return a, nil
	}}
}

func (z *zone) serve(c net.Conn) {
	defer c.Close()
	head := make([]byte, 2)
	for {
		if _, err := io.ReadFull(c, head); err != nil {
			return
		}
		b := make([]byte, int(head[0])<<8|int(head[1]))
		if _, err := io.ReadFull(c, b); err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(b) != nil || len(m.Questions) != 1 {
			return
		}
		q := m.Questions[0]
		m.Response, m.Additionals = true, nil
		z.mu.Lock()
		if z.asked++; z.down {
			m.RCode = dnsmessage.RCodeServerFailure
		}
		for _, text := range z.addrs {
			if a := netip.MustParseAddr(text); a.Is4() && q.Type == dnsmessage.TypeA && !z.down {
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1},
					Body: &dnsmessage.AResource{A: a.As4()}})
			}
		}
		z.mu.Unlock()
		b, err := m.Pack()
		if err != nil {
			return
		}
		if _, err := c.Write(append([]byte{byte(len(b) >> 8), byte(len(b))}, b...)); err != nil {
			return
		}
	}
}

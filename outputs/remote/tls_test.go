package remote

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

func secure(t *testing.T, keys TLSKeys) *TLS {
	t.Helper()
	own, err := NewTLS(keys, quiet())
	if err != nil {
		t.Fatal(err)
	}
	return own
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// TestTLSErrors: what goes wrong says what to do.
func TestTLSErrors(t *testing.T) {
	dir := t.TempDir()
	ca, other := authority(t, "our authority"), authority(t, "another\nauthority")
	caFile, _ := ca.save(t, dir, "ca")
	good := server(t, ca)
	expired := issue(t, ca, func(c *x509.Certificate) {
		c.IPAddresses, c.NotBefore, c.NotAfter = []net.IP{net.IPv4(127, 0, 0, 1)}, time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
	})
	early := issue(t, ca, func(c *x509.Certificate) {
		c.IPAddresses, c.NotBefore = []net.IP{net.IPv4(127, 0, 0, 1)}, time.Now().Add(30*time.Minute)
	})
	named := issue(t, ca, func(c *x509.Certificate) { c.DNSNames = []string{"another.example"} })
	foreign := server(t, other)
	fromCA := append([][]byte{}, good.cert.Raw, ca.cert.Raw)
	for _, c := range []struct {
		name string
		have *pair
		keys TLSKeys
		want string // part of the error; empty: it works
	}{
		{"good", good, TLSKeys{CA: caFile}, ""},
		{"server name", good, TLSKeys{CA: caFile, ServerName: "siem.example"}, ""},
		{"unknown authority", foreign, TLSKeys{CA: caFile}, "authority that is not trusted (CN=another?authority)"},
		{"system's authorities", good, TLSKeys{}, "set tls.ca"},
		{"expired", expired, TLSKeys{CA: caFile}, "expired on " + expired.cert.NotAfter.UTC().Format(time.RFC3339)},
		{"not yet", early, TLSKeys{CA: caFile}, "compare the clocks"},
		{"name", named, TLSKeys{CA: caFile}, "is for another.example, not for 127.0.0.1"},
		{"name asked for", good, TLSKeys{CA: caFile, ServerName: "x.example"}, "not for x.example"},
		{"pin of the certificate", foreign, TLSKeys{Pin: []string{digest(foreign.cert.Raw)}}, ""},
		{"pin of the key", foreign, TLSKeys{Pin: []string{"0f", digest(foreign.cert.RawSubjectPublicKeyInfo)}[1:]}, ""},
		{"pin of another", foreign, TLSKeys{Pin: []string{digest(good.cert.Raw)}}, digest(foreign.cert.RawSubjectPublicKeyInfo)},
		{"pin and authority", good, TLSKeys{CA: caFile, Pin: []string{digest(good.cert.Raw)}}, ""},
		{"pin right, authority wrong", foreign, TLSKeys{CA: caFile, Pin: []string{digest(foreign.cert.Raw)}}, "not trusted"},
		{"pinned, expired", expired, TLSKeys{Pin: []string{digest(expired.cert.Raw)}}, "expired on"},
		{"old version", good, TLSKeys{CA: caFile, MinVersion: "1.3"}, ""},
	} {
		l := listen(t, "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{c.have.tls}})
		r := open(t, Options{Addresses: []string{l.Addr().String()}, TLS: secure(t, c.keys)})
		conn, err := r.Conn(t.Context())
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			write(t, conn, c.name+"\n")
			if got := l.line(t); got != c.name {
				t.Errorf("%s: got %q", c.name, got)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), l.Addr().String()) || strings.ContainsAny(err.Error(), "\n\r") {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}

	// The authority's own certificate may be pinned where the receiver sends it.
	with := good.tls
	with.Certificate = fromCA
	l := listen(t, "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{with}})
	pinned := TLSKeys{Pin: []string{digest(ca.cert.Raw)}}
	connect(t, open(t, Options{Addresses: []string{l.Addr().String()}, TLS: secure(t, pinned)}))
	// But sending it proves nothing.
	with = foreign.tls
	with.Certificate = [][]byte{foreign.cert.Raw, ca.cert.Raw}
	l = listen(t, "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{with}})
	if _, err := open(t, Options{Addresses: []string{l.Addr().String()}, TLS: secure(t, pinned)}).Conn(t.Context()); err == nil {
		t.Error("a certificate that the pinned authority has not signed is taken")
	}
	l = listen(t, "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{good.tls}, MaxVersion: tls.VersionTLS12})
	if _, err := open(t, Options{Addresses: []string{l.Addr().String()}, TLS: secure(t, TLSKeys{CA: caFile, MinVersion: "1.3"})}).Conn(t.Context()); err == nil ||
		!strings.Contains(err.Error(), "tls.min_version") {
		t.Errorf("old version: %v", err)
	}
}

func TestNoTLSThere(t *testing.T) {
	l := listen(t, "127.0.0.1:0", nil)
	go func() { (<-l.conns).Write([]byte("220 hello\r\n")) }()
	if _, err := open(t, Options{Addresses: []string{l.Addr().String()}, TLS: secure(t, TLSKeys{})}).Conn(t.Context()); err == nil ||
		!strings.Contains(err.Error(), "does not speak TLS") {
		t.Errorf("got %v", err)
	}
	l = listen(t, "127.0.0.1:0", nil)
	go func() { (<-l.conns).Close() }()
	if _, err := open(t, Options{Addresses: []string{l.Addr().String()}, TLS: secure(t, TLSKeys{})}).Conn(t.Context()); err == nil ||
		!strings.Contains(err.Error(), "closed the connection in the handshake") {
		t.Errorf("got %v", err)
	}
}

func TestClientCertificate(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		dir := t.TempDir()
		ca, other := authority(t, "ours"), authority(t, "other")
		caFile, _ := ca.save(t, dir, "ca")
		pool := x509.NewCertPool()
		pool.AddCert(ca.cert)
		have := server(t, ca)
		l := listen(t, "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{have.tls}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool,
			MaxVersion: version})
		client := func(name string, by *pair, edit func(*x509.Certificate)) TLSKeys {
			p := issue(t, by, edit)
			k := TLSKeys{CA: caFile}
			k.Cert, k.Key = p.save(t, dir, name)
			return k
		}
		same := func(*x509.Certificate) {}
		check := func(name string, keys TLSKeys, want string) {
			r := open(t, Options{Addresses: []string{l.Addr().String()}, TLS: secure(t, keys)})
			c, err := r.Conn(t.Context())
			if err == nil && want == "" {
				write(t, c, name+"\n")
				if got := l.line(t); got != name {
					t.Errorf("%s: got %q", name, got)
				}
				return
			}
			if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%x %s: %v, want %q", version, name, err, want)
			}
			if want == "" && err != nil {
				t.Errorf("%x %s: %v", version, name, err)
			}
		}
		check("good", client("good", ca, same), "")
		check("other", client("other", other, same), "does not take the client certificate")
		check("expired", client("expired", ca, func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
		}), "expired on")
		if version == tls.VersionTLS12 {
			check("none", TLSKeys{CA: caFile}, "tls.cert")
		}
	}
}

// TestReload: certificates are replaced on disk while a connection stands.
func TestReload(t *testing.T) {
	dir := t.TempDir()
	ca := authority(t, "ours")
	caFile, _ := ca.save(t, dir, "ca")
	have := server(t, ca)
	seen := make(chan string, 100)
	l := listen(t, "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{have.tls}, ClientAuth: tls.RequireAnyClientCert,
		VerifyConnection: func(s tls.ConnectionState) error {
			seen <- s.PeerCertificates[0].Subject.CommonName
			return nil
		}})
	named := func(name string) *pair {
		return issue(t, ca, func(c *x509.Certificate) { c.Subject.CommonName = name })
	}
	cert, key := named("first").save(t, dir, "client")
	r := open(t, Options{Addresses: []string{l.Addr().String()}, TLS: secure(t, TLSKeys{CA: caFile, Cert: cert, Key: key}), Refresh: time.Nanosecond})
	c := connect(t, r)
	if got := <-seen; got != "first" {
		t.Errorf("shown %s", got)
	}
	for range 3 {
		if connect(t, r) != c {
			t.Error("replaced without a reason")
		}
		if r.seeking {
			r.found <- <-r.found
		}
	}
	named("second").save(t, dir, "client")
	for connect(t, r) == c {
		if r.seeking {
			r.found <- <-r.found
		}
	}
	if got := <-seen; got != "second" {
		t.Errorf("shown %s", got)
	}
	// What cannot be read leaves the old one in use.
	if err := os.WriteFile(cert, []byte("-----BEGIN"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.Drop()
	connect(t, r)
	if got := <-seen; got != "second" {
		t.Errorf("shown %s", got)
	}
}

func TestTLSKeys(t *testing.T) {
	dir := t.TempDir()
	p := authority(t, "x")
	cert, key := p.save(t, dir, "x")
	_, strange := authority(t, "y").save(t, dir, "y")
	empty := dir + "/empty"
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, keys := range map[string]TLSKeys{
		"tls.ca: cannot read":      {CA: dir + "/none"},
		"tls.ca: no certificate":   {CA: empty},
		"is no file":               {CA: dir},
		"one is of no use":         {Cert: cert},
		"tls.cert, tls.key: canno": {Cert: cert, Key: strange},
		"tls.pin":                  {Pin: []string{"abcd"}},
		"tls.min_version":          {MinVersion: "1.1"},
	} {
		if _, err := NewTLS(keys, quiet()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
		if !keys.Given() {
			t.Errorf("%q: not given", want)
		}
	}
	secure(t, TLSKeys{CA: cert, Cert: cert, Key: key, MinVersion: "1.2"})
	if (&TLSKeys{MinVersion: "1.2"}).Given() {
		t.Error("the default counts as given")
	}
	sum := sha256.Sum256([]byte("x"))
	text := hex.EncodeToString(sum[:])
	colons := ""
	for i := 0; i < len(text); i += 2 {
		colons += ":" + strings.ToUpper(text[i:i+2])
	}
	for _, spelling := range []string{text, strings.ToUpper(text), colons[1:], "sha256:" + text, "SHA256:" + text, "sha256 Fingerprint=" + colons[1:],
		"sha256//" + base64.StdEncoding.EncodeToString(sum[:]), base64.StdEncoding.EncodeToString(sum[:]), " " + text + "\n"} {
		if got, ok := parsePin(spelling); !ok || got != sum {
			t.Errorf("%q is not read", spelling)
		}
	}
}

// TestDialer: what goes into a http.Transport.
func TestDialer(t *testing.T) {
	dir := t.TempDir()
	ca := authority(t, "ours")
	caFile, _ := ca.save(t, dir, "ca")
	have := server(t, ca)
	l := listen(t, "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{have.tls}})
	d, err := NewDialer(DialerOptions{TLS: secure(t, TLSKeys{CA: caFile})})
	if err != nil {
		t.Fatal(err)
	}
	c, err := d.DialTLSContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintln(c, "hello")
	if got := l.line(t); got != "hello" {
		t.Errorf("got %q", got)
	}
	plain, err := d.DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	plain.Close()
	none, _ := NewDialer(DialerOptions{})
	if _, err := none.DialTLSContext(t.Context(), "tcp", l.Addr().String()); err == nil {
		t.Error("an unknown authority is trusted")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := none.DialContext(ctx, "tcp", l.Addr().String()); err == nil {
		t.Error("dialled with an ended context")
	}
}

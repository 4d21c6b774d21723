package remote

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// TLS makes the TLS side of connections. Files are read when they have changed,
// for the next connection; one that cannot be read then leaves what was read
// before in use. Its methods are safe for concurrent use.
type TLS struct {
	keys TLSKeys
	pins [][sha256.Size]byte
	min  uint16
	log  *slog.Logger
	now  func() time.Time // nil: time.Now

	mu      sync.Mutex
	files   [3]os.FileInfo // of ca, cert, key when they were read
	roots   *x509.CertPool // nil: the system's
	client  *tls.Certificate
	version uint64 // goes up with each change
}

// maxPEM bounds a file of certificates. The largest bundle of a system has
// 250 kB.
const maxPEM = 8 << 20

// NewTLS reads the files that the keys name. An error names its key.
func NewTLS(keys TLSKeys, log *slog.Logger) (*TLS, error) {
	t := &TLS{keys: keys, min: tls.VersionTLS12, log: log}
	if t.log == nil {
		t.log = slog.Default()
	}
	switch keys.MinVersion {
	case "", "1.2":
	case "1.3":
		t.min = tls.VersionTLS13
	default:
		return nil, fmt.Errorf("tls.min_version: %q is neither 1.2 nor 1.3", keys.MinVersion)
	}
	if (keys.Cert == "") != (keys.Key == "") {
		return nil, errors.New("tls.cert and tls.key: one is of no use without the other")
	}
	for _, text := range keys.Pin {
		pin, ok := parsePin(text)
		if !ok {
			return nil, errors.New("tls.pin: not a SHA-256 digest: want 64 hex digits, or sha256// and base64")
		}
		t.pins = append(t.pins, pin)
	}
	if err := t.read(); err != nil {
		return nil, err
	}
	return t, nil
}

// parsePin reads a digest as openssl, curl and browsers write it.
func parsePin(text string) (pin [sha256.Size]byte, ok bool) {
	text = strings.TrimSpace(text)
	if rest, ok := strings.CutPrefix(text, "sha256//"); ok {
		text = rest
	} else if i := strings.LastIndexAny(text, "= "); i >= 0 && i < len(text)-1 { // openssl: sha256 Fingerprint=AB:CD
		text = text[i+1:]
	} else if rest, ok := strings.CutPrefix(strings.ToLower(text), "sha256:"); ok {
		text = text[len(text)-len(rest):]
	}
	if b, err := hex.DecodeString(strings.ReplaceAll(text, ":", "")); err == nil && len(b) == len(pin) {
		return [sha256.Size]byte(b), true
	}
	if b, err := base64.StdEncoding.DecodeString(text); err == nil && len(b) == len(pin) {
		return [sha256.Size]byte(b), true
	}
	return pin, false
}

// read reads the files anew. t.mu is held, or nobody else knows t.
func (t *TLS) read() error {
	var files [3]os.FileInfo
	for i, name := range []string{t.keys.CA, t.keys.Cert, t.keys.Key} {
		if name == "" {
			continue
		}
		var err error
		if files[i], err = os.Stat(name); err != nil {
			return fmt.Errorf("tls.%s: cannot read: %w", fileKeys[i], err)
		}
		if !files[i].Mode().IsRegular() || files[i].Size() > maxPEM {
			return fmt.Errorf("tls.%s: %s is no file of certificates", fileKeys[i], name)
		}
	}
	if t.keys.CA != "" {
		text, err := os.ReadFile(t.keys.CA)
		if err != nil {
			return fmt.Errorf("tls.ca: cannot read: %w", err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(text) {
			return fmt.Errorf("tls.ca: no certificate in %s, which has to be PEM", t.keys.CA)
		}
		t.roots = roots
	}
	if t.keys.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.keys.Cert, t.keys.Key)
		if err != nil {
			return fmt.Errorf("tls.cert, tls.key: cannot use %s with %s: %w", t.keys.Cert, t.keys.Key, err)
		}
		t.client = &pair
	}
	t.files = files
	t.version++
	return nil
}

var fileKeys = [3]string{"ca", "cert", "key"}

// current reads what has changed and gives what is to be used.
func (t *TLS) current() (roots *x509.CertPool, client *tls.Certificate, version uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.changed() {
		if err := t.read(); err != nil {
			t.log.Warn("cannot use the changed certificates, the old ones stay in use", "error", err)
		} else {
			t.log.Info("certificates were read again")
		}
	}
	return t.roots, t.client, t.version
}

// changed says whether a file is another than the one that was read. t.mu is
// held.
func (t *TLS) changed() bool {
	for i, name := range []string{t.keys.CA, t.keys.Cert, t.keys.Key} {
		if name == "" {
			continue
		}
		now, err := os.Stat(name)
		if err != nil {
			continue // about to be replaced
		}
		if was := t.files[i]; was == nil || !os.SameFile(was, now) || !was.ModTime().Equal(now.ModTime()) || was.Size() != now.Size() {
			return true
		}
	}
	return false
}

// changedSince says whether there are other certificates than those of a
// connection.
func (t *TLS) changedSince(loaded uint64) bool {
	_, _, version := t.current()
	return version != loaded
}

// Config makes the configuration for one connection to host.
func (t *TLS) Config(host string) *tls.Config {
	c, _ := t.config(host)
	return c
}

func (t *TLS) config(host string) (*tls.Config, uint64) {
	roots, client, version := t.current()
	name := t.keys.ServerName
	if name == "" {
		name = strings.TrimSuffix(host, ".")
	}
	c := &tls.Config{MinVersion: max(t.min, tls.VersionTLS12), RootCAs: roots, ServerName: name, Time: t.now}
	if client != nil {
		// Not Certificates: there a certificate whose authority the receiver does
		// not list is left out, and the receiver's error would speak of none.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return client, nil }
	}
	if len(t.pins) > 0 {
		c.InsecureSkipVerify = t.keys.CA == "" // the pin stands for the authority
		c.VerifyConnection = func(s tls.ConnectionState) error { return t.pinned(s.PeerCertificates, name) }
	}
	return c, version
}

// pinned says whether the receiver shows what one of the pins is of. The
// certificate of an authority is public and can be sent along by anybody: it
// counts only if it really has signed for name.
func (t *TLS) pinned(chain []*x509.Certificate, name string) error {
	if len(chain) == 0 {
		return errors.New("the receiver has no certificate")
	}
	now := time.Now()
	if t.now != nil {
		now = t.now()
	}
	leaf := chain[0]
	if t.isPinned(leaf) {
		if now.After(leaf.NotAfter) || now.Before(leaf.NotBefore) {
			return x509.CertificateInvalidError{Cert: leaf, Reason: x509.Expired}
		}
		return nil
	}
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	for _, c := range chain[1:] {
		if !c.IsCA || !t.isPinned(c) {
			continue
		}
		root := x509.NewCertPool()
		root.AddCert(c)
		_, err := leaf.Verify(x509.VerifyOptions{Roots: root, Intermediates: between, DNSName: name, CurrentTime: now})
		return err
	}
	return &pinError{sha256.Sum256(leaf.RawSubjectPublicKeyInfo)}
}

func (t *TLS) isPinned(c *x509.Certificate) bool {
	return slices.Contains(t.pins, sha256.Sum256(c.Raw)) || slices.Contains(t.pins, sha256.Sum256(c.RawSubjectPublicKeyInfo))
}

// settleTime bounds how long a new connection is watched for the receiver's
// refusal of the client certificate.
const settleTime = time.Second

// handshake makes a connection to address a TLS connection, or closes it.
func (t *TLS) handshake(ctx context.Context, conn net.Conn, address string, to *target) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		conn.Close()
		return nil, err
	}
	config, version := t.config(host)
	secure := tls.Client(conn, config)
	start := time.Now()
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("TLS to %s: %w", to.name, t.explain(ctx, err, config.ServerName))
	}
	to.loaded = version
	// In TLS 1.3 the client is done before the receiver has seen its certificate
	// (RFC 8446 2): the refusal comes when records are already on their way.
	if t.client != nil && secure.ConnectionState().Version == tls.VersionTLS13 {
		to.settle = min(max(2*time.Since(start), 50*time.Millisecond), settleTime)
	}
	return secure, nil
}

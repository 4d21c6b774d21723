package remote

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"strings"
	"time"
)

// pinError is of a certificate that no pin is of.
type pinError struct{ key [32]byte }

func (e *pinError) Error() string {
	return "its certificate matches none of tls.pin; that of its public key would be " + hex.EncodeToString(e.key[:]) +
		": it was renewed, or somebody stands between"
}

// handshakeError is why a handshake failed, with what to do about it.
type handshakeError struct {
	text   string
	err    error
	client bool // the receiver does not take our certificate
}

func (e *handshakeError) Error() string { return e.text }
func (e *handshakeError) Unwrap() error { return e.err }

// Handshake tells such an error from others for those who do not know its type.
func (e *handshakeError) Handshake() bool { return true }

// Credentials says whether other credentials might help.
func (e *handshakeError) Credentials() bool { return e.client }

// explain says what an error of a handshake with name means, and what to do.
func (t *TLS) explain(ctx context.Context, err error, name string) error {
	text, client := err.Error(), false
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var header tls.RecordHeaderError
	alert, isAlert := alertOf(err)
	switch {
	case errors.As(err, &unknown):
		text = "its certificate comes from an authority that is not trusted" + issuer(unknown.Cert) + ": set tls.ca to the PEM file of that authority"
	case errors.As(err, &host):
		text = fmt.Sprintf("its certificate is for %s, not for %s: use that name in the address, or set tls.server_name", namesOf(host.Certificate), name)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		text = t.outdated("its certificate", invalid.Cert)
	case errors.As(err, &header):
		text = "it does not speak TLS on this port"
	case isAlert:
		text, client = t.refused(alert)
	case timeout(err):
		// A receiver of lines waits for the end of the first one, and says nothing.
		if err = plain(ctx, err); err == errNoAnswer {
			err = &worded{errNoAnswer.Error() + " in the handshake: it may not speak TLS on this port", errNoAnswer}
		}
		return err
	case errors.Is(err, io.EOF), isReset(err):
		text = "it closed the connection in the handshake: it may not speak TLS on this port, or want a client certificate (tls.cert)"
	}
	return &handshakeError{text, err, client}
}

// Alerts that have a cause worth naming (RFC 8446 6.2).
const (
	alertHandshake    = 40
	alertBad          = 42
	alertUnsupported  = 43
	alertRevoked      = 44
	alertExpired      = 45
	alertUnknown      = 46
	alertUnknownCA    = 48
	alertAccessDenied = 49
	alertVersion      = 70
	alertName         = 112
	alertRequired     = 116
)

// alertOf gives the alert that the receiver sent. crypto/tls has a type of its
// own for it, which says the same as the one that it exports.
func alertOf(err error) (tls.AlertError, bool) {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" || op.Err == nil {
		return 0, false
	}
	for n := range tls.AlertError(math.MaxUint8) {
		if n.Error() == op.Err.Error() {
			return n, true
		}
	}
	return 0, false
}

// refused says why the receiver ended the handshake, and whether it does not
// take our certificate.
func (t *TLS) refused(alert tls.AlertError) (text string, certificate bool) {
	t.mu.Lock()
	client := t.client
	t.mu.Unlock()
	text = "it ended the handshake: " + strings.TrimPrefix(alert.Error(), "tls: ")
	switch uint8(alert) {
	case alertRequired:
		return text + ": it wants a client certificate, set tls.cert and tls.key", false
	case alertBad, alertUnsupported, alertRevoked, alertExpired, alertUnknown, alertUnknownCA, alertAccessDenied, alertHandshake:
		switch {
		case client == nil:
			return text + ": it may want a client certificate (tls.cert)", false
		case client.Leaf != nil && t.clock().After(client.Leaf.NotAfter):
			return text + ": " + t.outdated("the client certificate (tls.cert)", client.Leaf), true
		}
		return text + ": it does not take the client certificate (tls.cert)", true
	case alertVersion:
		return text + ": it knows no version of TLS from tls.min_version on", false
	case alertName:
		return text + ": it does not know the name that it was asked for, see tls.server_name", false
	}
	return text, false
}

func (t *TLS) clock() time.Time {
	if t.now != nil {
		return t.now()
	}
	return time.Now()
}

// outdated says why the time is not right for a certificate.
func (t *TLS) outdated(what string, c *x509.Certificate) string {
	if c != nil && t.clock().Before(c.NotBefore) {
		return what + " is not valid before " + c.NotBefore.UTC().Format(time.RFC3339) + ": compare the clocks"
	}
	if c == nil {
		return what + " has expired: it has to be renewed"
	}
	return what + " expired on " + c.NotAfter.UTC().Format(time.RFC3339) + ": it has to be renewed"
}

func issuer(c *x509.Certificate) string {
	if c == nil {
		return ""
	}
	return " (" + shown(c.Issuer.String()) + ")"
}

// namesOf lists the names of a certificate, which is the receiver's word and may
// be anything.
func namesOf(c *x509.Certificate) string {
	if c == nil {
		return "another name"
	}
	list := c.DNSNames
	for _, a := range c.IPAddresses {
		list = append(list, a.String())
	}
	if len(list) == 0 {
		return "no name at all"
	}
	more := ""
	if len(list) > 5 {
		list, more = list[:5], " ..."
	}
	return shown(strings.Join(list, ", ")) + more
}

// shown makes text from outside fit for a log.
func shown(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7F || r >= 0x80 && r < 0xA0 || r == 0xFFFD {
			return '?'
		}
		return r
	}, text)
	if len(text) > 200 {
		text = strings.ToValidUTF8(text[:200], "") + " ..."
	}
	return text
}

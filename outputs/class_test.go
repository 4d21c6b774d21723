package outputs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"testing"
)

// shaken is an error as a package below has them.
type shaken struct{ client bool }

func (s shaken) Error() string     { return "it ended the handshake" }
func (s shaken) Handshake() bool   { return true }
func (s shaken) Credentials() bool { return s.client }

// stranger is another one.
type stranger struct{}

func (stranger) Error() string  { return "it says too much" }
func (stranger) Protocol() bool { return true }

func TestClassOf(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", errors.New("connection refused"))}
	for _, c := range []struct {
		err  error
		want Class
	}{
		{errors.New("x"), Other},
		{context.Canceled, Other},
		{ErrCredentials, Auth},
		{Mark(errors.New("a right is missing"), ErrDenied), Auth},
		{shaken{true}, Auth},
		{shaken{false}, TLS},
		{tls.RecordHeaderError{Msg: "no TLS"}, TLS},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, TLS},
		{tls.AlertError(40), TLS},
		{&net.DNSError{Err: "no such host", Name: "siem.example", IsNotFound: true}, Resolve},
		{&net.DNSError{Err: "no answer", Name: "siem.example", IsTimeout: true}, Resolve},
		{refused, Connect},
		{refused.Err, Connect},
		{io.EOF, Connect},
		{io.ErrUnexpectedEOF, Connect},
		{net.ErrClosed, Connect},
		{context.DeadlineExceeded, Timeout},
		{os.ErrDeadlineExceeded, Timeout},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, Timeout},
		{Mark(errors.New("429"), ErrThrottled), Throttled},
		{Mark(errors.New("503"), ErrUnavailable), Unavailable},
		{Mark(errors.New("400"), ErrRefused), Refused},
		{fmt.Errorf("it failed: %w", ErrBatch), Refused},
		{Mark(io.EOF, ErrProtocol), Protocol},
		{stranger{}, Protocol},
		{&fs.PathError{Op: "write", Path: "/x", Err: errors.New("no space left on device")}, Disk},
		{&os.LinkError{Op: "rename", Old: "a", New: "b", Err: errors.New("x")}, Disk},
		{io.ErrShortWrite, Disk},
	} {
		for _, err := range []error{c.err, fmt.Errorf("cannot deliver to siem.example: %w", c.err), errors.Join(errors.New("one"), c.err)} {
			if got := ClassOf(err); got != c.want {
				t.Errorf("%v: %v, want %v", err, got, c.want)
			}
		}
	}
	seen := map[string]bool{}
	for c := range NumClasses {
		if name := c.String(); name == "" || seen[name] {
			t.Errorf("class %d has the name %q", c, name)
		} else {
			seen[name] = true
		}
	}
	if NumClasses.String() != "other" || Mark(nil, ErrDenied) != nil {
		t.Error("what is none has a name, or an error")
	}
	if err := Mark(io.EOF, ErrProtocol); err.Error() != "EOF" || !errors.Is(err, io.EOF) || !errors.Is(err, ErrProtocol) {
		t.Errorf("%v", err)
	}
}

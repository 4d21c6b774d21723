package outputs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
)

// Class is what kind of failure an attempt ended with. There is a bounded number
// of them: they are labels of a metric.
type Class uint8

// The classes.
const (
	Other       Class = iota
	Auth              // the receiver does not accept the credentials, or they lack a right
	Resolve           // a name could not be found
	Connect           // no connection could be made, or it was lost
	TLS               // the handshake failed
	Timeout           // no answer, or no progress, in time
	Throttled         // the receiver asks for less
	Unavailable       // the receiver cannot take events at present
	Refused           // the receiver takes the request for wrong
	Protocol          // what answers does not speak the protocol
	Disk              // a file of this host
	NumClasses        // how many there are
)

var classNames = [NumClasses]string{"other", "auth", "resolve", "connect", "tls", "timeout", "throttled", "unavailable", "rejected", "protocol", "disk"}

// String names the class as metrics do.
func (c Class) String() string {
	if c < NumClasses {
		return classNames[c]
	}
	return classNames[Other]
}

// Errors with which an output says what kind of failure it met, where the chain
// of errors does not say it by itself. Mark puts them there.
var (
	// ErrCredentials: who we say we are is not accepted. The output may be made
	// anew with credentials read again: see Settings.Remake.
	ErrCredentials = errors.New("the credentials are not accepted")
	ErrDenied      = errors.New("access denied") // a right is missing
	ErrThrottled   = errors.New("the receiver asks for less")
	ErrUnavailable = errors.New("the receiver cannot take events at present")
	ErrRefused     = errors.New("the receiver refuses the request")
	ErrProtocol    = errors.New("the receiver does not speak the protocol")
)

// Mark puts an error that says what kind err is of, such as one of the above,
// into its chain, without a word of it in the text.
func Mark(err, as error) error {
	if err == nil {
		return nil
	}
	return &marked{err, as}
}

type marked struct{ err, as error }

func (m *marked) Error() string   { return m.err.Error() }
func (m *marked) Unwrap() []error { return []error{m.as, m.err} }

// Packages below this one, which cannot know its errors, say by a method what
// theirs are.
type (
	handshake   interface{ Handshake() bool }   // one of TLS failed
	credentials interface{ Credentials() bool } // ours are at fault
	protocol    interface{ Protocol() bool }    // the receiver speaks another one
	unconnected interface{ Unconnected() bool } // a proxy connects to no receiver
)

// wantsCredentials says whether other credentials might help.
func wantsCredentials(err error) bool {
	var c credentials
	return errors.Is(err, ErrCredentials) || errors.As(err, &c) && c.Credentials()
}

// ClassOf says what kind of failure an error is.
func ClassOf(err error) Class {
	var (
		shake   handshake
		speech  protocol
		apart   unconnected
		name    *net.DNSError
		network net.Error
		op      *net.OpError
		call    *os.SyscallError // of a socket whose net.OpError was taken off: files have a PathError
		file    *fs.PathError
		link    *os.LinkError
		verify  *tls.CertificateVerificationError
		record  tls.RecordHeaderError
		alert   tls.AlertError
		unknown x509.UnknownAuthorityError
	)
	switch {
	case wantsCredentials(err), errors.Is(err, ErrDenied):
		return Auth
	case errors.Is(err, ErrThrottled):
		return Throttled
	case errors.Is(err, ErrUnavailable):
		return Unavailable
	case errors.Is(err, ErrRefused), errors.Is(err, ErrBatch):
		return Refused
	case errors.Is(err, ErrProtocol), errors.As(err, &speech) && speech.Protocol():
		return Protocol
	case errors.As(err, &name):
		return Resolve
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return Timeout
	case errors.As(err, &shake) && shake.Handshake(), errors.As(err, &verify), errors.As(err, &record), errors.As(err, &alert), errors.As(err, &unknown):
		return TLS
	case errors.As(err, &apart) && apart.Unconnected(), errors.As(err, &op), errors.As(err, &call), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return Connect
	case errors.As(err, &file), errors.As(err, &link), errors.Is(err, io.ErrShortWrite):
		return Disk
	}
	return Other
}

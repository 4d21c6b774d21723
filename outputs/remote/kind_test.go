package remote

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"trailhound/outputs"
)

// Whoever counts failures can tell what kind one is of, from any error of this
// package.
func TestKindsOfErrors(t *testing.T) {
	dir := t.TempDir()
	ca, other := authority(t, "ours"), authority(t, "other")
	caFile, _ := ca.save(t, dir, "ca")
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	have := server(t, ca)
	strict := func(version uint16) string {
		return listen(t, "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{have.tls}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool,
			MaxVersion: version}).Addr().String()
	}
	client := TLSKeys{CA: caFile}
	client.Cert, client.Key = issue(t, other, func(*x509.Certificate) {}).save(t, dir, "client")
	deaf, err := net.Listen("tcp", "127.0.0.1:0") // takes a connection into its queue and never says anything
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	wants := relay(t, func(r *bufio.Reader, w io.Writer) (string, bool) {
		http.ReadRequest(r)
		fmt.Fprint(w, "HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")
		return "", false
	})
	apart := relay(t, func(r *bufio.Reader, w io.Writer) (string, bool) {
		http.ReadRequest(r)
		fmt.Fprint(w, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
		return "", false
	})
	for _, c := range []struct {
		name string
		opt  Options
		want outputs.Class
	}{
		{"a closed port", Options{Addresses: []string{"127.0.0.1:1"}}, outputs.Connect},
		{"one of two", Options{Addresses: []string{"127.0.0.1:1", "127.0.0.2:1"}}, outputs.Connect},
		{"an authority that is not known", Options{Addresses: []string{strict(0)}, TLS: secure(t, TLSKeys{})}, outputs.TLS},
		{"a pin of another", Options{Addresses: []string{strict(0)}, TLS: secure(t, TLSKeys{Pin: []string{digest(ca.cert.Raw)}})}, outputs.TLS},
		{"no client certificate", Options{Addresses: []string{strict(tls.VersionTLS12)}, TLS: secure(t, TLSKeys{CA: caFile})}, outputs.TLS},
		{"another client certificate, 1.2", Options{Addresses: []string{strict(tls.VersionTLS12)}, TLS: secure(t, client)}, outputs.Auth},
		{"another client certificate, 1.3", Options{Addresses: []string{strict(tls.VersionTLS13)}, TLS: secure(t, client)}, outputs.Auth},
		{"a handshake without an answer", Options{Addresses: []string{deaf.Addr().String()}, TLS: secure(t, TLSKeys{}), ConnectTimeout: 50 * time.Millisecond}, outputs.Timeout},
		{"a proxy that wants a password", Options{Addresses: []string{"siem.example:514"}, Proxy: Secret("http://" + wants)}, outputs.Auth},
		{"a proxy that cannot reach the receiver", Options{Addresses: []string{"siem.example:514"}, Proxy: Secret("http://" + apart)}, outputs.Connect},
	} {
		_, err := open(t, c.opt).Conn(t.Context())
		if got := outputs.ClassOf(err); err == nil || got != c.want {
			t.Errorf("%s: %v, want %v: %v", c.name, got, c.want, err)
		}
		if want := "no answer in time in the handshake: it may not speak TLS on this port"; c.want == outputs.Timeout && !strings.HasSuffix(fmt.Sprint(err), want) {
			t.Errorf("%s: %v does not say %q", c.name, err, want)
		}
	}
	name := &net.DNSError{Err: "i/o timeout", Name: "siem.example", IsTimeout: true}
	for err, want := range map[error]outputs.Class{errNoAnswer: outputs.Timeout, errStalled: outputs.Timeout, errEnded: outputs.Connect,
		plain(context.Background(), name): outputs.Resolve, plain(context.Background(), &net.DNSError{IsNotFound: true}): outputs.Resolve} {
		if got := outputs.ClassOf(fmt.Errorf("siem.example: %w", err)); got != want {
			t.Errorf("%v: %v, want %v", err, got, want)
		}
	}
	if err := plain(context.Background(), name); err.Error() != "no answer in time" || !errors.As(err, new(*net.DNSError)) {
		t.Errorf("%v", err)
	}
}

package logstash

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"

	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
)

var identity = &event.Identity{Name: "edge-1", ID: "5c1f", Hostname: "edge-host", Version: "1.0.0", Labels: map[string]string{"site": "berlin"}}

// numbered makes events that can be told apart by id, sequence and trail.
func numbered(from, n int) []event.Event {
	batch := make([]event.Event, n)
	for i := range batch {
		k := from + i
		e := event.Event{Seq: uint64(k), Epoch: 7, Time: time.Unix(1771234567, 4200000).UTC(), Type: event.DNS, Code: event.TrailDNS,
			Severity: event.High, Trail: fmt.Sprintf("n%d.bad.test \"\\\n\U0001D11E", k), Observable: "x", Info: "lumma (malware)", Reference: "(static)",
			Src: netip.MustParseAddr("192.0.2.10"), SrcPort: 51514, Dst: netip.MustParseAddr("2001:db8::1"), DstPort: 53, Protocol: "UDP"}
		binary.BigEndian.PutUint64(e.ID[:], uint64(k))
		batch[i] = e
	}
	return batch
}

// number gives the number of a document, by two fields that must agree.
func number(t testing.TB, doc any) int {
	t.Helper()
	m, _ := doc.(map[string]any)
	e, _ := m["event"].(map[string]any)
	own, _ := m["trailhound"].(map[string]any)
	n, ok := e["sequence"].(float64)
	if !ok || m["@version"] != "1" || own["trail"] != fmt.Sprintf("n%d.bad.test \"\\\n\U0001D11E", int(n)) {
		t.Errorf("not an event as it was sent: %v", doc)
		return -1
	}
	return int(n)
}

func newOutput(t testing.TB, k Keys, dial func(*Env)) *Output {
	t.Helper()
	env := Env{Identity: identity, Log: slog.New(slog.DiscardHandler)}
	if dial != nil {
		dial(&env)
	}
	o, err := New(k, env)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

// scripted accepts connections and gives the n-th to the n-th script, those
// beyond to the last one. A connection is closed when its script ends.
func scripted(t testing.TB, scripts ...func(c *peer)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			script := scripts[min(i, len(scripts)-1)]
			go func() {
				defer c.Close()
				script(newPeer(c))
			}()
		}
	}()
	return l.Addr().String()
}

// peer is the receiver's side of a connection, written from the protocol's
// description and not from the client.
type peer struct {
	net.Conn
	in *bufio.Reader
}

// window reads one window and gives its documents.
func (p *peer) window() (docs []map[string]any, err error) {
	var head [6]byte
	if _, err := io.ReadFull(p.in, head[:]); err != nil {
		return nil, err
	}
	if string(head[:2]) != "2W" {
		return nil, fmt.Errorf("a window begins with %q", head[:2])
	}
	return frames(p.in, int(binary.BigEndian.Uint32(head[2:])), nil)
}

func frames(in io.Reader, count int, docs []map[string]any) ([]map[string]any, error) {
	for len(docs) < count {
		var kind [6]byte
		if _, err := io.ReadFull(in, kind[:]); err != nil {
			return nil, err
		}
		n := binary.BigEndian.Uint32(kind[2:])
		switch string(kind[:2]) {
		case "2C":
			packed := make([]byte, n)
			if _, err := io.ReadFull(in, packed); err != nil {
				return nil, err
			}
			z, err := zlib.NewReader(bytes.NewReader(packed))
			if err != nil {
				return nil, err
			}
			if docs, err = frames(z, count, docs); err != nil {
				return nil, err
			}
			if rest, err := io.ReadAll(z); err != nil || len(rest) > 0 {
				return nil, fmt.Errorf("%d bytes behind the last event, %v", len(rest), err)
			}
		case "2J":
			if int(n) != len(docs)+1 {
				return nil, fmt.Errorf("sequence %d is given to event %d", n, len(docs)+1)
			}
			var length [4]byte
			if _, err := io.ReadFull(in, length[:]); err != nil {
				return nil, err
			}
			text := make([]byte, binary.BigEndian.Uint32(length[:]))
			if _, err := io.ReadFull(in, text); err != nil {
				return nil, err
			}
			var doc map[string]any
			if err := json.Unmarshal(text, &doc); err != nil {
				return nil, err
			}
			docs = append(docs, doc)
		default:
			return nil, fmt.Errorf("unknown frame %q", kind[:2])
		}
	}
	return docs, nil
}

func ack(n uint32) []byte { return binary.BigEndian.AppendUint32([]byte("2A"), n) }

// certificates makes a certificate for the loopback address that is its own
// authority, and a file with it.
func certificates(t testing.TB) (server *tls.Config, file string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"logstash.test"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, file
}

// closedPort is a loopback address that nobody listens on.
func closedPort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func mustFail(t testing.TB, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error is %v, want one with %q", err, want)
	}
}

func newPeer(c net.Conn) *peer { return &peer{c, bufio.NewReader(c)} }

func tlsListen(config *tls.Config) (net.Listener, error) {
	return tls.Listen("tcp", "127.0.0.1:0", config)
}

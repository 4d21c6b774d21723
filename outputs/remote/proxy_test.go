package remote

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// relay is a proxy: shake reads whom a client wants, and answers.
func relay(t *testing.T, shake func(r *bufio.Reader, w io.Writer) (address string, ok bool)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				r := bufio.NewReader(c)
				address, ok := shake(r, c)
				if !ok {
					return
				}
				to, err := net.Dial("tcp", address)
				if err != nil {
					return
				}
				defer to.Close()
				go io.Copy(c, to)
				io.Copy(to, r)
			}()
		}
	}()
	return l.Addr().String()
}

func TestHTTPProxy(t *testing.T) {
	l := listen(t, "127.0.0.1:0", nil)
	const authorized = "Basic dXNlcjpodW50ZXIy" // user:hunter2
	address := relay(t, func(r *bufio.Reader, w io.Writer) (string, bool) {
		q, err := http.ReadRequest(r)
		if err != nil || q.Method != http.MethodConnect {
			return "", false
		}
		switch q.Header.Get("Proxy-Authorization") {
		case authorized:
			fmt.Fprint(w, "HTTP/1.1 200 Connection established\r\n\r\n")
			// It looks the name up.
			return strings.Replace(q.Host, "siem.example", "127.0.0.1", 1), true
		case "":
			fmt.Fprint(w, "HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")
		default:
			io.Copy(w, endless{})
		}
		return "", false
	})
	_, port, _ := net.SplitHostPort(l.Addr().String())
	to := []string{"siem.example:" + port}
	r := open(t, Options{Addresses: to, Proxy: Secret("http://user:hunter2@" + address)})
	write(t, connect(t, r), "through\n")
	if got := l.line(t); got != "through" {
		t.Errorf("got %q", got)
	}
	for user, want := range map[string]string{"": "407", "user:hunter3@": "cannot be read"} {
		_, err := open(t, Options{Addresses: to, Proxy: Secret("http://" + user + address)}).Conn(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter") || !strings.Contains(err.Error(), address) {
			t.Errorf("%q: %v", user, err)
		}
	}
}

func TestSOCKSProxy(t *testing.T) {
	l := listen(t, "127.0.0.1:0", nil)
	address := relay(t, func(r *bufio.Reader, w io.Writer) (string, bool) {
		b := make([]byte, 260)
		if _, err := io.ReadFull(r, b[:2]); err != nil || b[0] != 5 {
			return "", false
		}
		io.ReadFull(r, b[:b[1]])
		w.Write([]byte{5, 0})
		if _, err := io.ReadFull(r, b[:5]); err != nil || b[1] != 1 || b[3] != 3 { // a name
			return "", false
		}
		n := int(b[4])
		io.ReadFull(r, b[:n+2])
		w.Write([]byte{5, 0, 0, 1, 127, 0, 0, 1, 0, 1})
		return fmt.Sprintf("127.0.0.1:%d", binary.BigEndian.Uint16(b[n:])), string(b[:n]) == "siem.example"
	})
	_, port, _ := net.SplitHostPort(l.Addr().String())
	r := open(t, Options{Addresses: []string{"siem.example:" + port}, Proxy: Secret("socks5://" + address)})
	c := connect(t, r)
	write(t, c, "through\n")
	if got := l.line(t); got != "through" {
		t.Errorf("got %q", got)
	}
	// The socket underneath can still be asked.
	if _, ok := unacknowledged(c.raw); !ok {
		t.Error("what kind of connection it is is hidden")
	}
}

func TestSecret(t *testing.T) {
	s := Secret("hunter2")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T %v"} {
		if text := fmt.Sprintf(verb, s); strings.Contains(text, "hunter") || strings.Contains(text, "68756e746572") {
			t.Errorf("%s prints %s", verb, text)
		}
		if text := fmt.Sprintf(verb, struct{ S Secret }{s}); strings.Contains(text, "hunter") || strings.Contains(text, "68756e") {
			t.Errorf("%s of a struct prints %s", verb, text)
		}
	}
}

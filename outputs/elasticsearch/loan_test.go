package elasticsearch

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"testing/synctest"

	"trailhound/outputs"
)

// reads is a transport that answers at once and reads the request when it is told.
type reads chan struct{}

func (read reads) RoundTrip(r *http.Request) (*http.Response, error) {
	go func() {
		<-read
		io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}()
	return &http.Response{StatusCode: http.StatusServiceUnavailable, Body: http.NoBody, Request: r}, nil
}

// Send is not over before nothing reads its request any more.
func TestRequestIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOutput(t, Keys{Addresses: []string{"http://192.0.2.1:9200"}, Flavor: "elasticsearch"})
		read, sent := make(reads), make(chan struct{})
		o.loans.to = read
		go func() {
			defer close(sent)
			if _, err := o.Send(t.Context(), batchOf(10)); err == nil {
				t.Error("a refused request is no error")
			}
		}()
		synctest.Wait()
		select {
		case <-sent:
			t.Error("Send has returned")
		default:
		}
		close(read)
		<-sent
	})
}

// A node that answers before it has read the request, and reads on while the next
// one is under way, reads the events of the first one.
func TestEarlyAnswer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	rest := make(chan []byte)
	go func() {
		defer close(rest)
		first, err := l.Accept()
		if err != nil {
			return
		}
		defer first.Close()
		first.(*net.TCPConn).SetReadBuffer(16 << 10)
		r, err := http.ReadRequest(bufio.NewReader(first))
		if err != nil {
			t.Error(err)
			return
		}
		io.WriteString(first, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}")
		second, err := l.Accept()
		if err != nil {
			return
		}
		defer second.Close()
		next, err := http.ReadRequest(bufio.NewReader(second))
		if err != nil {
			t.Error(err)
			return
		}
		text, _ := io.ReadAll(r.Body) // up to where the connection was closed
		rest <- text
		io.Copy(io.Discard, next.Body)
		io.WriteString(second, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
	}()
	// The sockets hold little, so that most of the request is not out by then.
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		if err == nil {
			c.(*net.TCPConn).SetWriteBuffer(16 << 10)
		}
		return c, err
	}
	o, err := New(Keys{Addresses: []string{"http://" + l.Addr().String()}, Flavor: "elasticsearch"}, Env{Identity: identity(), Log: slog.New(slog.DiscardHandler), Dial: dial})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	batch := batchOf(600)
	o.body.fill(batch[:500], o.limit)
	want := bytes.Clone(o.body.text)
	got := make(chan []byte, 1)
	go func() { got <- <-rest }()
	for _, part := range [][2]int{{0, 500}, {100, 600}} {
		if r, err := o.Send(t.Context(), batch[part[0]:part[1]]); err == nil || r.Outcomes[0] != outputs.Retry {
			t.Error(err)
		}
	}
	if text := <-got; !bytes.HasPrefix(want, text) {
		t.Errorf("the %d bytes that came of a request of %d are not its own", len(text), len(want))
	}
}

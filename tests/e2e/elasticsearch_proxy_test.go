package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A gateway stands in front of a node and speaks HTTP. It counts bulk requests
// and what the node said of their events.
type gateway struct {
	*httptest.Server
	node http.Handler

	// fault may answer a bulk request, the first one is 1, in place of the node;
	// false: it did not.
	fault func(n int, w http.ResponseWriter, r *http.Request) bool

	bulks     atomic.Int32
	conflicts atomic.Int64 // events that the node had already
}

func newGateway(t testing.TB, n *searchNode, fault func(n int, w http.ResponseWriter, r *http.Request) bool) *gateway {
	t.Helper()
	target, err := url.Parse(n.URL)
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{fault: fault}
	behind := httputil.NewSingleHostReverseProxy(target)
	behind.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err error) { w.WriteHeader(http.StatusBadGateway) }
	behind.ModifyResponse = func(answer *http.Response) error {
		if !strings.HasSuffix(answer.Request.URL.Path, "/_bulk") {
			return nil
		}
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			return err
		}
		g.conflicts.Add(int64(bytes.Count(text, []byte(`"status":409`))))
		answer.Body = io.NopCloser(bytes.NewReader(text))
		return nil
	}
	g.node = behind
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/_bulk") && g.fault != nil && g.fault(int(g.bulks.Add(1)), w, r) {
			return
		}
		g.node.ServeHTTP(w, r)
	}))
	t.Cleanup(g.Close)
	t.Cleanup(g.CloseClientConnections) // comes before Close, which waits for them
	return g
}

// store gives a request to the node, and nobody its answer.
func (g *gateway) store(t *testing.T, r *http.Request) {
	answer := httptest.NewRecorder()
	g.node.ServeHTTP(answer, r)
	if answer.Code != http.StatusOK {
		t.Errorf("the node answers %d: %s", answer.Code, answer.Body)
	}
}

// eventsOf reads the ids of the events in a bulk request, which can be read again.
func eventsOf(t *testing.T, r *http.Request) (ids []string) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	for i, line := range bytes.Split(bytes.TrimSpace(body), []byte{'\n'}) {
		if i%2 == 1 {
			continue
		}
		var action struct {
			Create struct {
				ID string `json:"_id"`
			}
		}
		if err := json.Unmarshal(line, &action); err != nil || action.Create.ID == "" {
			t.Errorf("%v: %s", err, line)
		}
		ids = append(ids, action.Create.ID)
	}
	return ids
}

// raw takes the connection of a request over.
func raw(t *testing.T, w http.ResponseWriter) *net.TCPConn {
	c, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		t.Error(err)
		panic(http.ErrAbortHandler)
	}
	c.SetDeadline(time.Time{})
	return c.(*net.TCPConn)
}

// reset closes a connection so that its other side is told of an error.
func reset(c *net.TCPConn) {
	c.SetLinger(0)
	c.Close()
}

// A cable stands in front of a node and knows only connections and bytes.
type cable struct {
	t       testing.TB
	target  string
	address string
	// cut says where connection n, the first one is 1, is cut.
	cut func(n int) cut

	mu       sync.Mutex
	listener net.Listener
	n        int
	cuts     int // connections that were cut
	open     map[*net.TCPConn]bool
}

// A cut comes when so many bytes went one way: up is to the node. Negative: no
// cut there. The connection is reset, or stays open and carries no byte more.
type cut struct {
	up, down int64
	silent   bool
}

// whole is a connection that is not cut.
func whole() cut { return cut{up: -1, down: -1} }

func newCable(t testing.TB, n *searchNode, where func(n int) cut) *cable {
	t.Helper()
	c := &cable{t: t, target: strings.TrimPrefix(n.URL, "http://"), cut: where, open: map[*net.TCPConn]bool{}}
	c.plug("127.0.0.1:0")
	t.Cleanup(c.unplug)
	return c
}

// plug begins to listen.
func (c *cable) plug(address string) {
	c.t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		c.t.Fatal(err)
	}
	c.listener, c.address = l, l.Addr().String()
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go c.carry(client.(*net.TCPConn))
		}
	}()
}

// unplug ends the listener and all connections.
func (c *cable) unplug() {
	c.listener.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.open {
		reset(conn)
	}
}

func (c *cable) carry(client *net.TCPConn) {
	server, err := net.Dial("tcp", c.target)
	if err != nil {
		reset(client)
		return
	}
	node := server.(*net.TCPConn)
	c.mu.Lock()
	c.open[client], c.open[node] = true, true
	c.n++
	where := c.cut(c.n)
	c.mu.Unlock()
	way := func(to, from *net.TCPConn, limit int64) {
		if limit < 0 {
			io.Copy(to, from)
		} else if n, _ := io.Copy(to, io.LimitReader(from, limit)); n == limit {
			c.mu.Lock()
			c.cuts++
			c.mu.Unlock()
			if where.silent {
				return // until unplug
			}
		}
		reset(to)
		reset(from)
	}
	go way(node, client, where.up)
	way(client, node, where.down)
}

func (c *cable) wasCut() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cuts
}

package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"trailhound/outputs"
	"trailhound/outputs/elasticsearch"
)

// endless is how long an answer without end gets.
const endless = 1 << 30

// most bounds what is read of an answer and what is allocated for it: of 250
// events it may have 4 MiB, and the sockets hold some.
const most = 64 << 20

// An answer is what comes in place of the node's, as it is written to the
// connection.
type answer struct {
	name string
	head string // empty: that of a good answer without an end
	body string
	more string // again and again up to endless
	why  string // in the error; empty: any
}

// garbage are answers to a request of n events.
func garbage(n int) []answer {
	const ok = "HTTP/1.1 200 OK\r\nX-Elastic-Product: Elasticsearch\r\nContent-Type: application/json\r\n"
	sized := func(n int) string { return ok + fmt.Sprintf("Content-Length: %d\r\n\r\n", n) }
	const half = `{"items":[{"create":{"status":201}},{"create":{"stat`
	created := strings.Repeat(`{"create":{"status":201}},`, n-1) + `{"create":{"status":201}}`
	fewer := `{"items":[` + strings.TrimPrefix(strings.TrimPrefix(created, `{"create":{"status":201}}`), ",") + `]}`
	big := strings.Repeat("x", 64<<10)
	return []answer{
		{name: "HTML", head: sized(40), body: "<html><body>It works!</body></html>     "},
		{name: "nothing", head: sized(0)},
		{name: "no content", head: "HTTP/1.1 204 No Content\r\n\r\n"},
		{name: "a redirection", head: "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/_bulk\r\nContent-Length: 0\r\n\r\n", why: "answers 307"},
		{name: "half of it", head: sized(len(half)), body: half},
		{name: "half of it, then the end", head: sized(9000), body: half},
		{name: "other bytes than it says", head: ok + "Content-Encoding: gzip\r\nContent-Length: 10\r\n\r\n", body: "\x1f\x8b\x08\x00aaaaaa"},
		{name: "an item too few", head: sized(len(fewer)), body: fewer, why: "the answer speaks of"},
		{name: "an item too many", head: sized(len(created) + 38), body: `{"items":[` + created + `,{"create":{"status":201}}]}`, why: "more events"},
		{name: "a status that is none", head: sized(len(created) + 12), body: `{"items":[` + strings.Replace(created, "201", "+20", 1) + `]}`},
		{name: "no HTTP", head: "SSH-2.0-OpenSSH_9.2p1\r\n"},
		{name: "endless text", body: `{"items":[{"create":{"status":201,"_id":"`, more: big},
		{name: "endless items", body: `{"items":[`, more: `{"create":{"status":201}},`},
		{name: "endless space", more: strings.Repeat(" \n", 32<<10)},
		{name: "endless depth", body: `{"x":`, more: strings.Repeat("[", 64<<10)},
		{name: "endless behind a good one", body: `{"items":[` + created + `]}`, more: strings.Repeat(" ", 64<<10)},
		{name: "an endless error", head: "HTTP/1.1 400 Bad Request\r\n\r\n", body: `{"error":{"type":"x","reason":"`, more: big},
		{name: "an endless header", head: ok + "X-Long: ", more: big},
		{name: "endless headers", head: ok, more: strings.Repeat("X-Many: of them\r\n", 4<<10)},
		{name: "endless informational answers", more: strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", 2<<10), head: "HTTP/1.1 100 Continue\r\n\r\n"},
		{name: "endless chunks", head: ok + "Transfer-Encoding: chunked\r\n\r\n", more: strings.Repeat("1;extension=of-the-chunk\r\n \r\n", 2<<10)},
	}
}

// Whatever the other side answers, no event is lost, and neither memory nor time
// goes to it without bound. Every answer comes once to a request that the node
// has, and once to one that it has not.
func testGarbage(t *testing.T, n *searchNode) {
	setUp(t, openElasticsearch(t, elasticsearch.Keys{Addresses: []string{n.URL}}))
	list := garbage(1)
	var g *gateway
	g = newGateway(t, n, func(i int, w http.ResponseWriter, r *http.Request) bool {
		if i -= 3; i < 0 || i >= 2*len(list) {
			return false
		}
		a := garbage(len(eventsOf(t, r)))[i/2]
		if i%2 == 0 {
			g.store(t, r)
		}
		if sent := a.write(raw(t, w)); sent > most {
			t.Errorf("%s: %d bytes of it were taken", a.name, sent)
		}
		return true
	})
	f := newForwarder(t, keysFor(g.URL, "garbage"), outputs.Settings{})
	f.add(faultEvents)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f.start()
	until(t, "the answers are over", func() bool { return int(g.bulks.Load()) > 2+2*len(list) })
	runtime.ReadMemStats(&after)
	f.allArrived(n)
	t.Logf("%d answers, %d MiB allocated, %d attempts failed", 2*len(list), (after.TotalAlloc-before.TotalAlloc)>>20, f.loop.Counts().Errors)
	if got := after.TotalAlloc - before.TotalAlloc; got > 4*most {
		t.Errorf("%d MiB were allocated", got>>20)
	}
	for _, a := range list {
		if a.why != "" {
			f.watched.failed(t, 2, a.why)
		}
	}
	if f.out.Stats().Splits == 0 {
		t.Error("no request was cut in half when it was called bad")
	}
	for e := range f.watched.errors {
		if len(e) > 2000 {
			t.Errorf("an error of %d bytes", len(e))
		}
	}

	// An answer that comes, but byte by byte, ends with the attempt.
	ended := make(chan struct{})
	drip := newGateway(t, n, func(i int, w http.ResponseWriter, r *http.Request) bool {
		if i != 1 {
			return false
		}
		defer close(ended)
		io.Copy(io.Discard, r.Body)
		c := raw(t, w)
		defer reset(c)
		for _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n"); err == nil; _, err = c.Write([]byte{' '}) {
			time.Sleep(time.Millisecond)
		}
		return true
	})
	f = newForwarder(t, keysFor(drip.URL, "drip"), outputs.Settings{Timeout: 2 * time.Second})
	f.add(2 * nodeBatch)
	f.start()
	<-ended
	f.allArrived(n)
	f.watched.failed(t, 1, "deadline exceeded")
}

// write writes the answer until it ends or the other side closes, and says how
// many bytes that were.
func (a *answer) write(c *net.TCPConn) (sent int64) {
	defer c.Close()
	head := a.head
	if head == "" {
		head = "HTTP/1.1 200 OK\r\nX-Elastic-Product: Elasticsearch\r\n\r\n"
	}
	all := io.MultiReader(strings.NewReader(head+a.body), &repeated{text: []byte(a.more)})
	sent, _ = io.CopyBuffer(struct{ io.Writer }{c}, io.LimitReader(all, endless), make([]byte, 64<<10))
	return sent
}

// repeated is a text again and again.
type repeated struct {
	text []byte
	at   int
}

func (r *repeated) Read(p []byte) (n int, err error) {
	if len(r.text) == 0 {
		return 0, io.EOF
	}
	n = copy(p, r.text[r.at:])
	r.at = (r.at + n) % len(r.text)
	return n, nil
}

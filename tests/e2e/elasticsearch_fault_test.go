package e2e

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"trailhound/outputs"
	"trailhound/outputs/dead"
	"trailhound/outputs/elasticsearch"
)

// faultEvents is how many events go past a fault.
const faultEvents = 3000

// faults are tests of one node each.
type faults map[string]func(*testing.T, *searchNode)

// testFaults has the node fail while events are delivered, in every way that it
// can. Each time it works again after a while, and then has every event once.
func testFaults(t *testing.T, n *searchNode, all faults) {
	setUp(t, openElasticsearch(t, elasticsearch.Keys{Addresses: []string{n.URL}}))
	for name, test := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they wait most of the time
			test(t, &searchNode{t, n.Node})
		})
	}
}

// keysFor are those for a test with data streams of its own.
func keysFor(address, namespace string) elasticsearch.Keys {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	return elasticsearch.Keys{Addresses: []string{address}, Namespace: namespace}
}

// A node that refuses requests: for credentials, for want of a right, and because
// it, or what stands in front of it, is not ready.
func testRefused(t *testing.T, n *searchNode) {
	denied := func(status int) string {
		return fmt.Sprintf(`{"error":{"type":"security_exception","reason":"action [indices:data/write/bulk] is unauthorized"},"status":%d}`, status)
	}
	const times = 4 // each of them
	answers := []struct {
		status int
		body   string
	}{
		{http.StatusUnauthorized, denied(401)}, {http.StatusForbidden, denied(403)}, {http.StatusServiceUnavailable, "<html><h1>503</h1></html>"},
		{http.StatusServiceUnavailable, `{"error":{"type":"cluster_block_exception","reason":"blocked by: [SERVICE_UNAVAILABLE/1/state not recovered];"},"status":503}`},
		{http.StatusInternalServerError, ""}, {http.StatusBadGateway, "Bad Gateway"}, {http.StatusGatewayTimeout, ""}, {http.StatusNotFound, "404 page not found"},
	}
	g := newGateway(t, n, func(i int, w http.ResponseWriter, r *http.Request) bool {
		if i -= 3; i < 0 || i/times >= len(answers) { // the first two go through
			return false
		}
		a := answers[i/times]
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		w.WriteHeader(a.status)
		io.WriteString(w, a.body)
		return true
	})
	f := newForwarder(t, keysFor(g.URL, "refused"), outputs.Settings{})
	f.add(faultEvents)
	f.start()
	f.allArrived(n)
	for _, a := range answers {
		f.watched.failed(t, times, fmt.Sprint("answers ", a.status))
	}
	if f.watched.longest != time.Minute {
		t.Errorf("after a refusal for want of a right it asks to wait for %v", f.watched.longest)
	}
	if g.conflicts.Load() != 0 {
		t.Errorf("%d events were sent twice", g.conflicts.Load())
	}
}

// A node that says when to come back is not asked before.
func testLater(t *testing.T, n *searchNode) {
	const wait = time.Second
	var told atomic.Int64 // when, in nanoseconds
	g := newGateway(t, n, func(i int, w http.ResponseWriter, r *http.Request) bool {
		if took := time.Since(time.Unix(0, told.Load())); took < wait {
			t.Errorf("request %d comes %v after one that was told to wait for %v", i, took, wait)
		}
		if i != 3 && i != 5 {
			return false
		}
		told.Store(time.Now().UnixNano())
		w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())))
		w.WriteHeader(map[int]int{3: http.StatusTooManyRequests, 5: http.StatusServiceUnavailable}[i])
		return true
	})
	f := newForwarder(t, keysFor(g.URL, "later"), outputs.Settings{})
	f.waits = true
	f.add(faultEvents)
	f.start()
	f.allArrived(n)
	f.watched.failed(t, 1, "answers 429", "answers 503")
}

// A node that does its work, but answers only when nobody waits any more: what it
// has is sent again, and it says so.
func testSlow(t *testing.T, n *searchNode) {
	var g *gateway
	g = newGateway(t, n, func(i int, w http.ResponseWriter, r *http.Request) bool {
		if i < 3 || i > 5 {
			return false
		}
		g.store(t, r.Clone(t.Context()))
		<-r.Context().Done()
		return true
	})
	f := newForwarder(t, keysFor(g.URL, "slow"), outputs.Settings{Timeout: 2 * time.Second})
	f.add(faultEvents)
	f.start()
	f.allArrived(n)
	f.watched.failed(t, 3, "deadline exceeded")
	// They came three more times: in two attempts of which nobody heard, and in one
	// that was answered. The node may still be busy with one of the former.
	got := f.out.Stats().Duplicates
	if got == 0 {
		t.Error("nothing was there already")
	}
	until(t, "the node speaks of all duplicates", func() bool { return g.conflicts.Load() >= 3*int64(got) })
}

// Connections that are reset in the middle of a request. The node throws away
// what it has of one.
func testCutRequests(t *testing.T, n *searchNode) {
	chance := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	c := newCable(t, n, func(i int) cut {
		if i > 20 {
			return whole()
		}
		return cut{up: chance.Int64N(1_000_000), down: -1} // a request has about 400,000 bytes
	})
	f := newForwarder(t, keysFor(c.address, "cutrequests"), outputs.Settings{})
	f.add(faultEvents)
	f.start()
	f.allArrived(n)
	t.Logf("%d connections, %d cut, %d duplicates", c.n, c.wasCut(), f.out.Stats().Duplicates)
	if c.wasCut() < 10 || len(f.watched.errors) == 0 {
		t.Errorf("%d connections were cut: %v", c.wasCut(), f.watched.errors)
	}
}

// Connections that are reset in the middle of an answer: the node has the events,
// and says so when they come again.
func testCutAnswers(t *testing.T, n *searchNode) {
	chance := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 2))
	c := newCable(t, n, func(i int) cut {
		if i > 20 {
			return whole()
		}
		return cut{up: -1, down: chance.Int64N(30_000)} // an answer has 6,000 bytes, one that speaks of duplicates many more
	})
	f := newForwarder(t, keysFor(c.address, "cutanswers"), outputs.Settings{})
	f.add(faultEvents)
	f.start()
	f.allArrived(n)
	t.Logf("%d connections, %d cut, %d duplicates", c.n, c.wasCut(), f.out.Stats().Duplicates)
	if c.wasCut() < 10 || len(f.watched.errors) == 0 || f.out.Stats().Duplicates == 0 {
		t.Errorf("%d connections were cut, %d duplicates: %v", c.wasCut(), f.out.Stats().Duplicates, f.watched.errors)
	}
}

// Connections that go dead: in the middle of a request, from the start, and
// without an answer to a request that arrived.
func testBlackHole(t *testing.T, n *searchNode) {
	c := newCable(t, n, func(i int) cut {
		switch i {
		case 1:
			return cut{up: 1_000_000, down: -1, silent: true}
		case 2:
			return cut{up: 0, down: -1, silent: true}
		case 3:
			return cut{up: -1, down: 0, silent: true}
		}
		return whole()
	})
	f := newForwarder(t, keysFor(c.address, "blackhole"), outputs.Settings{Timeout: 2 * time.Second})
	f.add(faultEvents)
	f.start()
	f.allArrived(n)
	f.watched.failed(t, 3, "deadline exceeded")
	if c.wasCut() != 3 || f.out.Stats().Duplicates == 0 {
		t.Errorf("%d connections were cut, %d duplicates", c.wasCut(), f.out.Stats().Duplicates)
	}
}

// Of two nodes the first one goes dead, for good: one attempt is lost, then the
// other node has its turn.
func testFailover(t *testing.T, n *searchNode) {
	dead := newCable(t, n, func(int) cut { return cut{up: 1_000_000, down: -1, silent: true} })
	k := keysFor(n.URL, "failover")
	k.Addresses = append([]string{"http://" + dead.address}, k.Addresses...)
	f := newForwarder(t, k, outputs.Settings{Timeout: 2 * time.Second})
	f.add(faultEvents)
	f.start()
	f.allArrived(n)
	f.watched.failed(t, 1, "deadline exceeded")
	if dead.wasCut() != 1 {
		t.Errorf("the dead node was tried %d times", dead.wasCut())
	}
}

// An address that does not even answer when it is connected to.
func testSilent(t *testing.T, n *searchNode) {
	c := newCable(t, n, func(int) cut { return whole() })
	f := newForwarder(t, keysFor(c.address, "silent"), outputs.Settings{Timeout: time.Second})
	f.add(faultEvents / 2)
	f.start()
	f.delivered(nodeBatch)
	c.unplug()
	speak := beSilent(t, c.address)
	f.add(faultEvents / 2)
	until(t, "connecting takes too long, twice", func() bool {
		f.watched.mu.Lock()
		defer f.watched.mu.Unlock()
		times := 0
		for text, n := range f.watched.errors {
			if strings.Contains(text, "dial") || strings.Contains(text, "deadline exceeded") {
				times += n
			}
		}
		return times >= 2
	})
	speak()
	c.plug(c.address)
	f.allArrived(n)
}

// beSilent takes an address and has the kernel leave every attempt to connect to
// it unanswered: the queue of a listener that accepts nothing is full.
func beSilent(t *testing.T, address string) (speak func()) {
	t.Helper()
	where, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err == nil {
		err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	}
	if err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrInet4{Port: where.Port, Addr: [4]byte(where.IP.To4())})
	}
	if err == nil {
		err = syscall.Listen(fd, 0)
	}
	if err != nil {
		t.Fatal(os.NewSyscallError("listen", err))
	}
	var queued []net.Conn
	for {
		conn, err := net.DialTimeout("tcp", address, 300*time.Millisecond)
		if err != nil {
			break // it is full
		}
		if queued = append(queued, conn); len(queued) > 100 {
			t.Fatal("the queue of a listener is never full")
		}
	}
	return func() {
		syscall.Close(fd)
		for _, conn := range queued {
			conn.Close()
		}
	}
}

// One event of a hundred does not fit the mapping: these are dead letters, with
// the reason, and no others. When the mapping is mended they are sent again.
func testDeadLetters(t *testing.T, n *searchNode) {
	k := elasticsearch.Keys{Addresses: []string{n.URL}, Dataset: "picky.event", HealthDataset: "picky.health"}
	template := func(kind string) {
		n.ask("PUT", "/_index_template/picky", `{"index_patterns":["logs-picky.*"],"data_stream":{},"priority":900,
			"template":{"mappings":{"properties":{"network":{"properties":{"protocol":{"type":"`+kind+`"}}}}}}}`)
	}
	template("ip")
	f := newForwarder(t, k, outputs.Settings{})
	f.events = nodeEvents(faultEvents)
	var bad []uint64
	for i := range f.events {
		f.events[i].Application = ""
		if i%100 == 50 {
			f.events[i].Application = "dns"
			bad = append(bad, uint64(i+1))
		}
	}
	f.j.Append(f.events)
	f.start()
	c := f.finish()
	if c.DeadLettered != uint64(len(bad)) || c.Delivered != uint64(len(f.events)-len(bad)) {
		t.Errorf("%+v", c)
	}
	var letters []uint64
	if damaged, err := dead.Read(dead.Path(f.letters(), "node"), func(l *dead.Letter) bool {
		letters = append(letters, l.Event.Seq)
		if l.Event.ID != f.events[l.Event.Seq-1].ID || !strings.Contains(l.Reason, "_parsing_exception") || !strings.Contains(l.Reason, "network.protocol") {
			t.Errorf("%d: %s", l.Event.Seq, l.Reason)
		}
		return true
	}); damaged > 0 || err != nil || !slices.Equal(letters, bad) {
		t.Errorf("%d damaged, %v; letters %v, want %v", damaged, err, letters, bad)
	}
	if got := n.count(bothStreams(k)); got != len(f.events)-len(bad) {
		t.Errorf("%d documents", got)
	}
	template("keyword")
	n.ask("POST", "/logs-picky.event-default/_rollover", "") // the mapping of the next backing index
	if files, err := dead.Resend(f.letters(), "node"); files != 1 || err != nil {
		t.Fatal(files, err)
	}
	f.reopen()
	f.start()
	until(t, "the letters are sent again", func() bool { return f.loop.Counts().Resent == uint64(len(bad)) })
	f.add(1)
	if c := f.finish(); c.Delivered+c.DeadLettered != uint64(len(f.events)) || c.DeadLettered != uint64(len(bad)) {
		t.Errorf("%+v", c)
	}
	n.holds(f.events, k)
	if _, err := os.Stat(dead.Again(f.letters(), "node")); !os.IsNotExist(err) {
		t.Errorf("letters wait to be sent again: %v", err)
	}
}

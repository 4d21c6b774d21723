package elasticsearch

import (
	"net/url"
	"sync"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
)

// How long a node that failed is left alone: doubled with each failure.
const (
	firstRest   = 30 * time.Second
	longestRest = 16 * time.Minute
)

// nodes chooses the node for each request: the first in the operator's order
// that is not at rest. It is the pool of connections of go-elasticsearch, whose
// own ones go round.
type nodes struct {
	mu   sync.Mutex
	list []*node
	used *node // by the last bulk request
}

type node struct {
	conn   *elastictransport.Connection
	failed int       // times in a row
	until  time.Time // at rest until then
}

func newNodes(urls []*url.URL) *nodes {
	n := &nodes{}
	for _, u := range urls {
		n.list = append(n.list, &node{conn: &elastictransport.Connection{URL: u}})
	}
	n.used = n.list[0]
	return n
}

// Next gives the node for the next bulk request. When all are at rest it is the
// one whose rest ends first, so there is always one.
func (n *nodes) Next() (*elastictransport.Connection, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.used = n.best()
	return n.used.conn, nil
}

// peek is Next for a request that is no bulk request.
func (n *nodes) peek() *elastictransport.Connection {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.best().conn
}

func (n *nodes) best() *node {
	now := time.Now()
	best := n.list[0]
	for _, c := range n.list {
		if !c.until.After(now) {
			return c
		}
		if c.until.Before(best.until) {
			best = c
		}
	}
	return best
}

// OnSuccess is called when a node gave an answer, whatever it says.
func (n *nodes) OnSuccess(c *elastictransport.Connection) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if f := n.find(c); f != nil {
		f.failed, f.until = 0, time.Time{}
	}
	return nil
}

// OnFailure is called when a node could not be reached or gave no answer.
func (n *nodes) OnFailure(c *elastictransport.Connection) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if f := n.find(c); f != nil {
		f.rest()
	}
	return nil
}

// reject puts the node of the last bulk request to rest: it answered, but that it
// cannot serve now.
func (n *nodes) reject() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.used.rest()
}

// current names the node of the last bulk request.
func (n *nodes) current() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.used.conn.URL.String()
}

// URLs lists all nodes.
func (n *nodes) URLs() (list []*url.URL) {
	for _, c := range n.list {
		list = append(list, c.conn.URL)
	}
	return list
}

// ConcurrentSafe tells the client that it needs no lock around this.
func (n *nodes) ConcurrentSafe() {}

func (n *nodes) find(c *elastictransport.Connection) *node {
	for _, f := range n.list {
		if f.conn == c {
			return f
		}
	}
	return nil
}

func (c *node) rest() {
	c.until = time.Now().Add(min(firstRest<<min(c.failed, 10), longestRest))
	c.failed++
}

package status

import (
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// slotted is a connection that gives its place back when it is closed, and
// knows whether it keeps the server waiting. One whose request has come but has
// not been looked at yet, since the machine is busy, does not.
type slotted struct {
	net.Conn
	from  netip.Prefix
	free  func()
	asked atomic.Bool  // a whole request has come
	read  atomic.Bool  // something has come
	since atomic.Int64 // when the server began to wait, in ns since 1970; 0: it does not
}

// idle says whether the server has waited for long enough to give it up.
func (c *slotted) idle(now time.Time) bool {
	since := c.since.Load()
	return since != 0 && now.UnixNano()-since >= int64(grace)
}

// waits notes that the server waits from now on, if it does not already.
func (c *slotted) waits() { c.since.CompareAndSwap(0, time.Now().UnixNano()) }

// works notes that the server has something to do.
func (c *slotted) works() { c.since.Store(0) }

// Read waits for the request. It mostly comes at once: one that comes in
// pieces is waited for from the first.
func (c *slotted) Read(b []byte) (int, error) {
	if c.asked.Load() { // the server looks whether the other side has gone
		return c.Conn.Read(b)
	}
	c.waits()
	n, err := c.Conn.Read(b)
	if !c.read.Swap(true) {
		c.works()
	}
	return n, err
}

// Write waits for the other side to read. One that reads in pieces is waited
// for from the first.
func (c *slotted) Write(b []byte) (int, error) {
	c.waits()
	return c.Conn.Write(b)
}

// asks notes that a whole request has come.
func (c *slotted) asks() {
	c.asked.Store(true)
	c.works()
}

func (c *slotted) Close() error {
	err := c.Conn.Close()
	c.free()
	return err
}

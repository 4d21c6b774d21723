// Package live captures frames from network interfaces: TPACKET_V3 rings
// (linux/if_packet.h) without cgo, and the set of them that a running sensor
// holds.
//
// Interfaces are captured in groups. Each group has as many workers, and each
// worker is a Source, which one goroutine reads. An interface has one ring per
// worker; the kernel gives each frame to one of them by a program that computes
// packet.Fanout, so both directions of a pair of hosts come to one worker, on
// all interfaces of the group.
//
// A ring is set up so that no frame enters it before everything is in place:
// packet socket of protocol 0, a filter that lets nothing in, ring, mapping,
// promiscuous mode, binding, fan-out group, and the capture filter last. Links
// may go down, be renamed, be deleted and made again: see Watch. Links that
// appear when the process has given up its capabilities are served from sockets
// that were opened in advance.
//
// Ring memory: Options.RingTotal is what all rings together may take. It is
// divided by the rings planned at the start (workers times interfaces,
// optional ones that are still missing included), after a quarter has been put
// aside for later interfaces if any can come, which is always but for "any".
// A later ring gets the same share or what is left of the budget, and never
// less than the smallest ring of four blocks. Rings that are being emptied do
// not count.
//
// Linux only. Open, Watch and Reconfigure act in the network namespace of the
// calling thread.
package live

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"trailhound/agent/capture"
	"trailhound/agent/capture/device"
)

// Any is the interface name that stands for all of them. It is one set of
// sockets bound to no interface.
const Any = "any"

// errClosed is the error of what comes too late.
var errClosed = errors.New("the capture is closed")

// Interface is one entry of the interfaces to capture.
type Interface struct {
	Name     string // of an interface, a pattern (path.Match), or Any
	Alias    string // what events call it
	Group    string // entries of one name share workers; "": a group of its own
	Optional bool   // it need not be there
	// Outgoing says whether to capture what this host sends; nil: yes, except on
	// loopback, where everything sent is received, too. With Any it never holds
	// for loopback.
	Outgoing *bool
}

// Options say what to capture, and how.
type Options struct {
	Interfaces []Interface
	Workers    int           // per group; 0: one per processor, at most 4
	RingTotal  int64         // bytes for all rings together; 0: 256 MiB
	Snaplen    int           // bytes kept of a frame; 0: 66 KiB
	Filter     Filter        // nil: everything
	Spare      int           // packet sockets to open in advance, see Watch
	Idle       time.Duration // longest wait of Source.Next; 0: 250 ms
	Log        *slog.Logger  // nil: slog.Default
}

// complete fills in what was left out and says what is wrong.
func (o Options) complete() (Options, error) {
	if o.Workers == 0 {
		o.Workers = min(runtime.NumCPU(), 4)
	}
	if o.RingTotal == 0 {
		o.RingTotal = defaultRings
	}
	if o.Snaplen == 0 {
		o.Snaplen = defaultSnaplen
	}
	if o.Idle == 0 {
		o.Idle = defaultIdle
	}
	o.Idle = max(o.Idle, time.Millisecond)
	if o.Log == nil {
		o.Log = slog.Default()
	}
	switch {
	case o.Workers < 0 || o.Workers > maxWorkers:
		return o, fmt.Errorf("%d workers: want 1 to %d", o.Workers, maxWorkers)
	case o.Snaplen < 0 || o.Snaplen > capture.MaxFrame:
		return o, fmt.Errorf("snaplen %d: want 1 to %d", o.Snaplen, capture.MaxFrame)
	case o.RingTotal < 0:
		return o, fmt.Errorf("ring memory of %d bytes", o.RingTotal)
	case o.Spare < 0:
		return o, fmt.Errorf("%d spare sockets", o.Spare)
	}
	return o, checkInterfaces(o.Interfaces)
}

// Capture is a running capture. Its methods may be called from any goroutine.
type Capture struct {
	log     *slog.Logger
	idle    time.Duration
	workers int
	spares  *spares
	sources []*Source
	done    chan struct{}
	// request asks for ring memory: requestRing, but for tests.
	request func(fd, block, count int) error
	// known is what there is by index, for "any".
	known atomic.Pointer[map[int]seen]

	// change is held while the set of rings changes, which may take long; all
	// but what mu guards belongs to who holds it.
	change sync.Mutex
	opt    Options
	asked  int64 // Options.RingTotal as it was given
	crews  []*crew
	share  int64 // bytes planned per ring
	logged map[string]string

	mu      sync.Mutex // guards all below; never held over anything slow
	entries []*entry
	rings   []*ring // open ones, those included that are being emptied
	used    int64   // bytes of the rings that are not being emptied
	waiting []Missing
	links   []Link
	past    Kernel // of rings that were closed and are in no entry's past
	lost    uint64
	closed  bool
}

// crew is the sources of one group.
type crew struct {
	group   string
	sources []*Source
}

// seen is what is known of a device.
type seen struct {
	name string
	skip uint32
}

// Open starts to capture. An interface that is not there is an error that lists
// the existing ones, unless it is optional or a pattern; ErrPrivilege is in the
// chain of the error when the process may not capture. Each source must be read
// until its end and closed, or closed.
func Open(opt Options) (*Capture, error) { return open(opt, requestRing) }

func open(opt Options, request func(fd, block, count int) error) (*Capture, error) {
	c, err := newCapture(opt)
	if err != nil {
		return nil, err
	}
	c.request = request
	if err := c.start(); err != nil {
		c.Close()
		for _, s := range c.sources {
			s.Close()
		}
		return nil, err
	}
	return c, nil
}

// newCapture makes the sources of all groups, without rings.
func newCapture(opt Options) (*Capture, error) {
	opt, err := opt.complete()
	if err != nil {
		return nil, err
	}
	c := &Capture{opt: opt, asked: opt.RingTotal, log: opt.Log, idle: opt.Idle, workers: opt.Workers, spares: &spares{want: opt.Spare},
		done: make(chan struct{}), logged: make(map[string]string)}
	c.known.Store(&map[int]seen{})
	for _, i := range opt.Interfaces {
		crew, err := c.crew(i.Group)
		if err != nil {
			for _, s := range c.sources {
				s.Close()
			}
			return nil, err
		}
		c.entries = append(c.entries, newEntry(i, crew))
	}
	return c, nil
}

// crew gives the sources of a group, made when it is new.
func (c *Capture) crew(group string) (*crew, error) {
	for _, w := range c.crews {
		if group != "" && w.group == group {
			return w, nil
		}
	}
	w := &crew{group: group}
	for range c.workers {
		s, err := newSource(c, len(c.sources), c.idle)
		if err != nil {
			return nil, err
		}
		c.sources = append(c.sources, s)
		w.sources = append(w.sources, s)
	}
	c.crews = append(c.crews, w)
	return w, nil
}

// start opens what is there.
func (c *Capture) start() error {
	list, err := device.List()
	if err != nil {
		return fmt.Errorf("cannot list the interfaces: %w", err)
	}
	c.change.Lock()
	defer c.change.Unlock()
	if err := c.checkThere(c.entries, list); err != nil {
		return err
	}
	if err := c.plan(list); err != nil {
		return err
	}
	if err := c.spares.probe(); err != nil {
		return err
	}
	if err := c.reconcile(list, nil, true); err != nil {
		return err
	}
	return c.spares.refill()
}

// Sources returns the sources: one per worker, group after group. They are the
// same for the life of the capture.
func (c *Capture) Sources() []*Source { return c.sources }

// Close ends the capture: no more frames enter the rings. The sources hand out
// what is in them, which takes as long as the kernel needs to hand over the
// last blocks, and then return io.EOF. Rings stay mapped until their Source is
// closed or has handed out everything.
func (c *Capture) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	close(c.done)
	c.mu.Unlock()

	c.change.Lock()
	defer c.change.Unlock()
	c.mu.Lock()
	rings := append([]*ring(nil), c.rings...)
	c.mu.Unlock()
	var err error
	for _, r := range rings {
		err = errors.Join(err, r.stop())
	}
	for _, s := range c.sources {
		s.close()
	}
	return errors.Join(err, c.spares.close())
}

package live

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Kernel is what the kernel counted of a ring.
type Kernel struct {
	Packets uint64 // that passed the filter, those that were dropped included
	Drops   uint64 // for want of a free block
	Freezes uint64 // how often there was none
}

func (k *Kernel) add(o Kernel) {
	k.Packets += o.Packets
	k.Drops += o.Drops
	k.Freezes += o.Freezes
}

// placed is how many frames came into the ring.
func (k Kernel) placed() uint64 { return k.Packets - k.Drops }

// An intake is what fills a ring: a packet socket or a Feed.
type intake interface {
	// stop lets no more frames in. What is in the ring stays, and the block
	// that is being filled is handed over as always.
	stop() error
	// count returns what was counted since the last call.
	count() (Kernel, error)
	// name returns the name of the device of that index, "" when it is gone.
	name(index int) string
	// released says that a block is free again.
	released()
	// settle is how long after stop frames may still be on their way.
	settle() time.Duration
	// close gives back the memory, and the socket.
	close(mem []byte) error
}

// ring is one ring: a worker's of a link. Next to next it is used by the
// Source's goroutine alone; what others use is marked.
type ring struct {
	link   *link
	worker int // place of the source in Capture.Sources
	intake intake
	fd     int // for epoll; -1: the intake wakes the source itself
	block  int // bytes
	blocks int
	want   int64 // bytes planned
	mem    []byte
	slot   *slot // where frames count; nil: by the frame's device

	next int // the block that the kernel fills next or has filled
	// The block in hand: left of its frames have not been handed out, the first
	// of them is at at.
	at, left int
	consumed uint64 // frames
	// The device of the last frame, and its slot: most frames are of the same
	// one as the one before.
	index int32
	last  *slot

	stopped atomic.Int64 // any goroutine: when it was stopped, Unix nanoseconds; 0: it runs

	charged bool // it counts in Capture.used; guarded by Capture.mu

	mu      sync.Mutex // guards all below, and intake.count against intake.close
	counted Kernel
	closed  bool
}

func (r *ring) bytes() int64 { return int64(r.block) * int64(r.blocks) }

// current is the block that comes next.
func (r *ring) current() []byte {
	at := r.next * r.block
	return r.mem[at : at+r.block : at+r.block]
}

// kernel returns the kernel's counters since the ring was opened. The kernel
// forgets them when they are read.
func (r *ring) kernel() Kernel {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.read()
	return r.counted
}

func (r *ring) read() {
	if r.closed {
		return
	}
	if k, err := r.intake.count(); err == nil {
		r.counted.add(k)
	}
}

// stop lets no more frames into the ring.
func (r *ring) stop() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.stopped.Load() != 0 {
		return nil
	}
	err := r.intake.stop()
	r.stopped.Store(time.Now().UnixNano())
	return err
}

// with does something to the socket of a ring that runs.
func (r *ring) with(do func(fd int) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.stopped.Load() != 0 || r.fd < 0 {
		return nil
	}
	return do(r.fd)
}

// drained says whether a stopped ring has handed out all that came into it.
// The caller has seen that no block is ready.
func (r *ring) drained(now time.Time) (done bool, lost uint64) {
	since := now.UnixNano() - r.stopped.Load()
	if since < int64(r.intake.settle()) {
		return false, 0
	}
	placed := r.kernel().placed()
	if r.consumed >= placed {
		return true, 0
	}
	// The last block comes with its timer. This is only for a kernel that
	// counts otherwise.
	return since > int64(drainMost), placed - r.consumed
}

// drainMost is the longest time that a stopped ring is waited for.
const drainMost = 5 * time.Second

// close gives back what the ring holds and leaves the final counters.
func (r *ring) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.read()
	r.closed = true
	mem := r.mem
	r.mem = nil
	return r.intake.close(mem)
}

// tap is the intake of a packet socket.
type tap struct {
	fd     int
	born   uint64
	fanned bool // it is or was in a fan-out group
	spares *spares
}

func (t *tap) stop() error {
	err := shut(t.fd)
	if errors.Is(err, unix.ENOMEM) {
		// A long filter may leave no room (net.core.optmem_max) for another.
		err = errors.Join(unix.SetsockoptInt(t.fd, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0), shut(t.fd))
	}
	return err
}

func (t *tap) count() (Kernel, error) {
	s, err := unix.GetsockoptTpacketStatsV3(t.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return Kernel{}, err
	}
	return Kernel{Packets: uint64(s.Packets), Drops: uint64(s.Drops), Freezes: uint64(s.Freeze_q_cnt)}, nil
}

// name asks through the socket, which is in the right network namespace
// whatever thread this is.
func (t *tap) name(index int) string {
	request, err := unix.NewIfreq("")
	if err != nil {
		return ""
	}
	request.SetUint32(uint32(index))
	if unix.IoctlIfreq(t.fd, unix.SIOCGIFNAME, request) != nil {
		return ""
	}
	return request.Name()
}

func (t *tap) released() {}

func (t *tap) settle() time.Duration { return retireAfter }

func (t *tap) close(mem []byte) error {
	err := unix.Munmap(mem)
	if err != nil || t.fanned {
		return errors.Join(err, unix.Close(t.fd))
	}
	return t.spares.giveBack(spare{t.fd, t.born})
}

// openRing gives a socket a ring of about size bytes, halving what the kernel
// refuses down to the smallest ring.
func openRing(fd int, size int64, snaplen int, request func(fd, block, count int) error) (mem []byte, block, count int, err error) {
	for {
		block, count = shape(size, snaplen)
		if err = request(fd, block, count); err == nil {
			mem, err = unix.Mmap(fd, 0, block*count, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
			if err == nil {
				return mem, block, count, nil
			}
			if err := request(fd, 0, 0); err != nil {
				return nil, 0, 0, fmt.Errorf("cannot give back ring memory: %w", err)
			}
		}
		if !errors.Is(err, unix.ENOMEM) && !errors.Is(err, unix.ENOBUFS) && !errors.Is(err, unix.EAGAIN) {
			return nil, 0, 0, fmt.Errorf("cannot make a ring of %d blocks of %d bytes: %w", count, block, err)
		}
		if size = int64(block) * int64(count); size <= smallestRing(snaplen) {
			err = fmt.Errorf("cannot make a ring: the kernel refuses even %d blocks of %d bytes: %w", count, block, err)
			if free := addressSpace(); free > 0 && free < 2*size {
				err = fmt.Errorf("%w (%d bytes are left of the %s)", err, free, addressSpaceName)
			}
			return nil, 0, 0, err
		}
		size /= 2
	}
}

package journal

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// A Journal is the log. Append is for one goroutine at a time, all else for
// any.
type Journal struct {
	opt  Options
	disk fileSystem
	teller

	// writing is held by whoever appends, makes, moves or seals segments. It
	// is taken before evicting, and that before mu.
	writing sync.Mutex
	active  *segment // the one to append to; nil: none yet. Changed with mu held too
	spare   *spare   // nil: none. The same
	buf     []byte

	syncing  sync.Mutex // held while files are synced; taken before mu
	evicting sync.Mutex // held while the oldest segment goes; also guards state

	state *slots // of the journal itself; nil: not written
	saved saved  // what was last written there
	lock  io.Closer

	mu       sync.Mutex
	sizes    sizes
	total    int64      // bytes of the file system, when they were last counted
	segments []*segment // the oldest first
	cursors  map[string]*Cursor
	epoch    uint64
	next     uint64 // the number that the next event gets
	written  int64  // bytes of all segments ever
	boot     [16]byte
	floor    uint64 // no segment before this number is expected
	clock    clock  // changed by who holds writing, too
	counts   counts
	ended    bool // no more appends
	closed   bool
	down     error     // why the disk is not used; nil: it is
	downed   time.Time // since when
	attached bool      // lock and numbers are ours
	foreign  bool      // the directory holds numbers that are not ours: wait for Close
	full     bool      // Full is raised
	failing  bool      // WriteFailed is raised
	renamed  bool      // a name in the directory is not synced
	retry    backoff

	synced time.Duration // when the keeper last did

	rolled chan struct{} // work for the keeper
	stop   chan struct{}
	kept   chan struct{}
}

// counts are since the start.
type counts struct {
	appended, shortened       uint64
	evicted                   uint64 // by at least one cursor not delivered
	quarantined, missing      uint64
	lost, handedOver          uint64
	tornBytes                 int64
	syncs, syncErrors, writes uint64
}

// Open gives a journal and never fails: without a directory that can be
// written it works in memory, says so, and tries the disk again.
func Open(opt Options) *Journal {
	j := open(opt, system{}, lockPatience)
	j.kept = make(chan struct{})
	go j.keep()
	return j
}

// lockPatience is how long Open waits for another process to let go.
const lockPatience = 2 * time.Second

// open is Open without the goroutine that keeps the journal.
func open(opt Options, disk fileSystem, patience time.Duration) *Journal {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Sync == (Sync{}) {
		opt.Sync = Interval(time.Second)
	}
	j := &Journal{opt: opt, disk: disk, cursors: map[string]*Cursor{}, epoch: newEpoch(), next: 1,
		rolled: make(chan struct{}, 1), stop: make(chan struct{})}
	j.teller = teller{log: opt.Log, listen: opt.Incident, counts: map[Kind]uint64{}, more: make(chan struct{}, 1),
		end: make(chan struct{}), done: make(chan struct{})}
	j.clock.looked = opt.Now()
	j.sizes = opt.sizes(0)
	go j.teller.run()
	if opt.Path == "" {
		j.down = errNoPath
		return j
	}
	if err := j.attach(patience); err != nil {
		j.degrade(err)
	}
	return j
}

var errNoPath = errors.New("no directory is configured")

func newEpoch() uint64 {
	return rand.Uint64()>>11 | 1 // 53 bits: JSON readers take numbers for float64
}

// End says that no more events come: readers get io.EOF once they have read
// all there are. Close follows when they are done.
func (j *Journal) End() {
	j.mu.Lock()
	j.ended = true
	j.wakeAll()
	j.mu.Unlock()
}

// Close ends the journal: everything is written and synced, cursors too. What
// could not be written is lost, and the error says how many events.
func (j *Journal) Close() error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil
	}
	j.ended, j.closed = true, true
	j.wakeAll()
	j.mu.Unlock()
	close(j.stop)
	if j.kept != nil {
		<-j.kept
	}
	err := j.finish()
	close(j.teller.end)
	<-j.teller.done
	return err
}

// finish writes what is left after the keeper ended.
func (j *Journal) finish() error {
	j.writing.Lock()
	defer j.writing.Unlock()
	var errs []error
	if j.isDown() && j.opt.Path != "" {
		if err := j.recover(); err != nil {
			errs = append(errs, j.handOver())
		}
	}
	if !j.isDown() {
		j.endActive()
		errs = append(errs, j.sync(), j.saveCursors(true), j.saveState(true, true))
	}
	j.closeFiles()
	if n := j.stranded(); n > 0 {
		j.mu.Lock()
		j.counts.lost += n
		j.mu.Unlock()
		errs = append(errs, fmt.Errorf("%d events are lost: the journal was in memory only", n))
		j.tell(Incident{Kind: Lost, Events: n})
	}
	return errors.Join(errs...)
}

// State describes the journal.
type State struct {
	Path            string
	Epoch           uint64
	First, Last     uint64 // numbers that are kept; Last is First-1: none
	Segments        int
	Bytes           int64 // on disk and in memory
	MemoryBytes     int64
	MaxSize         int64
	MinFree         int64
	SegmentSize     int64
	Reserve         bool  // a spare segment is ready, for when the disk is full
	Degraded        error // why events are kept in memory only; nil: they are not
	DegradedSince   time.Time
	Full            bool
	Appended        uint64 // since the start
	Shortened       uint64 // of them: too large, texts and lists were cut
	Evicted         uint64 // given up, and not delivered by at least one output
	Quarantined     uint64 // in damaged places
	Missing         uint64 // in missing segments
	Lost            uint64 // in memory at the end
	TornBytes       int64
	Syncs           uint64
	SyncErrors      uint64
	Incidents       map[Kind]uint64
	Oldest, Newest  time.Time // when the first and the last segment were made
	CursorsUnused   int       // of outputs that are gone
	CursorsAttached int
}

// State gives the state of the moment.
func (j *Journal) State() State {
	j.mu.Lock()
	defer j.mu.Unlock()
	c := &j.counts
	s := State{Path: j.opt.Path, Epoch: j.epoch, First: j.firstKept(), Last: j.next - 1, Segments: len(j.segments),
		MaxSize: j.sizes.max, MinFree: j.sizes.free, SegmentSize: j.sizes.segment, Reserve: j.spare != nil,
		Degraded: j.down, DegradedSince: j.downed, Full: j.full,
		Appended: c.appended, Shortened: c.shortened, Evicted: c.evicted, Quarantined: c.quarantined, Missing: c.missing,
		Lost: c.lost, TornBytes: c.tornBytes, Syncs: c.syncs, SyncErrors: c.syncErrors, Incidents: j.teller.total()}
	for _, g := range j.segments {
		s.Bytes += g.size()
		if g.memory != nil {
			s.Bytes += g.end
			s.MemoryBytes += g.end
		}
	}
	if n := len(j.segments); n > 0 {
		s.Oldest, s.Newest = j.segments[0].head.made, j.segments[n-1].head.made
	}
	for _, c := range j.cursors {
		if c.claimed {
			s.CursorsAttached++
		} else {
			s.CursorsUnused++
		}
	}
	return s
}

// firstKept is the lowest number that a segment covers; the next one when
// there is none. The caller holds mu.
func (j *Journal) firstKept() uint64 {
	if len(j.segments) == 0 {
		return j.next
	}
	return j.segments[0].first
}

// wakeAll lets waiting readers look again. The caller holds mu.
func (j *Journal) wakeAll() {
	for _, c := range j.cursors {
		c.wake()
	}
}

// Epoch is the random number of this journal. With an event's sequence number
// it names the event; neither is used for another event.
func (j *Journal) Epoch() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.epoch
}

func (j *Journal) isDown() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.down != nil
}

package generation

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"trailhound/agent/event"
	"trailhound/trails/table"
)

// Options of a Keeper.
type Options struct {
	// Path is where new tables are renamed to; a symbolic link is followed.
	// Empty: the starter set is all there is. Configure changes it.
	Path string
	// Configured says that somebody has named Path, which is not only where a
	// table may be: when none is there at the start, that is a fault.
	Configured bool
	// Dir is the state directory, for the copy of the last good table. Empty:
	// there is none.
	Dir string
	// MinRatio is the share of the present number of trails that a new table
	// must have; 0: any will do. A start does not ask for it. Configure changes
	// it.
	MinRatio float64
	// Starter compiles the starter set, in memory.
	Starter func() (*table.Table, error)
	Log     *slog.Logger // nil: nothing is logged
	// Event is told what becomes of the table: event.HealthTrailsFault when the
	// one in use could be used no longer, event.HealthTrailsRejected when
	// another was refused; active while that is so, with a sentence that says
	// why and names the table. Who is told logs it: the Keeper does not. It must
	// not call the Keeper but for Current. nil: the Keeper logs it.
	Event func(code event.Code, active bool, info string)
}

// A Keeper holds the generation in use.
type Keeper struct {
	opt     Options // Path and MinRatio are those of the start
	current atomic.Pointer[Generation]
	watched atomic.Bool   // Watch has started
	asked   chan struct{} // Configure wants Watch to look
	stop    chan struct{} // closed by Close

	// Only Watch uses these.
	seen   os.FileInfo // at the path, when it was last looked at
	judged os.FileInfo // at the path, what was accepted or refused last
	gone   int         // looks in a row that found nothing at the path, as far as that counts
	at     string      // the path
	owed   bool        // it was configured later, and nothing has been there yet

	mu       sync.Mutex
	closed   bool                  // under mu, and what follows
	path     string                // where new tables are looked for
	ratio    float64               // what they are held against
	anew     bool                  // one of the two has changed since Watch last looked
	last     uint64                // the last number given
	swap     swapFunc              // nil: Watch has not started
	active   map[event.Code]string // what was reported and is not over
	spoilt   []*Generation         // changed under their mapping; their files are kept from being forgotten
	retiring []chan struct{}       // each closed when an old generation is unmapped
	kept     []*Generation         // from before Watch, when nobody could say that they are released

	// Tests shorten these.
	poll, settle, rest time.Duration
	notify             bool
}

type swapFunc func(*Generation) (released <-chan struct{}, err error)

const (
	// defaultPoll is how often the path is looked at whether there was a
	// notification or not: network and some container file systems send none.
	defaultPoll = 5 * time.Second
	// defaultSettle is how long a new file must stay as it is before it is read.
	defaultSettle = 250 * time.Millisecond
	// defaultRest is the pause after each part of a file that is read or
	// copied: all of a core for a quarter of a second becomes a tenth of one
	// for some seconds.
	defaultRest = 2 * time.Millisecond
)

// Open gives a Keeper of the table at Path, else of the last good one, else of
// the starter set. It reads no more than the head of a table; Watch checks the
// rest. It fails when there is not even a starter set.
func Open(opt Options) (*Keeper, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	k := &Keeper{opt: opt, path: opt.Path, ratio: opt.MinRatio, at: opt.Path,
		asked: make(chan struct{}, 1), stop: make(chan struct{}), active: make(map[event.Code]string),
		poll: defaultPoll, settle: defaultSettle, rest: defaultRest, notify: true}
	g, err := k.first()
	if err != nil {
		return nil, err
	}
	k.last = 1
	g.Number = 1
	k.current.Store(g)
	return k, nil
}

// first opens what the sensor starts with.
func (k *Keeper) first() (*Generation, error) {
	if k.opt.Path == "" {
		return k.starter(false)
	}
	g, err := openGeneration(k.opt.Path)
	if err == nil {
		k.judged = g.info
		return g, nil
	}
	missing := errors.Is(err, fs.ErrNotExist)
	if !missing {
		k.judged, _ = os.Stat(k.opt.Path)
		k.raise(event.HealthTrailsRejected, err.Error())
	}
	if g := k.lastGood(); g != nil {
		if missing {
			k.raise(event.HealthTrailsFault, fmt.Sprintf("%v; the last good table is used, of %s", err, g.Table.Created().Format(time.RFC3339)))
		}
		return g, nil
	}
	g, serr := k.starter(!missing || k.opt.Configured)
	if serr != nil {
		return nil, fmt.Errorf("%w; and %w", err, serr)
	}
	if missing && k.opt.Configured {
		k.raise(event.HealthTrailsFault, fmt.Sprintf("%v; %s", err, starterUsed))
	}
	return g, nil
}

// starterUsed is what is said when there is nothing better.
const starterUsed = "the starter set is used, which is no protection by itself"

// starter gives the starter set.
func (k *Keeper) starter(fallback bool) (*Generation, error) {
	if k.opt.Starter == nil {
		return nil, errors.New("there is no starter set")
	}
	t, err := k.opt.Starter()
	if err != nil {
		return nil, fmt.Errorf("cannot compile the starter set: %w", err)
	}
	return memory(t, fallback), nil
}

func memory(t *table.Table, fallback bool) *Generation {
	g := &Generation{Table: t, Starter: true, Fallback: fallback, Opened: time.Now()}
	g.checked.Store(true)
	return g
}

// Current is the generation in use.
func (k *Keeper) Current() *Generation { return k.current.Load() }

// enough holds a table against the one in use, with mu held. A new table of a
// fraction of the trails is more often a feed that failed than a decision.
func (k *Keeper) enough(g *Generation) error {
	now := k.Current()
	if n, have := g.Table.Len(), now.Table.Len(); !now.Starter && float64(n) < k.ratio*float64(have) {
		return fmt.Errorf("trail table %q has %d trails, less than %g of the %d in use (trails.min_ratio); a smaller ratio or a restart takes it",
			g.Source, n, k.ratio, have)
	}
	return nil
}

// Close unmaps all tables. Watch has returned, and nobody looks anything up any
// more.
func (k *Keeper) Close() {
	k.mu.Lock()
	already := k.closed
	k.closed = true
	k.mu.Unlock()
	if already {
		return
	}
	close(k.stop)
	_ = k.drained(context.Background()) // which has no end
	k.mu.Lock()
	defer k.mu.Unlock()
	k.forgive()
	for _, g := range append(k.kept, k.Current()) {
		g.discard()
	}
}

// raise reports a condition. It is called with mu held, or before anybody else
// knows k.
func (k *Keeper) raise(code event.Code, info string) {
	if k.active[code] == info {
		return
	}
	k.active[code] = info
	if k.opt.Event == nil {
		k.opt.Log.Warn(info, "code", string(code))
		return
	}
	k.opt.Event(code, true, info)
}

// reported says whether a condition is reported and not over.
func (k *Keeper) reported(code event.Code) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, ok := k.active[code]
	return ok
}

// recovered reports that conditions are over, with mu held.
func (k *Keeper) recovered(info string, codes ...event.Code) {
	for _, code := range codes {
		if _, ok := k.active[code]; !ok {
			continue
		}
		delete(k.active, code)
		if k.opt.Event != nil {
			k.opt.Event(code, false, info)
		}
	}
}

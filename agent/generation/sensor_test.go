package generation

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/trails"
	"trailhound/trails/table"
)

var created = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// build collects n names: 0.example, 1.example ... The mark tells tables apart.
func build(n int, mark string) *table.Builder {
	b := table.NewBuilder(table.Options{Seed: uint64(n) + 1, Now: created})
	prov := b.Provenance(trails.Provenance{Info: mark, Reference: "(static)"})
	for i := range n {
		b.Add(trails.Domain, name(i), prov)
	}
	return b
}

func name(i int) []byte { return fmt.Appendf(nil, "%d.example", i) }

// publish renames a table of n names into place.
func publish(t testing.TB, path string, n int, mark string) {
	t.Helper()
	if err := build(n, mark).WriteFile(path); err != nil {
		t.Fatal(err)
	}
}

// image gives the bytes of a table of n names.
func image(t testing.TB, n int, mark string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image.thd")
	publish(t, path, n, mark)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// overwrite writes into the file that is there.
func overwrite(t testing.TB, path string, b []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(b); err != nil {
		t.Fatal(err)
	}
}

// reports records what a Keeper says.
type reports struct {
	mu     sync.Mutex
	active map[event.Code]string
	said   []string
	moved  chan struct{} // something happened
}

func newReports() *reports {
	return &reports{active: make(map[event.Code]string), moved: make(chan struct{}, 1)}
}

func (r *reports) take(code event.Code, active bool, info string) {
	r.mu.Lock()
	if active {
		r.active[code] = info
	} else {
		delete(r.active, code)
	}
	r.said = append(r.said, fmt.Sprintf("%s %v %s", code, active, info))
	r.mu.Unlock()
	r.move()
}

func (r *reports) move() {
	select {
	case r.moved <- struct{}{}:
	default:
	}
}

// is says what is reported now.
func (r *reports) is(code event.Code) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.active[code]
}

func (r *reports) all() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.said, "\n")
}

// stand is a Keeper in a directory of its own.
type stand struct {
	*Keeper
	*reports
	dir, path string
}

func (s *stand) good() string { return filepath.Join(s.dir, "state", goodFile) }

func starterOf(n int) func() (*table.Table, error) {
	return func() (*table.Table, error) { return build(n, "starter").Memory() }
}

// newStand opens a Keeper after prepare has laid out what it finds.
func newStand(t testing.TB, prepare func(s *stand), change ...func(*Options)) *stand {
	t.Helper()
	s := &stand{reports: newReports(), dir: t.TempDir()}
	s.path = filepath.Join(s.dir, "feed", "trails.thd")
	for _, d := range []string{"feed", "state"} {
		if err := os.Mkdir(filepath.Join(s.dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if prepare != nil {
		prepare(s)
	}
	s.open(t, change...)
	return s
}

func (s *stand) open(t testing.TB, change ...func(*Options)) {
	t.Helper()
	opt := Options{Path: s.path, Dir: filepath.Join(s.dir, "state"), MinRatio: 0.5, Starter: starterOf(3), Event: s.take}
	for _, c := range change {
		c(&opt)
	}
	k, err := Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	k.poll, k.settle, k.rest = 10*time.Millisecond, time.Millisecond, time.Microsecond
	s.Keeper = k
	t.Cleanup(k.Close)
}

// settled looks until there is nothing new, as Watch does.
func (s *stand) settled(t testing.TB) {
	t.Helper()
	for range 100 {
		if !s.look(t.Context()) {
			return
		}
	}
	t.Fatal("it never settles")
}

func (s *stand) want(t testing.TB, number uint64, trails int) {
	t.Helper()
	if g := s.Current(); g.Number != number || g.Table.Len() != trails {
		t.Helper()
		t.Errorf("generation %d with %d trails of %q, want %d with %d\n%s", g.Number, g.Table.Len(), g.Source, number, trails, s.all())
	}
}

// await waits for what something else brings about.
func (s *stand) await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	limit := time.NewTimer(time.Minute)
	defer limit.Stop()
	for !ok() {
		select {
		case <-s.moved:
		case <-limit.C:
			t.Fatalf("%s: never; generation %d\n%s", what, s.Current().Number, s.all())
		}
	}
}

// link is one generation in the chain that the workers of a test walk. Each
// arrives at each link, so a link knows when those before it are left.
type link struct {
	g     *Generation
	next  atomic.Pointer[link]
	away  atomic.Int32
	taken chan struct{}
}

func (l *link) arrive() {
	if l.away.Add(-1) == 0 {
		close(l.taken)
	}
}

// crew is workers that look things up in whatever table is in use, in batches.
type crew struct {
	s       *stand
	workers int
	newest  *link // used by swap only
	stop    atomic.Bool
	running sync.WaitGroup
	batches atomic.Uint64
	found   atomic.Uint64
	faults  atomic.Uint64
}

func newCrew(t testing.TB, s *stand, workers int) *crew {
	c := &crew{s: s, workers: workers, newest: &link{g: s.Current(), taken: make(chan struct{})}}
	c.newest.away.Store(int32(workers))
	for range workers {
		first := c.newest
		c.running.Go(func() { c.work(t, first) })
	}
	return c
}

// swap is what Watch calls.
func (c *crew) swap(g *Generation) (<-chan struct{}, error) {
	for r := range g.Table.All() { // as rules are prepared: it reads the table
		g.Table.Key(r)
		break
	}
	next := &link{g: g, taken: make(chan struct{})}
	next.away.Store(int32(c.workers))
	c.newest.next.Store(next)
	c.newest = next
	c.s.move()
	return next.taken, nil
}

func (c *crew) work(t testing.TB, at *link) {
	debug.SetPanicOnFault(true)
	at.arrive()
	var dead *link
	defer func() {
		for at != nil { // leave: arrive at what is still to come
			if at = at.next.Load(); at != nil {
				at.arrive()
			}
		}
	}()
	for !c.stop.Load() {
		for next := at.next.Load(); next != nil; next = at.next.Load() {
			at = next
			at.arrive()
		}
		if at == dead {
			runtime.Gosched()
			continue
		}
		if err := c.batch(t, at.g); err != nil {
			dead = at
			c.faults.Add(1)
			c.s.Fault(at.g, err)
		}
		c.batches.Add(1)
		runtime.Gosched() // there may be fewer cores than workers
	}
}

// batch looks up names all over the table.
func (c *crew) batch(t testing.TB, g *Generation) (err error) {
	defer func() {
		if g.unmapped.Load() {
			t.Errorf("generation %d was unmapped while it was in use", g.Number)
		}
		v := recover()
		if v == nil {
			return
		}
		at, ok := v.(interface{ Addr() uintptr })
		if !ok || !g.Table.Holds(at.Addr()) {
			panic(v)
		}
		err = fmt.Errorf("trail table %q: fault at %#x", g.Source, at.Addr())
	}()
	if g.unmapped.Load() {
		t.Errorf("generation %d is unmapped and still handed out", g.Number)
		return nil
	}
	var names table.Names
	n := g.Table.Len()
	for i := range 64 {
		q := name(i * 7919 % max(n, 1))
		if g.Table.Suffixes(&names, q) > 0 {
			if r, _ := g.Table.Suffix(&names, q, 0); r != 0 {
				g.Table.Info(r)
				c.found.Add(1)
			}
		}
	}
	return nil
}

// end stops the workers.
func (c *crew) end() {
	c.stop.Store(true)
	c.running.Wait()
}

// watch runs Watch with a crew until the test ends.
func (s *stand) watch(t testing.TB, workers int) *crew {
	t.Helper()
	c := newCrew(t, s, workers)
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() { s.Watch(ctx, c.swap) })
	t.Cleanup(func() {
		cancel()
		watching.Wait()
		c.end()
	})
	return c
}

// mappings counts the trail tables that this process has mapped below dir.
func mappings(t testing.TB, dir string) (n int) {
	t.Helper()
	b, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if strings.Contains(line, dir) {
			n++
		}
	}
	return n
}

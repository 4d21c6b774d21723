package live

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"trailhound/tests/corpus"
	"trailhound/trails/table"
)

// A load is traffic without an end: a DNS query for a trail, from a port and
// an address that no other has, between frames that are clean.
type load struct {
	from    *sender
	stop    chan struct{}
	ended   sync.Once
	running sync.WaitGroup
	gate    sync.Mutex // held: nothing is sent
	sent    atomic.Uint64
	asked   atomic.Uint64 // the number of the next query for the trail
}

const (
	// cleanFrames are sent between two queries.
	cleanFrames = 49
	// pulse is how often a query and its clean frames are sent: 50,000 frames
	// a second, which every machine can take, so that none must be dropped.
	pulse = time.Millisecond
)

// begin starts a load. Its queries are numbered from first.
func begin(from *sender, first uint64) *load {
	l := &load{from: from, stop: make(chan struct{})}
	from.t.Cleanup(func() { l.end() })
	l.asked.Store(first)
	var clean [][]byte
	for i := range cleanFrames {
		clean = append(clean, corpus.IP(fmt.Sprintf("10.0.2.%d", i), "203.0.113.10",
			corpus.Data(uint16(2000+i), 443, "\x17\x03\x03\x01\x00"+strings.Repeat("bulk", 7*i))).Ethernet().Data)
	}
	l.running.Go(func() {
		tick := time.NewTicker(pulse)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-l.stop:
				return
			}
			l.gate.Lock()
			l.from.send(query(int(l.asked.Load())))
			l.asked.Add(1)
			l.from.send(clean...)
			l.sent.Store(l.from.sent)
			l.gate.Unlock()
		}
	})
	return l
}

// more waits until n more queries were sent.
func (l *load) more(r *sensor, n uint64) {
	r.t.Helper()
	from := l.asked.Load()
	r.until("more is sent", func() bool { return l.asked.Load() >= from+n })
}

// hold does something while nothing is sent.
func (l *load) hold(do func()) {
	l.gate.Lock()
	defer l.gate.Unlock()
	do()
}

// query is the n-th query for the trail.
func query(n int) []byte {
	return corpus.IP(fmt.Sprintf("10.1.%d.%d", n>>8&0xff, n&0xff), "8.8.8.8",
		corpus.UDP(uint16(1024+n>>16), 53, corpus.Query(corpus.Ask("evil-test-domain.com")))).Ethernet().Data
}

// who is the source of the n-th query, as key of raised.
func who(n uint64) string { return fmt.Sprintf("10.1.%d.%d %d", n>>8&0xff, n&0xff, 1024+n>>16) }

// raised says how many events each source of queries has.
func raised(r *sensor) map[string]int {
	seen := make(map[string]int)
	for _, e := range r.found("trail.dns") {
		seen[e.src+" "+e.srcPort]++
	}
	return seen
}

// end ends the load.
func (l *load) end() (sent, asked uint64) {
	l.ended.Do(func() { close(l.stop) })
	l.running.Wait()
	return l.from.sent, l.asked.Load()
}

// check ends load and sensor and holds them against each other: each frame is
// accounted for, and each query that was not dropped raised its event, once.
func (l *load) check(t *testing.T, r *sensor) {
	t.Helper()
	sent, asked := l.end()
	last := r.end(sent)
	seen := raised(r)
	for who, n := range seen {
		if n != 1 {
			t.Errorf("%d events of the query of %s", n, who)
		}
	}
	if uint64(len(seen))+last.KernelDrops < asked || uint64(len(seen)) > asked {
		t.Errorf("%d events of %d queries, %d frames dropped by the kernel", len(seen), asked, last.KernelDrops)
	}
	t.Logf("%d frames, %d queries, %d events, %d frames dropped by the kernel", sent, asked, len(seen), last.KernelDrops)
}

// TestReload sends SIGHUP in a loop under load. Each configuration differs from
// the one before: in its filter, which all rings change, and in an interface
// that comes and goes.
func TestReload(t *testing.T) {
	need(t)
	near, far := newSpace(t), newSpace(t)
	near.veth("v0", far, "v1", 1500)
	near.veth("w0", far, "w1", 1500)
	r := start(near, setup{interfaces: "[v0]", table: writeTable(t, builder(t, rows)), workers: 1})
	l := begin(far.sender("v1"), 0)
	configs := []string{
		"capture: {filter: \"not host 192.0.2.9\"}",
		"capture: {filter: \"not host 192.0.2.9\", snaplen: 32KiB}",
		"capture: {filter: \"ip or arp\", interfaces: [v0, w0]}\nlog: {level: debug}",
		"capture: {snaplen: 9KiB}\nsensor: {labels: {site: hq}}",
	}
	const rounds = 60
	for i := range rounds {
		text := configs[i%len(configs)]
		if i%10 == 9 { // one that is wrong changes nothing
			text = "capture: {snaplen: wrong}"
		}
		if err := os.WriteFile(filepath.Join(r.dir, "conf.d", "extra.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		before := r.readies()
		r.signal(syscall.SIGHUP)
		r.until("the configuration is loaded", func() bool { return r.readies() > before })
	}
	refused := r.logged("configuration not loaded, the one before stays")
	if len(refused) != rounds/10 {
		t.Errorf("%d configurations were refused, want %d", len(refused), rounds/10)
	}
	for _, e := range refused {
		if !strings.Contains(e.Error, "capture.snaplen") {
			t.Errorf("refused: %s", e.Error)
		}
	}
	if good := len(r.logged("configuration loaded")); good != rounds-rounds/10 {
		t.Errorf("%d configurations were taken, want %d", good, rounds-rounds/10)
	}
	// As fast as they come, nobody waiting. The order to end is heard all the
	// same.
	if err := os.WriteFile(filepath.Join(r.dir, "conf.d", "extra.yaml"), []byte(configs[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		r.signal(syscall.SIGHUP)
	}
	l.check(t, r)
}

// TestSwap renames a new table into place again and again under load. Each is
// taken, no frame is lost over it and no event.
func TestSwap(t *testing.T) {
	need(t)
	t.Parallel()
	swaps := 100
	if testing.Short() {
		swaps = 5
	}
	near, far := newSpace(t), newSpace(t)
	near.veth("v0", far, "v1", 1500)
	path := writeTable(t, filled(t, 0))
	r := start(near, setup{interfaces: "[v0]", table: path, workers: 2})
	l := begin(far.sender("v1"), 0)
	for i := range swaps {
		next := filled(t, i+1)
		before := len(r.logged("trails in use"))
		if err := next.WriteFile(path); err != nil {
			t.Fatal(err)
		}
		r.until("the new table is in use", func() bool { return len(r.logged("trails in use")) > before })
	}
	s := r.status()
	if s.Trails.Faults != 0 || s.Trails.Reloads.OK < uint64(swaps)-1 || s.Trails.Reloads.Rejected != 0 {
		t.Errorf("%+v", s.Trails)
	}
	l.check(t, r)
	if list := r.found("health.trails"); len(list) > 0 {
		t.Errorf("%+v", list)
	}
}

// filled is the n-th table: the same trails, and some that are its own.
func filled(t *testing.T, n int) *table.Builder {
	var more strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&more, "filler-%d.table-%d.example,filler (test),(static)\n", i, n)
	}
	return builder(t, rows, more.String())
}

// TestBrokenTable renames into place what is no good table. Each is refused and
// told of, and the sensor goes on with the one that it has.
func TestBrokenTable(t *testing.T) {
	need(t)
	t.Parallel()
	near, far := newSpace(t), newSpace(t)
	near.veth("v0", far, "v1", 1500)
	path := writeTable(t, filled(t, 0))
	r := start(near, setup{interfaces: "[v0]", table: path, workers: 2})
	l := begin(far.sender("v1"), 0)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	flipped := append([]byte(nil), good...)
	flipped[len(flipped)/2] ^= 0x10 // in a section: only its checksum tells
	few := filepath.Join(t.TempDir(), "few")
	if err := builder(t, rows).WriteFile(few); err != nil {
		t.Fatal(err)
	}
	small, err := os.ReadFile(few)
	if err != nil {
		t.Fatal(err)
	}
	var told string
	for _, c := range []struct {
		name, want string
		content    []byte
	}{
		{"garbage", "not a trail table", []byte(strings.Repeat("no table at all\n", 4096))},
		{"cut off", "bytes long", good[:len(good)/2]},
		{"damaged", "checksum", flipped},
		{"far too few trails", "trails.min_ratio", small},
	} {
		next := path + ".next"
		if err := os.WriteFile(next, c.content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, path); err != nil {
			t.Fatal(err)
		}
		r.until(c.name+" is refused", func() bool {
			for _, h := range r.status().Health {
				if h.Code == "health.trails.rejected" && h.Info != told {
					told = h.Info
					return true
				}
			}
			r.pausing()
			return false
		})
		if !strings.Contains(told, c.want) {
			t.Errorf("%s: it says %q", c.name, told)
		}
		if len(r.logged("trails in use")) > 0 {
			t.Fatalf("%s: another table is in use", c.name)
		}
	}
	if list := r.found("health.trails.rejected"); len(list) == 0 || list[0].state != "raised" {
		t.Errorf("%+v", list)
	}
	if err := filled(t, 1).WriteFile(path); err != nil {
		t.Fatal(err)
	}
	r.until("a good one is in use", func() bool { return len(r.logged("trails in use")) > 0 })
	l.more(r, 100)
	l.check(t, r)
}

// TestTruncated cuts the table off in place under load. The sensor lives, says
// so, and goes on with the copy of the table.
func TestTruncated(t *testing.T) {
	need(t)
	near, far := newSpace(t), newSpace(t)
	near.veth("v0", far, "v1", 1500)
	path := writeTable(t, filled(t, 0))
	r := start(near, setup{interfaces: "[v0]", table: path, workers: 2})
	l := begin(far.sender("v1"), 0)
	// The copy is made when the table has been checked.
	r.until("there is a copy of the table", func() bool {
		_, err := os.Stat(filepath.Join(r.dir, "state", "trails.good"))
		return err == nil
	})
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	r.until("the fault is told", func() bool { return len(r.found("health.trails.fault")) > 0 })
	if e := r.found("health.trails.fault")[0]; e.state != "raised" || !strings.Contains(e.info, "the last good table is used") {
		t.Errorf("%+v", e)
	}
	r.until("the copy is in use", func() bool { return len(r.logged("trails in use")) > 0 })
	asked := l.asked.Load()
	r.until("events come again", func() bool { return l.asked.Load() > asked+1000 })
	sent, all := l.end()
	r.account(sent)
	// A good one takes its place again.
	if err := filled(t, 1).WriteFile(path); err != nil {
		t.Fatal(err)
	}
	r.until("it is told that all is well", func() bool {
		list := r.found("health.trails.fault")
		return len(list) > 1 && list[len(list)-1].state == "recovered"
	})
	r.end(sent)
	seen := raised(r)
	var missing int
	for n := asked + 1; n < all; n++ {
		if seen[who(n)] == 0 {
			missing++
		}
	}
	if missing > 0 {
		t.Errorf("%d of %d queries after the fault raised nothing", missing, all-asked-1)
	}
}

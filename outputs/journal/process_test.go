package journal

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"trailhound/agent/event"

	"golang.org/x/sys/unix"
)

// childEnv turns the test program into a process that appends to the journal
// that it names, and writes each number that Append returned to stdout.
const childEnv = "JOURNAL_TEST_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		child(dir)
	}
	os.Exit(m.Run())
}

func child(dir string) {
	j := Open(Options{Path: dir, MaxSize: 64 << 20, MinFree: -1})
	c, err := j.Cursor("out", CursorOptions{})
	if err != nil || j.State().Degraded != nil {
		fmt.Fprintln(os.Stderr, err, j.State().Degraded)
		os.Exit(1)
	}
	go func() {
		for {
			batch, _, err := c.Read(context.Background(), 100, 0)
			if err != nil {
				os.Exit(1)
			}
			c.Advance(batch[len(batch)-1].Seq, Sums{Delivered: uint64(len(batch))})
		}
	}()
	for n := 1; ; {
		batch := events(n, 1+n%97)
		first := j.Append(batch)
		n += len(batch)
		fmt.Println(first + uint64(len(batch)) - 1)
	}
}

// Processes are killed while they append and deliver: each number that Append
// returned is there, once, and the cursor adds up.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	runs := 12
	if testing.Short() {
		runs = 3
	}
	next := 1
	for run := range runs {
		// The child numbers its events from the number that they get.
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		last := 0
		for n := 0; n < 50+37*run && lines.Scan(); n++ {
			last, _ = strconv.Atoi(lines.Text())
		}
		cmd.Process.Kill()
		for lines.Scan() { // what it wrote before it died
			if n, err := strconv.Atoi(lines.Text()); err == nil {
				last = n
			}
		}
		cmd.Wait()
		if last < next {
			t.Fatalf("run %d: the child appended nothing", run)
		}
		v, err := OpenReadOnly(dir)
		if err != nil {
			t.Fatal(err)
		}
		// Each child's events count from 1 again.
		want := uint64(next)
		err = v.Scan(context.Background(), uint64(next), func(e *event.Event) bool {
			if e.Seq != want || idOf(e) != want-uint64(next)+1 {
				t.Errorf("run %d: number %d is event %d, want number %d", run, e.Seq, idOf(e), want)
				return false
			}
			want++
			return true
		})
		if err != nil || want <= uint64(last) {
			t.Fatalf("run %d: Append had returned %d, the journal ends before %d; %v", run, last, want, err)
		}
		for _, s := range v.Cursors() {
			if s.LastSeq-s.StartSeq != s.Delivered+s.Pending || s.Evicted+s.Quarantined != 0 {
				t.Fatalf("run %d: does not add up: %+v", run, s)
			}
		}
		next = int(want)
	}
}

func idOf(e *event.Event) (id uint64) {
	for _, b := range e.ID[:8] {
		id = id<<8 | uint64(b)
	}
	return id
}

// A real file system that is really full.
func TestFullFileSystem(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("trailhound", dir, "tmpfs", 0, "size=6m"); err != nil {
		t.Skipf("mounting a tmpfs is not permitted: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	j := open(Options{Path: filepath.Join(dir, "journal"), MaxSize: 4 << 20, MinFree: -1}, system{}, 0)
	c := cursor(t, j, "out")
	reserved := j.State()
	if !reserved.Reserve || reserved.Degraded != nil {
		t.Fatalf("%+v", reserved)
	}
	filler, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = filler.Write(make([]byte, 64<<10))
	}
	next := 1
	add := func(n int) {
		for range n {
			j.Append(events(next, 100))
			next += 100
		}
	}
	add(25) // about what is reserved
	if s := j.State(); s.Degraded != nil {
		t.Errorf("the reserve was of no use: %+v", s)
	}
	j.tick()
	if !j.State().Full {
		t.Error("a full disk is not noticed")
	}
	add(1000)
	j.tick()
	s := c.State()
	if s.LastSeq != uint64(next-1) || s.Pending == 0 {
		t.Errorf("%+v", s)
	}
	got, gap := rest(t, c)
	if uint64(len(got))+gap.Evicted != uint64(next-1) || gap.Quarantined != 0 {
		t.Errorf("read %d, %+v of %d", len(got), gap, next-1)
	}
	if err := os.Remove(filler.Name()); err != nil {
		t.Fatal(err)
	}
	filler.Close()
	for range 5 {
		j.clock.now += time.Minute
		j.tick()
	}
	if s := j.State(); s.Full || s.Degraded != nil || s.MemoryBytes != 0 {
		t.Errorf("room is back: %+v", s)
	}
	add(1)
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}

// What is reserved are real blocks: 16 MiB of them as soon as the journal may
// take 128 MiB.
func TestReserve(t *testing.T) {
	for size, want := range map[int64]int64{1 << 20: 128 << 10, 64 << 20: 8 << 20, 128 << 20: 16 << 20, 8 << 30: 16 << 20} {
		dir := t.TempDir()
		j := open(Options{Path: dir, MaxSize: size, MinFree: -1}, system{}, 0)
		s := j.State()
		var st unix.Stat_t
		if err := unix.Stat(filepath.Join(dir, spareName), &st); err != nil {
			t.Fatal(err)
		}
		if !s.Reserve || s.SegmentSize != want {
			t.Errorf("%d: %+v", size, s)
		}
		if st.Blocks*512 < want {
			f, err := os.Create(filepath.Join(dir, "try"))
			if err == nil {
				err = unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, 4096)
				f.Close()
			}
			if err != nil {
				t.Skipf("no blocks can be reserved on %s: %v", dir, err)
			}
			t.Errorf("%d: %d bytes are reserved, want %d", size, st.Blocks*512, want)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestLockOfARealDirectory(t *testing.T) {
	dir := t.TempDir()
	j := open(Options{Path: dir, MinFree: -1}, system{}, 0)
	second := open(Options{Path: dir, MinFree: -1}, system{}, 0)
	if s := second.State(); s.Degraded == nil || !strings.Contains(s.Degraded.Error(), ErrLocked.Error()) {
		t.Errorf("%v", s.Degraded)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	third := open(Options{Path: dir, MinFree: -1}, system{}, 0)
	if err := third.State().Degraded; err != nil {
		t.Error(err)
	}
	if third.Epoch() != j.Epoch() {
		t.Error("another epoch after Close")
	}
	third.Close()
}

// One appender, readers that come and go, and everybody who asks, at once: for
// the race detector, and each reader gets each event once.
func TestConcurrent(t *testing.T) {
	var told sync.Map
	j := Open(Options{Path: t.TempDir(), MaxSize: 1 << 20, MinFree: -1, Sync: Interval(5 * time.Millisecond),
		Incident: func(i Incident) { told.Store(i.Kind, i) }})
	const total = 40_000
	var readers sync.WaitGroup
	for k := range 3 {
		c := cursor(t, j, fmt.Sprint("out", k))
		readers.Go(func() {
			next := uint64(1)
			for n := 1; ; n++ {
				batch, gap, err := c.Read(context.Background(), 1+200*k, 64<<10)
				next += gap.Evicted + gap.Quarantined
				if err != nil {
					break
				}
				for i := range batch {
					if batch[i].Seq != next || idOf(&batch[i]) != next {
						t.Errorf("reader %d: got %d, want %d", k, batch[i].Seq, next)
						return
					}
					next++
				}
				if n%7 == 0 {
					c.Rewind()
					c.j.mu.Lock() // at one moment: segments go all the time
					next = c.acked + 1 - c.told.Evicted - c.told.Quarantined
					c.j.mu.Unlock()
					continue
				}
				c.Advance(next-1, Sums{Delivered: next - 1 - c.State().Acknowledged - behind(c, next-1)})
			}
			if s := c.State(); s.Pending != 0 || s.LastSeq != total || s.Delivered+s.Evicted != total {
				t.Errorf("reader %d: %+v", k, s)
			}
		})
	}
	stop := make(chan struct{})
	var others sync.WaitGroup
	others.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				j.State()
				j.Cursors()
				n := 0
				j.Scan(context.Background(), 0, func(*event.Event) bool { n++; return n < 500 })
			}
		}
	})
	for n := 1; n <= total; n += 100 {
		j.Append(events(n, 100))
	}
	j.End()
	readers.Wait()
	close(stop)
	others.Wait()
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}

// behind counts the gaps up to a number that are not yet passed.
func behind(c *Cursor, through uint64) (n uint64) {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	for _, g := range c.ahead {
		if g.from <= through {
			n += g.to + 1 - g.from
		}
	}
	return n
}

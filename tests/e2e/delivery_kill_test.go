package e2e

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs"
	file "trailhound/outputs/csv"
	"trailhound/outputs/journal"
	"trailhound/outputs/logstash"
)

// deliveryPatience is when these tests give up; it never decides what is right.
const deliveryPatience = 2 * time.Minute

// These turn TestDeliveryChild into a process that journals and delivers.
const (
	childDirectory = "TRAILHOUND_E2E_DELIVERY"
	childReceiver  = "TRAILHOUND_E2E_RECEIVER"
	childDrains    = "TRAILHOUND_E2E_DRAIN"
)

// TestDeliveryChild is no test but the process that TestDeliveryKilled kills. It
// appends a batch for each byte on standard input and then writes to descriptor
// 3 the last number that Append has returned.
func TestDeliveryChild(t *testing.T) {
	dir := os.Getenv(childDirectory)
	if dir == "" {
		t.Skip("the process that TestDeliveryKilled starts")
	}
	j := journal.Open(journal.Options{Path: filepath.Join(dir, "journal"), MaxSize: 4 << 30, MinFree: -1})
	if err := j.State().Degraded; err != nil {
		t.Fatal(err)
	}
	opt := file.Defaults()
	opt.Path, opt.Daily, opt.MaxSize = filepath.Join(dir, "events.csv"), false, 4<<30
	rows, err := file.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := logstash.New(logstash.Keys{Addresses: []string{os.Getenv(childReceiver)}}, logstash.Env{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	loops := []*outputs.Delivery{
		deliveryLoop(t, j, "file", rows, outputs.Settings{Batch: 64}),
		deliveryLoop(t, j, "tcp", lines, outputs.Settings{Batch: 50}),
		deliveryLoop(t, j, "dead", &refuser{}, outputs.Settings{}),
	}
	for _, d := range loops {
		go d.Run(ctx)
	}
	if os.Getenv(childDrains) != "" {
		j.End()
		for _, d := range loops[:2] {
			<-d.Done()
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		}
		stop()
		<-loops[2].Done()
		if err := j.Close(); err != nil {
			t.Error(err)
		}
		return
	}
	said := os.NewFile(3, "numbers")
	for token := make([]byte, 1); ; {
		if _, err := os.Stdin.Read(token); err != nil {
			return
		}
		batch := deliveryEvents(1 + rand.N(97))
		first := j.Append(batch)
		fmt.Fprintln(said, first+uint64(len(batch))-1)
	}
}

// deliveryLoop makes the loop of an output over a journal.
func deliveryLoop(t *testing.T, j *journal.Journal, name string, out outputs.Output, set outputs.Settings) *outputs.Delivery {
	t.Helper()
	c, err := j.Cursor(name, journal.CursorOptions{FromStart: true})
	if err != nil {
		t.Fatal(err)
	}
	set.Health, set.First, set.Most = true, time.Millisecond, 20*time.Millisecond
	if set.Timeout == 0 {
		set.Timeout = 10 * time.Second
	}
	return outputs.NewDelivery(name, "test", out, c, set, nil, nil, slog.New(slog.DiscardHandler))
}

// deliveryEvents makes events whose text is of many lengths.
func deliveryEvents(n int) []event.Event {
	now := time.Now().UTC().Truncate(time.Microsecond)
	list := make([]event.Event, n)
	for i := range list {
		name := strings.Repeat("x", rand.N(200)) + ".evil.example"
		list[i] = event.Event{ID: event.NewID(now), Time: now, Type: event.DNS, Code: event.TrailDNS, Severity: event.High, Confidence: 90,
			Direction: event.Outbound, Observable: name, Indicator: "evil.example", Trail: name, Info: "test (malware)", Reference: "(static)",
			Src: netip.MustParseAddr("192.0.2.1"), SrcPort: 50000, Dst: netip.MustParseAddr("198.51.100.53"), DstPort: 53, Protocol: "UDP"}
	}
	return list
}

// refuser is an output that is dead for the whole run.
type refuser struct{}

func (*refuser) Send(context.Context, []event.Event) (outputs.Result, error) {
	return outputs.Result{}, errors.New("connection refused")
}
func (*refuser) Check(context.Context) error  { return nil }
func (*refuser) Limits() outputs.Limits       { return outputs.Limits{} }
func (*refuser) Guarantee() outputs.Guarantee { return outputs.Acknowledged }
func (*refuser) Close() error                 { return nil }

// arrivals are the events that came to a receiver: the id by number. One that
// comes twice has to be the same event.
type arrivals struct {
	t     *testing.T
	mu    sync.Mutex
	ids   map[uint64]string
	twice int
}

func (a *arrivals) take(seq uint64, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ids == nil {
		a.ids = make(map[uint64]string)
	}
	switch before := a.ids[seq]; {
	case id == "":
		a.t.Errorf("number %d has no id", seq)
	case before == "":
		a.ids[seq] = id
	case before == id:
		a.twice++
	default:
		a.t.Errorf("number %d is event %s and event %s", seq, before, id)
	}
}

// has says how many there are, and the first that is not of those up to last.
func (a *arrivals) has(last uint64) (n int, missing uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for seq := uint64(1); seq <= last; seq++ {
		if a.ids[seq] == "" {
			return len(a.ids), seq
		}
	}
	return len(a.ids), 0
}

// listen takes JSON lines; a line that is cut off counts as none.
func (a *arrivals) listen(t *testing.T) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				for in := bufio.NewReader(c); ; {
					line, err := in.ReadBytes('\n')
					if err != nil {
						return
					}
					var doc struct {
						Event struct {
							ID       string
							Sequence uint64
						}
					}
					if err := json.Unmarshal(line, &doc); err != nil {
						a.t.Errorf("%v: %q", err, line)
					}
					a.take(doc.Event.Sequence, doc.Event.ID)
				}
			})
		}
	})
	t.Cleanup(func() { l.Close(); all.Wait() })
	return l.Addr().String()
}

// rowsFile reads a growing CSV file: what was added since the last time, up to
// the last whole line.
type rowsFile struct {
	path     string
	off      int64
	seq, id  int // columns
	arrivals *arrivals
}

func (r *rowsFile) read(t *testing.T) {
	t.Helper()
	f, err := os.Open(r.path)
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, r.off, 1<<40))
	if err != nil {
		t.Fatal(err)
	}
	text = text[:strings.LastIndexByte(string(text), '\n')+1]
	rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		if r.off == 0 && i == 0 {
			r.seq, r.id = slices.Index(row, "seq"), slices.Index(row, "event_id")
			continue
		}
		n, err := strconv.ParseUint(row[r.seq], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		r.arrivals.take(n, row[r.id])
	}
	r.off += int64(len(text))
}

// TestDeliveryKilled kills a process that journals and delivers, at random
// moments. Every number that Append returned arrives at the file and at the
// receiver on TCP; what comes twice is the same event; nothing is acknowledged
// that has not arrived; and the sums of each cursor add up at each start.
func TestDeliveryKilled(t *testing.T) {
	kills := 20
	if os.Getenv("TRAILHOUND_CHAOS") != "" {
		kills = 200
	}
	if testing.Short() {
		kills = 5
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	tcp, onDisk := &arrivals{t: t}, &arrivals{t: t}
	rows := &rowsFile{path: filepath.Join(dir, "events.csv"), arrivals: onDisk}
	address := tcp.listen(t)
	returned := uint64(0)
	for run := range kills {
		if n := deliveryRun(t, dir, address, chance, tcp, returned); n > 0 {
			returned = n
		}
		rows.read(t)
		for _, c := range deliveryCursors(t, dir) {
			if c.Evicted+c.Quarantined+c.DeadLettered+c.Filtered != 0 || c.Delivered != c.Acknowledged-c.StartSeq || c.LastSeq < returned {
				t.Fatalf("kill %d, %d returned: %+v", run, returned, c)
			}
			switch c.Name {
			case "dead":
				if c.Acknowledged != 0 {
					t.Fatalf("kill %d: delivered to the dead: %+v", run, c)
				}
			case "file":
				if _, missing := onDisk.has(c.Acknowledged); missing != 0 {
					t.Fatalf("kill %d: %d is acknowledged and not in the file: %+v", run, missing, c)
				}
			}
		}
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestDeliveryChild$")
	cmd.Env = append(os.Environ(), childDirectory+"="+dir, childReceiver+"="+address, childDrains+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	rows.read(t)
	last := uint64(0)
	for _, c := range deliveryCursors(t, dir) {
		last = c.LastSeq
		if c.Name != "dead" && (c.Pending != 0 || c.Delivered != last) || c.Name == "dead" && c.Pending != last {
			t.Errorf("%+v", c)
		}
	}
	if last < returned || returned == 0 {
		t.Errorf("Append had returned %d, the journal ends at %d", returned, last)
	}
	if n, missing := onDisk.has(last); missing != 0 || n != int(last) {
		t.Errorf("file: %d of %d, %d is the first that is missing", n, last, missing)
	}
	deliveryUntil(t, "the last line", func() bool { n, _ := tcp.has(0); return n >= int(last) })
	if n, missing := tcp.has(last); missing != 0 || n != int(last) {
		t.Errorf("tcp: %d of %d, %d is the first that is missing", n, last, missing)
	}
	t.Logf("%d kills, %d events; came twice: file %d, tcp %d", kills, last, onDisk.twice, tcp.twice)
}

// deliveryRun lets the process work and kills it at a moment that is chance's:
// after some of its batches, or while what it appended is being delivered. It
// gives the last number that Append had returned; 0: none.
func deliveryRun(t *testing.T, dir, address string, chance *rand.Rand, tcp *arrivals, before uint64) (returned uint64) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestDeliveryChild$")
	cmd.Env = append(os.Environ(), childDirectory+"="+dir, childReceiver+"="+address)
	cmd.Stderr = os.Stderr
	numbers, said, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer numbers.Close()
	cmd.ExtraFiles = []*os.File{said}
	orders, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said.Close()
	batches := 1 + chance.IntN(60)
	if _, err := orders.Write(make([]byte, batches)); err != nil {
		t.Error(err)
	}
	lines := bufio.NewScanner(numbers)
	take := func() {
		n, err := strconv.ParseUint(lines.Text(), 10, 64)
		if err != nil || n <= returned || n <= before {
			t.Errorf("%q behind %d and %d: %v", lines.Text(), returned, before, err)
		}
		returned = n
	}
	for range chance.IntN(batches + 1) {
		if !lines.Scan() {
			t.Fatalf("the process has ended by itself: %v", cmd.Wait())
		}
		take()
	}
	if chance.IntN(2) == 0 && returned > before {
		want := int(before) + chance.IntN(int(returned-before))
		deliveryUntil(t, fmt.Sprint(want, " arrivals"), func() bool { n, _ := tcp.has(0); return n >= want })
	}
	cmd.Process.Kill()
	for lines.Scan() { // what it said before it died
		take()
	}
	cmd.Wait()
	return returned
}

// deliveryCursors looks into the journal that nobody has open.
func deliveryCursors(t *testing.T, dir string) []journal.CursorState {
	t.Helper()
	v, err := journal.OpenReadOnly(filepath.Join(dir, "journal"))
	if errors.Is(err, os.ErrNotExist) {
		return nil // killed before anything
	}
	if err != nil {
		t.Fatal(err)
	}
	list := v.Cursors()
	for _, c := range list {
		if c.LastSeq-c.StartSeq != c.Delivered+c.Filtered+c.DeadLettered+c.Evicted+c.Quarantined+c.Pending {
			t.Fatalf("does not add up: %+v", c)
		}
	}
	return list
}

// deliveryUntil asks until something is so.
func deliveryUntil(t *testing.T, what string, is func() bool) {
	t.Helper()
	limit, tick := time.NewTimer(deliveryPatience), time.NewTicker(2*time.Millisecond)
	defer limit.Stop()
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("never: %s", what)
		}
	}
}

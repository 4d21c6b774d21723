package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs"
	file "trailhound/outputs/csv"
	"trailhound/outputs/journal"
	"trailhound/outputs/logstash"
	"trailhound/outputs/syslog"
)

// These turn TestDeliveryChild into a process that journals and delivers.
const (
	childDirectory = "TRAILHOUND_E2E_DELIVERY"
	childLines     = "TRAILHOUND_E2E_LINES" // addresses; empty: no such output
	childBeats     = "TRAILHOUND_E2E_BEATS"
	childSyslog    = "TRAILHOUND_E2E_SYSLOG"
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
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	loops := []*outputs.Delivery{
		deliveryLoop(t, j, "file", rows, outputs.Settings{Batch: 64}),
		deliveryLoop(t, j, "tcp", newLogstash(t, logstash.Keys{Addresses: []string{os.Getenv(childLines)}}), outputs.Settings{Batch: 50}),
		deliveryLoop(t, j, "beats", newLogstash(t, logstash.Keys{Protocol: "lumberjack", Addresses: []string{os.Getenv(childBeats)}, Window: 40}), outputs.Settings{Batch: 80}),
	}
	if address := os.Getenv(childSyslog); address != "" {
		loops = append(loops, deliveryLoop(t, j, "rsyslog", newSyslog(t, syslog.Keys{Address: "tcp://" + address}), outputs.Settings{Batch: 70}))
	}
	dead := deliveryLoop(t, j, "dead", &refuser{}, outputs.Settings{})
	go dead.Run(ctx)
	for _, d := range loops {
		go d.Run(ctx)
	}
	if os.Getenv(childDrains) != "" {
		j.End()
		for _, d := range loops {
			<-d.Done()
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		}
		stop()
		<-dead.Done()
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

// killedDelivery is a process that is killed again and again, and what has come of it.
type killedDelivery struct {
	t        *testing.T
	chance   *rand.Rand
	dir      string
	env      []string
	returned uint64               // the last number that Append has
	arrived  map[string]*arrivals // by output
	reads    []func()             // look at what has come to files since
}

// TestDeliveryKilled kills a process that journals and delivers, at random
// moments. Every number that Append returned arrives at the file, at the
// receivers of JSON lines and of Lumberjack, and at a real rsyslog; what comes
// twice is the same event; nothing is acknowledged that has not arrived; and the
// sums of each cursor add up at each start.
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
	k := &killedDelivery{t: t, chance: rand.New(rand.NewPCG(seed, 0)), dir: t.TempDir(), arrived: make(map[string]*arrivals)}
	for _, name := range []string{"file", "tcp", "beats"} {
		k.arrived[name] = &arrivals{t: t}
	}
	rows := &rowsFile{path: filepath.Join(k.dir, "events.csv"), arrivals: k.arrived["file"]}
	k.reads = append(k.reads, func() { rows.read(t) })
	k.env = append(os.Environ(), childDirectory+"="+k.dir, childLines+"="+k.arrived["tcp"].listen(t), childBeats+"="+k.arrived["beats"].acknowledge(t))
	if os.Getenv("TRAILHOUND_RECEIVERS") != "" {
		r := startRsyslog(t)
		k.arrived["rsyslog"] = &arrivals{t: t}
		k.env = append(k.env, childSyslog+"="+r.address("tcp"))
		messages := &messagesFile{path: r.lines.path, arrivals: k.arrived["rsyslog"]}
		k.reads = append(k.reads, func() { messages.read(t) })
	}
	for run := range kills {
		k.run()
		for _, read := range k.reads {
			read()
		}
		for _, c := range deliveryCursors(t, k.dir) {
			if c.Evicted+c.Quarantined+c.DeadLettered+c.Filtered != 0 || c.Delivered != c.Acknowledged-c.StartSeq || c.LastSeq < k.returned {
				t.Fatalf("kill %d, %d returned: %+v", run, k.returned, c)
			}
			switch c.Name {
			case "dead":
				if c.Acknowledged != 0 {
					t.Fatalf("kill %d: delivered to the dead: %+v", run, c)
				}
			case "file", "beats": // what is acknowledged is there
				if _, missing := k.arrived[c.Name].has(c.Acknowledged); missing != 0 {
					t.Fatalf("kill %d: %d is acknowledged and has not arrived: %+v", run, missing, c)
				}
			}
		}
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestDeliveryChild$")
	cmd.Env = append(k.env, childDrains+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	last := uint64(0)
	for _, c := range deliveryCursors(t, k.dir) {
		last = c.LastSeq
		if c.Name != "dead" && (c.Pending != 0 || c.Delivered != last) || c.Name == "dead" && c.Pending != last {
			t.Errorf("%+v", c)
		}
	}
	if last < k.returned || k.returned == 0 {
		t.Errorf("Append had returned %d, the journal ends at %d", k.returned, last)
	}
	for name, a := range k.arrived {
		if !within(patience, func() bool {
			for _, read := range k.reads {
				read()
			}
			n, _ := a.has(0)
			return n >= int(last)
		}) {
			t.Errorf("%s: not all arrive", name)
		}
		if n, missing := a.has(last); missing != 0 || n != int(last) {
			t.Errorf("%s: %d of %d, %d is the first that is missing", name, n, last, missing)
		}
		t.Logf("%d kills, %d events: %s got %d of them twice", kills, last, name, a.twice)
	}
}

// run lets the process work and kills it at a moment that is chance's: after
// some of its batches, or while what it appended is being delivered.
func (k *killedDelivery) run() {
	t, before := k.t, k.returned
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestDeliveryChild$")
	cmd.Env = k.env
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
	batches := 1 + k.chance.IntN(60)
	if _, err := orders.Write(make([]byte, batches)); err != nil {
		t.Error(err)
	}
	lines := bufio.NewScanner(numbers)
	take := func() {
		n, err := strconv.ParseUint(lines.Text(), 10, 64)
		if err != nil || n <= k.returned {
			t.Errorf("%q behind %d: %v", lines.Text(), k.returned, err)
		}
		k.returned = n
	}
	for range k.chance.IntN(batches + 1) {
		if !lines.Scan() {
			t.Fatalf("the process has ended by itself: %v", cmd.Wait())
		}
		take()
	}
	if k.chance.IntN(2) == 0 && k.returned > before {
		name := []string{"tcp", "beats"}[k.chance.IntN(2)]
		want := int(before) + k.chance.IntN(int(k.returned-before))
		until(t, fmt.Sprint(want, " arrive at ", name), func() bool { n, _ := k.arrived[name].has(0); return n >= want })
	}
	cmd.Process.Kill()
	for lines.Scan() { // what it said before it died
		take()
	}
	cmd.Wait()
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
		addsUp(t, c)
	}
	return list
}

package live

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	envBench = "TRAILHOUND_BENCH_LIVE"
	envDir   = "TRAILHOUND_BENCH_DIR"   // reference.pcap, office.pcap
	envTable = "TRAILHOUND_BENCH_TABLE" // the table of 1.63 million trails
	envTime  = "TRAILHOUND_BENCH_TIME"  // how long each row takes, 10s when unset
)

// clockTicks is USER_HZ, the unit of utime and stime in proc_pid_stat(5): 100 on
// every architecture that Go runs on.
const clockTicks = 100

// measured is a row of the table.
type measured struct {
	name      string
	offered   int // packets a second; 0: top speed
	workers   int
	packets   uint64
	rate      float64 // packets a second as sent
	perPacket time.Duration
	drops     uint64
	events    uint64
	resident  uint64 // bytes, without the rings
	rings     uint64
	ready     time.Duration // from exec to READY=1
}

// TestBench measures the service on a veth pair: the cost of a packet, what is
// lost, memory, and the time to ready. It holds no limits, because machines
// differ; make bench-live prints it.
func TestBench(t *testing.T) {
	if os.Getenv(envBench) == "" {
		t.Skipf("a measurement: make bench-live, or %s=1", envBench)
	}
	need(t)
	dir, table := os.Getenv(envDir), os.Getenv(envTable)
	for _, path := range []string{table, filepath.Join(dir, "reference.pcap")} {
		if _, err := os.Stat(path); err != nil {
			t.Fatalf("%s, %s: %v", envDir, envTable, err)
		}
	}
	length := 10 * time.Second
	if text := os.Getenv(envTime); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatalf("%s: %v", envTime, err)
		}
	}
	fmt.Printf("%-10s %8s %8s %10s %10s %8s %9s %8s %8s %9s %8s\n",
		"mix", "offered", "workers", "packets", "sent/s", "ns/pkt", "drops", "events", "RSS MB", "rings MB", "ready ms")
	for _, row := range []measured{
		{name: "reference", offered: 300_000, workers: 1},
		{name: "reference", offered: 300_000, workers: runtime.NumCPU()},
		{name: "office", offered: 300_000, workers: 1},
		{name: "reference", workers: 1},
	} {
		path := filepath.Join(dir, row.name+".pcap")
		if _, err := os.Stat(path); err != nil {
			t.Logf("not measured: %v", err)
			continue
		}
		row.measure(t, path, table, length)
		offered := "top"
		if row.offered > 0 {
			offered = strconv.Itoa(row.offered)
		}
		fmt.Printf("%-10s %8s %8d %10d %10.0f %8d %9d %8d %8.1f %9.1f %8.1f\n", row.name, offered, row.workers, row.packets, row.rate,
			row.perPacket.Nanoseconds(), row.drops, row.events, float64(row.resident)/1e6, float64(row.rings)/1e6, float64(row.ready.Microseconds())/1000)
	}
}

// measure runs the sensor with its own defaults, as it is installed, and plays
// the mix to it for about length.
func (m *measured) measure(t *testing.T, path, table string, length time.Duration) {
	near, far := newSpace(t), newSpace(t)
	near.veth("v0", far, "v1", 9000)
	r := start(near, setup{interfaces: "[v0]", table: table, workers: m.workers,
		extra: "capture: {ring_total: 256MiB, snaplen: 18KiB}\nsuppress: {aggregate: 60s}\ndetection: {missing_host: false}"})
	defer r.kill()
	m.ready = r.ready
	rate, a := []string{"--topspeed"}, 500_000.0 // about what tcpreplay manages
	if m.offered > 0 {
		rate, a = []string{"--pps", strconv.Itoa(m.offered)}, float64(m.offered)
	}
	play := func(loops int) {
		args := append(rate, "--preload-pcap", "--quiet", "--loop", strconv.Itoa(max(loops, 1)), "--intf1", "v1", path)
		if _, err := far.Try("tcpreplay", args...); err != nil {
			t.Fatal(err)
		}
	}
	play(1) // caches are warm afterwards, and the heap has grown
	warm, _ := far.carried("v1")
	s := r.account(warm)
	seenWarm, _, _ := reckoned(&s)
	before, began := processor(t, r.pid), time.Now()
	play(int(a * length.Seconds() / float64(warm)))
	took := time.Since(began)
	sent, _ := far.carried("v1")
	s = r.account(sent)
	used := processor(t, r.pid) - before
	seen, drops, _ := reckoned(&s)
	m.packets, m.drops, m.events = sent-warm, drops, s.Gate.Passed
	m.rate = float64(m.packets) / took.Seconds()
	m.perPacket = used / time.Duration(max(seen-seenWarm, 1))
	m.rings = s.Memory.RingsBytes
	m.resident = resident(t, r.pid) - m.rings
	r.end(sent)
}

// resident is the memory of a process that is its own or a file's. The pages of
// rings count as a file's.
func resident(t *testing.T, pid int) (bytes uint64) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 3 && (f[0] == "RssAnon:" || f[0] == "RssFile:") {
			n, _ := strconv.ParseUint(f[1], 10, 64)
			bytes += n << 10
		}
	}
	return bytes
}

// processor is the time that a process has had of all processors.
func processor(t *testing.T, pid int) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ") // the name may hold anything
	f := strings.Fields(rest)
	user, _ := strconv.ParseInt(f[11], 10, 64)
	system, _ := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * time.Second / clockTicks
}

// Package delivery measures what it costs to bring events to a receiver: the
// program itself against real receivers and against sinks that only read, and
// rsyslog's omelasticsearch beside it. Nothing in here holds limits, because
// machines differ; make bench-delivery prints the tables.
package delivery

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	envProgram = "TRAILHOUND_BENCH_DELIVERY"         // the program that is measured
	envEvents  = "TRAILHOUND_BENCH_DELIVERY_EVENTS"  // how many events, 300000 when unset
	envRounds  = "TRAILHOUND_BENCH_DELIVERY_ROUNDS"  // how often each way is measured, 3 when unset
	envBacklog = "TRAILHOUND_BENCH_DELIVERY_BACKLOG" // events of the backlog whose memory is measured, 5000000 when unset
	envCache   = "TRAILHOUND_RECEIVERS"              // where receivers are kept once they are made
)

// patience is when a run is given up; it never decides what is measured.
const patience = 15 * time.Minute

// bench is what all measurements share.
type bench struct {
	program string
	dir     string
	events  int
	rounds  int
}

func newBench(t *testing.T) *bench {
	t.Helper()
	program := os.Getenv(envProgram)
	if program == "" {
		t.Skipf("a measurement: make bench-delivery, or %s=/path/of/trailhound", envProgram)
	}
	program, err := filepath.Abs(program)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{program: program, dir: t.TempDir(), events: number(t, envEvents, 300_000), rounds: number(t, envRounds, 3)}
}

func number(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s: %q is no number of them", variable, text)
	}
	return n
}

// cost is what a run took. CPU is user and system time of the sending process.
type cost struct {
	events   int
	wall     time.Duration // from the start of the process until the receiver has everything
	cpu      time.Duration
	resident int64 // bytes, at its peak
	bytes    int64 // that the receiver got, where it counts them

	copied time.Duration // before: the journal
}

func (c *cost) rate() float64      { return float64(c.events) / c.wall.Seconds() }
func (c *cost) perEvent() float64  { return perEvent(c.cpu, c.events) }
func (c *cost) megabytes() float64 { return float64(c.resident) / 1e6 }

// perEvent is in microseconds.
func perEvent(cpu time.Duration, events int) float64 {
	return float64(cpu.Nanoseconds()) / 1000 / float64(events)
}

// row is a way of delivering, measured several times.
type row struct {
	name string
	runs []cost
	base *row   // what the same process does without delivering; nil: nothing
	why  string // it was not measured
}

// add notes a run.
func (r *row) add(t *testing.T, c cost) {
	t.Helper()
	t.Logf("%s: %.0f events/s, %.1f us CPU per event, %.0f MB", r.name, c.rate(), c.perEvent(), c.megabytes())
	r.runs = append(r.runs, c)
}

// median gives the middle of a value over the runs.
func (r *row) median(value func(*cost) float64) float64 {
	list := make([]float64, len(r.runs))
	for i := range r.runs {
		list[i] = value(&r.runs[i])
	}
	slices.Sort(list)
	middle := len(list) / 2
	if len(list)%2 == 0 {
		return (list[middle-1] + list[middle]) / 2
	}
	return list[middle]
}

// best gives the value that the machine disturbed least.
func (r *row) best(value func(*cost) float64) float64 {
	least := value(&r.runs[0])
	for i := range r.runs {
		least = min(least, value(&r.runs[i]))
	}
	return least
}

// load is how many processes wanted a processor in the last 1, 5 and 15 minutes
// (proc_loadavg(5)): with what the measurement itself does, about 2. Beside other
// work all figures are worse, CPU time too, since processors share their parts.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 3 {
		return "unknown"
	}
	return strings.Join(fields[:3], " ")
}

// print writes the rows as a table: the medians of all runs, and of the CPU time
// also the least and what is left without the base's.
func (b *bench) print(title string, rows []*row) {
	fmt.Printf("\n%s: %d events, medians of %d runs; %d processors, load %s\n%-44s %10s %12s %8s %8s %10s %8s\n", title, b.events, b.rounds, runtime.NumCPU(), load(), "", "events/s", "CPU us/event", "least", "net", "RSS MB", "B/event")
	for _, r := range rows {
		if len(r.runs) == 0 {
			fmt.Printf("%-44s not measured: %s\n", r.name, r.why)
			continue
		}
		net, size := "-", "-"
		if r.base != nil && len(r.base.runs) > 0 {
			net = fmt.Sprintf("%.1f", r.median((*cost).perEvent)-r.base.median((*cost).perEvent))
		}
		if n := r.runs[0].bytes; n > 0 {
			size = strconv.FormatInt(n/int64(r.runs[0].events), 10)
		}
		fmt.Printf("%-44s %10.0f %12.1f %8.1f %8s %10.0f %8s\n", r.name, r.median((*cost).rate), r.median((*cost).perEvent),
			r.best((*cost).perEvent), net, r.median((*cost).megabytes), size)
	}
}

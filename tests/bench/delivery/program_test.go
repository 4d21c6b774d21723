package delivery

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// settings make the program do the same on every machine: a trail table of its
// own, no file of the host's.
const settings = `state: %q
sensor: {name: edge-1}
detection: {heuristics: false}
journal: {max_size: 8GiB, min_free: 0}
suppress: {aggregate: 0s, inbound: 0s}
outputs:
- {name: out, %s}
`

// configure writes a configuration with one output.
func (b *bench) configure(t *testing.T, dir, output string) (path string) {
	t.Helper()
	path = filepath.Join(dir, "config.yaml")
	text := fmt.Sprintf(settings, filepath.Join(b.dir, "state"), output)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// run runs the program to its end and gives what it cost.
func (b *bench) run(t *testing.T, args ...string) (cost, *exec.ExitError) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.program, args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended, peak := make(chan struct{}), make(chan int64)
	go follow(cmd.Process.Pid, ended, peak)
	err := cmd.Wait()
	c := used(cmd)
	c.wall, c.events = time.Since(begin), b.events
	close(ended)
	c.resident = <-peak
	failed, _ := err.(*exec.ExitError)
	if err != nil && (failed == nil || failed.ExitCode() != 1) {
		t.Fatalf("%s %v: %v\n%s", b.program, args, err, &said)
	}
	if failed != nil {
		failed.Stderr = said.Bytes()
	}
	return c, failed
}

// must is run for what has to go well.
func (b *bench) must(t *testing.T, args ...string) cost {
	t.Helper()
	c, failed := b.run(t, args...)
	if failed != nil {
		t.Fatalf("%v: %s", args, failed.Stderr)
	}
	return c
}

// used gives the processor time of a process that has ended. The largest resident
// set of getrusage(2) is no use: it begins with that of the process that forked.
func used(cmd *exec.Cmd) cost {
	return cost{cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
}

// follow asks for the peak of a process's memory until that has ended, and then
// tells what it was told last.
func follow(pid int, ended <-chan struct{}, peak chan<- int64) {
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	var most int64
	for {
		select {
		case <-tick.C:
			most = max(most, resident(pid))
		case <-ended:
			peak <- most
			return
		}
	}
}

// resident is the largest that a process's resident set ever was, in bytes; 0 when
// it is not told (VmHWM of proc_pid_status(5), in kilobytes).
func resident(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmHWM:" {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			return n << 10
		}
	}
	return 0
}

// replay detects in the capture and delivers what is found.
func (b *bench) replay(t *testing.T, output string) cost {
	t.Helper()
	return b.must(t, "-c", b.configure(t, t.TempDir(), output), "replay", "--quiet", "--trails", b.trails(), "--every", "--deliver", b.capture())
}

// detect only detects: what it prints nobody reads.
func (b *bench) detect(t *testing.T) cost {
	t.Helper()
	return b.must(t, "-c", b.configure(t, t.TempDir(), "type: stdout"), "replay", "--quiet", "--trails", b.trails(), "--every",
		"--format", "csv", "-o", os.DevNull, b.capture())
}

// deliver delivers the events that wait in a copy of the journal: no capture is
// read. The copying does not count.
func (b *bench) deliver(t *testing.T, journal, output string) cost {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "journal")
	begin := time.Now()
	if err := os.CopyFS(dir, os.DirFS(journal)); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	copied := time.Since(begin)
	c := b.deliverFrom(t, dir, output)
	c.copied = copied
	return c
}

// deliverFrom delivers the events that wait in the journal itself.
func (b *bench) deliverFrom(t *testing.T, journal, output string) cost {
	t.Helper()
	return b.must(t, "-c", b.configure(t, t.TempDir(), output), "replay", "--quiet", "--trails", b.trails(), "--deliver", "--journal", journal)
}

// journalOf makes a journal in which all events of the capture wait: it has the
// program replay the capture to an output that nobody listens for, and not wait.
func (b *bench) journalOf(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(b.dir, "journal")
	output := `type: logstash, protocol: tcp, addresses: ["127.0.0.1:9"], retry: {first: 10s}` // discard (RFC 863): closed everywhere
	_, failed := b.run(t, "-c", b.configure(t, t.TempDir(), output), "replay", "--trails", b.trails(), "--every", "--deliver", "--wait", "0s",
		"--journal", dir, b.capture())
	if failed == nil {
		t.Fatal("somebody listens on port 9")
	}
	waiting := regexp.MustCompile(`([0-9]+) pending`).FindSubmatch(failed.Stderr)
	if waiting == nil || string(waiting[1]) != strconv.Itoa(b.events) {
		t.Fatalf("the journal is to hold %d events:\n%s", b.events, failed.Stderr)
	}
	return dir
}

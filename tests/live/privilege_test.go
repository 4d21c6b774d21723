package live

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestNoCapabilities: when the sensor says that it is ready, no thread of it may
// do anything that any process may not, nor ever get there.
func TestNoCapabilities(t *testing.T) {
	need(t)
	released(t)
	t.Parallel()
	near, far := newSpace(t), newSpace(t)
	near.veth("v0", far, "v1", 1500)
	r := start(near, setup{interfaces: "[v0]", table: writeTable(t, builder(t, rows)), workers: 4})
	check := func() {
		t.Helper()
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", r.pid))
		if err != nil || len(threads) < 4 {
			t.Fatalf("%d threads: %v", len(threads), err)
		}
		for _, path := range threads {
			text, err := os.ReadFile(path)
			if os.IsNotExist(err) || err == unix.ESRCH {
				continue // the thread has ended
			}
			if err != nil {
				t.Fatal(err)
			}
			state := make(map[string]string)
			for line := range strings.Lines(string(text)) {
				name, value, _ := strings.Cut(line, ":")
				state[name] = strings.TrimSpace(value)
			}
			for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapAmb"} {
				if strings.Trim(state[set], "0") != "" || state[set] == "" {
					t.Errorf("%s: %s is %q", path, set, state[set])
				}
			}
			if state["NoNewPrivs"] != "1" {
				t.Errorf("%s: a program that it starts could get privileges (NoNewPrivs %q)", path, state["NoNewPrivs"])
			}
		}
	}
	check()
	from := far.sender("v1")
	from.send(syns(100, 0)...)
	r.account(from.sent) // it works without
	check()
	r.end(from.sent)
	if n := len(r.found("trail.ip")); n != 100 {
		t.Errorf("%d events of 100", n)
	}
}

// TestWithoutPrivilege: who may not capture is told so, and what would help.
func TestWithoutPrivilege(t *testing.T) {
	need(t)
	near := newSpace(t)
	near.IP("link set lo up")
	dir := t.TempDir()
	config := setup{interfaces: "[lo]", table: writeTable(t, builder(t, rows))}.write(t, dir)
	// Without it in the bounding set, not even root gets it at exec.
	drop := func() error { return unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_NET_RAW, 0, 0, 0) }
	code, out, text := command(near, drop, "run", "-c", config, "--user", "")
	if code != 77 {
		t.Errorf("exit code %d: %s", code, text)
	}
	for _, want := range []string{"CAP_NET_RAW", "setcap cap_net_raw=ep", "AmbientCapabilities=CAP_NET_RAW"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in: %s", want, text)
		}
	}
	if out != "" {
		t.Errorf("standard output: %s", out)
	}
}

// TestUnknownInterface: the error lists those that there are.
func TestUnknownInterface(t *testing.T) {
	need(t)
	near, far := newSpace(t), newSpace(t)
	near.veth("v0", far, "v1", 1500)
	near.veth("tap7", far, "w1", 1500)
	config := setup{interfaces: "[eth7]", table: writeTable(t, builder(t, rows))}.write(t, t.TempDir())
	code, _, text := command(near, nil, "run", "-c", config, "--user", "")
	if code == 0 || code == 77 {
		t.Errorf("exit code %d", code)
	}
	if !regexp.MustCompile(`"eth7" does not exist; there are: lo, tap7, v0\b`).MatchString(text) {
		t.Error(text)
	}
}

// TestLate: an interface that is optional may come later, when the privilege is
// long gone; deleted and made again it is captured again.
func TestLate(t *testing.T) {
	need(t)
	t.Parallel()
	near, far := newSpace(t), newSpace(t)
	r := start(near, setup{interfaces: "[{name: v0, optional: true, alias: tap}]", table: writeTable(t, builder(t, rows)), workers: 2})
	var sent uint64
	for round := range 3 {
		near.veth("v0", far, "v1", 1500)
		r.until("it is captured", func() bool {
			for _, i := range r.status().Capture.Interfaces {
				if i.Name == "v0" && i.Up && i.Promiscuous {
					return true
				}
			}
			r.pausing()
			return false
		})
		from := far.sender("v1")
		for i := range 100 {
			from.send(query(1000*round + i))
		}
		sent += from.sent
		r.until("its events are there", func() bool { return len(r.found("trail.dns")) == int(sent) })
		near.IP("link del v0")
		r.until("it is gone", func() bool {
			for _, i := range r.status().Capture.Interfaces {
				if i.Name == "v0" && i.Up {
					r.pausing()
					return false
				}
			}
			return true
		})
	}
	r.end(sent)
	for _, e := range r.found("trail.dns") {
		if e.iface != "v0" {
			t.Fatalf("%+v", e)
		}
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/bpf"

	"trailhound/agent/capture/device"
	"trailhound/agent/config"
	"trailhound/agent/privilege"
)

// is checks a finding: its status, and that detail and action hold the texts.
func (f finding) is(t *testing.T, what, status, detail, action string) {
	t.Helper()
	if f.Status != status || !strings.Contains(f.Detail, detail) || !strings.Contains(f.Action, action) || (action == "") != (f.Action == "") {
		t.Errorf("%s:\n got %+v\nwant %s %q -> %q", what, f, status, detail, action)
	}
}

func TestPrintFindings(t *testing.T) {
	list := []finding{
		{"kernel", statusOK, "Linux 6.1", ""},
		{"interface \x1b[2J\nx", statusWarn, "silent\tor \xff", "look"},
		{"trails", statusFail, "none", "build"},
	}
	var b bytes.Buffer
	if err := printFindings(&b, list, false); err != nil {
		t.Fatal(err)
	}
	want := "OK    kernel            Linux 6.1\n" +
		"WARN  interface ?[2J?x  silent?or ? -> look\n" +
		"FAIL  trails            none -> build\n" +
		"1 ok, 1 warning, 1 failed\n"
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	b.Reset()
	printFindings(&b, list, true)
	if got := b.String(); !strings.HasPrefix(got, "\x1b[32mOK  \x1b[0m  kernel") || strings.Contains(got, "[2J\n") {
		t.Errorf("in colour: %q", got)
	}
	b.Reset()
	printFindingsJSON(&b, list)
	var back []map[string]string
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || len(back) != 3 || len(back[0]) != 4 || back[2]["status"] != "FAIL" || back[0]["action"] != "" {
		t.Errorf("JSON %s: %v", b.Bytes(), err)
	}
	if !failed(list) || failed(list[:2]) {
		t.Error("failed is wrong")
	}
}

func TestCheckPrivileges(t *testing.T) {
	denied := errors.New("operation not permitted")
	const raw = 1 << privilege.NetRaw
	has := privileges{State: privilege.State{Effective: raw, Permitted: raw, Bounding: raw}, uid: 990, user: "trailhound", binary: "/usr/bin/trailhound"}
	none := privileges{State: privilege.State{Bounding: raw}, uid: 1000, user: "ann", binary: "/opt/trailhound"}
	with := func(p privileges, change func(*privileges)) privileges { change(&p); return p }
	for _, c := range []struct {
		what                   string
		p                      privileges
		socket                 error
		status, detail, action string
	}{
		{"capability", has, nil, statusOK, "effective (user trailhound)", ""},
		{"root", with(has, func(p *privileges) { p.uid = 0 }), nil, statusOK, "root, which the service need not be", ""},
		{"refused all the same", has, denied, statusFail, "refuses a packet socket: operation not permitted", "seccomp"},
		{"none", none, denied, statusFail, "CAP_NET_RAW is missing (user ann)", "setcap cap_net_raw+ep /opt/trailhound; systemd AmbientCapabilities=CAP_NET_RAW; run as root"},
		{"the unit grants it", with(none, func(p *privileges) { p.unit = true }), denied, statusWarn, "unit grants it", "sudo trailhound doctor"},
		{"not even root may", with(none, func(p *privileges) { p.Bounding, p.unit = 1<<12, true }), denied, statusFail, "not in the bounding set", "--cap-add NET_RAW"},
		{"permitted only", with(none, func(p *privileges) { p.Permitted = raw }), denied, statusFail, "permitted, but not effective", "setcap"},
		{"no_new_privs", with(none, func(p *privileges) { p.file, p.NoNewPrivs = raw, true }), denied, statusFail, "no_new_privs is set", "without no_new_privs"},
		{"nosuid", with(none, func(p *privileges) { p.file = raw }), denied, statusFail, "nosuid", "setcap"},
	} {
		checkPrivileges(c.p, c.socket).is(t, c.what, c.status, c.detail, c.action)
	}
	if !grantsNetRaw("[Service]\nAmbientCapabilities=CAP_NET_RAW\n") || grantsNetRaw("#AmbientCapabilities=CAP_NET_RAW\nCapabilityBoundingSet=CAP_NET_RAW\n") {
		t.Error("units are read wrongly")
	}
}

func TestCheckKernel(t *testing.T) {
	broken := errors.New("protocol not available")
	for _, c := range []struct {
		what                   string
		k                      kernel
		f                      device.Features
		status, detail, action string
	}{
		{"all", kernel{release: "6.1.0-18-amd64", jit: "1"}, device.Features{}, statusOK, "Linux 6.1.0-18-amd64: TPACKET_V3 ring, socket filter", ""},
		{"seccomp", kernel{release: "6.1", seccomp: true}, device.Features{}, statusOK, "seccomp filter is on this process", ""},
		{"no ring", kernel{release: "6.1"}, device.Features{Ring: broken}, statusFail, "no TPACKET_V3 ring (protocol not available): nothing can be captured", "4.20"},
		{"no fan-out", kernel{release: "4.1"}, device.Features{Fanout: broken}, statusWarn, "set capture.workers to 1", "4.20"},
		{"no privilege", kernel{release: "6.1"}, device.Features{Socket: broken}, statusOK, "could not be tried", ""},
		{"no privilege, old", kernel{release: "4.19.0-rc1"}, device.Features{Socket: broken}, statusWarn, "could not be tried", "4.20"},
	} {
		checkKernel(c.k, c.f)[0].is(t, c.what, c.status, c.detail, c.action)
	}
	all := checkKernel(kernel{release: "6.1", jit: "0"}, device.Features{})
	all[len(all)-1].is(t, "no JIT", statusWarn, "interpreted", "bpf_jit_enable=1")
	for release, older := range map[string]bool{"4.19.3": true, "3.99": true, "4.20": false, "4.21.1": false, "5.0": false, "": false, "five": false} {
		if olderThan(release, oldest) != older {
			t.Errorf("%q is older: %v", release, !older)
		}
	}
}

func TestCheckFilter(t *testing.T) {
	c := config.Default()
	checkFilter(c, filterFacts{instructions: 1, compiler: "built-in"}).is(t, "none", statusOK, "every frame", "")
	c.Capture.Filter = "not port 9200"
	checkFilter(c, filterFacts{instructions: 20, compiler: "built-in", optmem: 20480}).is(t, "small", statusOK, `"not port 9200": 20 instructions, compiler built-in`, "")
	checkFilter(c, filterFacts{instructions: 4000, compiler: "tcpdump", optmem: 20480}).is(t, "large", statusFail, "optmem_max", "optmem_max=32128")
	checkFilter(c, filterFacts{err: errors.New("makes no sense")}).is(t, "wrong", statusFail, "makes no sense", "correct capture.filter")
	f := readFilter(c, true)
	checkFilter(c, f).is(t, "real", statusOK, "compiler built-in: (000) ", "")
	if got := listing([]bpf.RawInstruction{{Op: 0x06, K: 1}}); got != "(000) ret #1" {
		t.Errorf("listing %q", got)
	}
}

func TestCheckClock(t *testing.T) {
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		c                      clock
		status, detail, action string
	}{
		{clock{now: now, synchronised: true, mostError: 12 * time.Millisecond}, statusOK, "2026-05-01 00:00:00 UTC, synchronised (off by at most 12ms)", ""},
		{clock{now: now}, statusWarn, "not synchronised", "chronyd"},
		{clock{now: now, synchronised: true, mostError: 3 * time.Second}, statusWarn, "off by 3s", "time service"},
		{clock{now: now, err: errors.New("adjtimex: operation not permitted")}, statusWarn, "cannot be read: adjtimex", "timedatectl"},
		{clock{now: time.Unix(0, 0), synchronised: true}, statusFail, "1970-01-01", "set the clock"},
		{clock{now: now.AddDate(100, 0, 0), synchronised: true}, statusFail, "2126-05-01", "set the clock"},
	} {
		checkClock(c.c).is(t, fmt.Sprint(c.c.now), c.status, c.detail, c.action)
	}
	if c := readClock(); c.now.IsZero() || c.mostError < 0 {
		t.Errorf("read %+v", c)
	}
}

// tree writes files below a directory of the test's own.
func tree(t *testing.T, files map[string]string) (root string) {
	t.Helper()
	root = t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestReadMemory(t *testing.T) {
	const info = "MemTotal:        8000000 kB\nMemFree:          100 kB\nMemAvailable:    2097152 kB\n"
	for _, c := range []struct {
		what  string
		files map[string]string
		want  memory
	}{
		{"nothing", nil, memory{}},
		{"no limit", map[string]string{"proc/meminfo": info, "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/memory.high": "max\n"},
			memory{available: 2 << 30}},
		{"the least of all above", map[string]string{"proc/self/cgroup": "5:memory:/v1\n0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "300\n",
			"sys/fs/cgroup/a/memory.high": "200\n", "sys/fs/cgroup/memory.max": "400", "sys/fs/cgroup/v1/memory.max": "1"},
			memory{limit: 200, file: "/sys/fs/cgroup/a/memory.high"}},
		{"outside its namespace", map[string]string{"proc/self/cgroup": "0::/../../x\n", "sys/fs/cgroup/x/memory.max": "300\n"},
			memory{limit: 300, file: "/sys/fs/cgroup/x/memory.max"}},
		{"no limit of address space", map[string]string{"proc/self/limits": "Limit                     Soft Limit           Hard Limit           Units     \n" +
			"Max address space         unlimited            unlimited            bytes     \n", "proc/self/statm": "5 1 1 1 0 1 0\n"}, memory{}},
		{"address space", map[string]string{"proc/self/limits": "Max open files            1024                 524288               files     \n" +
			"Max address space         1073741824           unlimited            bytes     \n", "proc/self/statm": "16 1 1 1 0 1 0\n"},
			memory{space: 1<<30 - 16*int64(os.Getpagesize())}},
		{"address space used up", map[string]string{"proc/self/limits": "Max address space 4096 4096 bytes\n", "proc/self/statm": "16 1"}, memory{space: 1}},
		{"damaged", map[string]string{"proc/meminfo": "MemAvailable: many\n", "proc/self/cgroup": "0::/a", "sys/fs/cgroup/a/memory.max": "x"}, memory{}},
	} {
		if got := readMemory(tree(t, c.files)); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.what, got, c.want)
		}
	}
}

func TestCheckMemory(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		what                   string
		rings                  int64
		m                      memory
		status, detail, action string
	}{
		{"plenty", 256 * mib, memory{available: 8192 * mib}, statusOK, "rings of 256MiB, 8192 MiB available", ""},
		{"more than half", 256 * mib, memory{available: 500 * mib}, statusWarn, "more than half", "capture.ring_total to 250 MiB"},
		{"no room", 256 * mib, memory{available: 300 * mib}, statusFail, "do not fit", "150 MiB"},
		{"limit of both", 256 * mib, memory{available: 8192 * mib, limit: 300 * mib, file: "/x"}, statusWarn, "limit 300 MiB (/x)", "MemoryMax"},
		{"limit of the process", 8 * mib, memory{available: 8192 * mib, limit: 32 * mib}, statusWarn, "takes 64 MiB beside", "raise the limit"},
		{"address space", 256 * mib, memory{available: 8192 * mib, space: 500 * mib}, statusWarn, "500 MiB of address space left (RLIMIT_AS): the rings get half", "LimitAS"},
		{"enough address space", 8 * mib, memory{available: 8192 * mib, space: 500 * mib}, statusOK, "500 MiB of address space left", ""},
		{"unknown", 8 * mib, memory{}, statusWarn, "cannot be read", "/proc"},
	} {
		checkMemory(c.rings, c.m).is(t, c.what, c.status, c.detail, c.action)
	}
}

package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"

	"trailhound/agent/capture/device"
)

// kernel is what /proc says of the kernel.
type kernel struct {
	release string // 6.1.0-18-amd64
	seccomp bool   // a filter is on this process
	optmem  int    // net.core.optmem_max, bytes; 0: unknown
	jit     string // net.core.bpf_jit_enable; "": unknown, only root may read it
}

func readKernel() (k kernel) {
	k.release = readWord("/proc/sys/kernel/osrelease")
	status, _ := os.ReadFile("/proc/thread-self/status")
	k.seccomp = statusField(status, "Seccomp") == "2"
	k.optmem, _ = strconv.Atoi(readWord("/proc/sys/net/core/optmem_max"))
	k.jit = readWord("/proc/sys/net/core/bpf_jit_enable")
	return k
}

// statusField gives the value of a line of /proc/PID/status.
func statusField(status []byte, name string) string {
	for line := range bytes.Lines(status) {
		if value, ok := bytes.CutPrefix(line, []byte(name+":")); ok {
			return string(bytes.TrimSpace(value))
		}
	}
	return ""
}

// readWord reads a file of one line; "" if that fails.
func readWord(path string) string {
	b, _ := os.ReadFile(path)
	return strings.TrimSpace(string(b))
}

// oldest is the oldest kernel that has everything: PACKET_IGNORE_OUTGOING.
var oldest = [2]int{4, 20}

// checkKernel says what packet sockets can do here. Without the privilege to try
// it goes by the version.
func checkKernel(k kernel, f device.Features) []finding {
	all := []finding{checkFeatures(k, f)}
	if k.jit == "0" {
		all = append(all, finding{"kernel bpf", statusWarn, "the BPF compiler is off: filter and fan-out are interpreted for each packet",
			"sysctl -w net.core.bpf_jit_enable=1"})
	}
	return all
}

func checkFeatures(k kernel, f device.Features) finding {
	is := finding{Check: "kernel", Status: statusOK, Detail: "Linux " + k.release}
	if k.seccomp {
		is.Detail += ", a seccomp filter is on this process"
	}
	if f.Socket != nil {
		if olderThan(k.release, oldest) {
			is.Status, is.Action = statusWarn, fmt.Sprintf("use Linux %d.%d or newer", oldest[0], oldest[1])
		}
		is.Detail += "; packet sockets could not be tried (see privileges)"
		return is
	}
	has, lacks := []string{}, []string{}
	for _, one := range []struct {
		name    string
		err     error
		without string // what does not work without it
	}{
		{"TPACKET_V3 ring", f.Ring, "nothing can be captured"},
		{"socket filter", f.Filter, "nothing can be captured"},
		{"fan-out by BPF", f.Fanout, "one worker only: set capture.workers to 1"},
		{"ignore outgoing", f.IgnoreOutgoing, "packets on loopback count twice"},
	} {
		if one.err == nil {
			has = append(has, one.name)
			continue
		}
		lacks = append(lacks, fmt.Sprintf("no %s (%v): %s", one.name, one.err, one.without))
	}
	is.Detail += ": " + strings.Join(append(has, lacks...), ", ")
	switch {
	case f.Ring != nil || f.Filter != nil:
		is.Status = statusFail
	case len(lacks) > 0:
		is.Status = statusWarn
	}
	if len(lacks) > 0 {
		is.Action = fmt.Sprintf("use Linux %d.%d or newer with CONFIG_PACKET", oldest[0], oldest[1])
	}
	return is
}

// olderThan compares the first two numbers of a release; what is no release is
// not older.
func olderThan(release string, than [2]int) bool {
	var is [2]int
	if n, _ := fmt.Sscanf(release, "%d.%d", &is[0], &is[1]); n < 2 {
		return false
	}
	return is[0] < than[0] || is[0] == than[0] && is[1] < than[1]
}

package main

import (
	"fmt"
	"math"
	"os"
	"path"
	"strconv"
	"strings"

	"trailhound/agent/config"
)

// memory is what there is for the process, in bytes; 0: unknown.
type memory struct {
	available int64 // MemAvailable
	// limit is the least of memory.max and memory.high of the process's cgroup
	// (version 2) and those above it; 0: none.
	limit int64
	file  string // which one
	space int64  // left of RLIMIT_AS, at least 1; 0: there is no such limit
}

// sensorMemory is what the process takes without its rings.
const sensorMemory = 64 << 20

// readMemory reads /proc and /sys below root.
func readMemory(root string) (m memory) {
	info, _ := os.ReadFile(path.Join(root, "proc/meminfo"))
	if kb, ok := strings.CutSuffix(statusField(info, "MemAvailable"), " kB"); ok {
		n, _ := strconv.ParseInt(kb, 10, 64)
		m.available = n << 10
	}
	m.space = addressSpace(root)
	groups, _ := os.ReadFile(path.Join(root, "proc/self/cgroup"))
	least := int64(math.MaxInt64)
	for line := range strings.Lines(string(groups)) {
		group, ok := strings.CutPrefix(strings.TrimSpace(line), "0::")
		if !ok {
			continue // version 1
		}
		// Cleaned with a leading slash, no ".." of a process outside its cgroup
		// namespace leads out of the tree.
		for group = path.Clean("/" + group); ; group = path.Dir(group) {
			for _, name := range []string{"memory.max", "memory.high"} {
				file := path.Join("/sys/fs/cgroup", group, name)
				if n, err := strconv.ParseInt(readWord(path.Join(root, file)), 10, 64); err == nil && n < least {
					least, m.limit, m.file = n, n, file
				}
			}
			if group == "/" {
				break
			}
		}
	}
	return m
}

// addressSpace is what RLIMIT_AS leaves to this process. The sensor's own limit
// is that of its unit or shell.
func addressSpace(root string) int64 {
	limits, _ := os.ReadFile(path.Join(root, "proc/self/limits"))
	for line := range strings.Lines(string(limits)) {
		rest, ok := strings.CutPrefix(line, "Max address space")
		soft, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
		limit, err := strconv.ParseInt(soft, 10, 64)
		if !ok || err != nil { // unlimited
			continue
		}
		used, _, _ := strings.Cut(readWord(path.Join(root, "proc/self/statm")), " ")
		pages, _ := strconv.ParseInt(used, 10, 64)
		return max(limit-pages*int64(os.Getpagesize()), 1)
	}
	return 0
}

// checkMemory compares capture.ring_total with what is available, and the limit
// of the cgroup with what the process takes beside. The kernel does not charge
// rings to a cgroup (alloc_pg_vec in net/packet/af_packet.c takes pages without
// __GFP_ACCOUNT), but whoever limits memory by resident size counts them.
func checkMemory(rings int64, m memory) finding {
	f := finding{Check: "memory", Status: statusOK}
	f.Detail = fmt.Sprintf("rings of %v", config.Size(rings))
	if m.available > 0 {
		f.Detail += fmt.Sprintf(", %s available", mebibytes(m.available))
	}
	if m.limit > 0 {
		f.Detail += fmt.Sprintf(", limit %s (%s)", mebibytes(m.limit), m.file)
	}
	if m.space > 0 {
		f.Detail += fmt.Sprintf(", %s of address space left (RLIMIT_AS)", mebibytes(m.space))
	}
	lower := fmt.Sprintf("lower capture.ring_total to %s or less", mebibytes(max(m.available/2, 1<<20)))
	switch {
	case m.available > 0 && rings+sensorMemory > m.available:
		f.Status, f.Action = statusFail, lower
		f.Detail += ": the rings do not fit"
	case m.available > 0 && rings > m.available/2:
		f.Status, f.Action = statusWarn, lower
		f.Detail += ": the rings take more than half"
	case m.space > 0 && rings > m.space/2:
		f.Status, f.Action = statusWarn, "raise RLIMIT_AS (systemd: LimitAS, shell: ulimit -v), or lower capture.ring_total"
		f.Detail += ": the rings get half of it at most, for trails and heap count, too"
	case m.limit > 0 && m.limit < sensorMemory:
		f.Status, f.Action = statusWarn, "raise the limit (systemd: MemoryMax, MemoryHigh)"
		f.Detail += fmt.Sprintf(": the sensor takes %s beside its rings", mebibytes(sensorMemory))
	case m.limit > 0 && rings+sensorMemory > m.limit:
		f.Status, f.Action = statusWarn, "raise the limit (systemd: MemoryMax, MemoryHigh), or lower capture.ring_total"
		f.Detail += ": rings and sensor together are more than the limit; the kernel does not charge rings to it, other software may"
	case m.available == 0:
		f.Status, f.Action = statusWarn, "let it read /proc/meminfo"
		f.Detail += ", and how much is available cannot be read"
	}
	return f
}

func mebibytes(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }

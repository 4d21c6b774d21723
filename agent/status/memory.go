package status

import (
	"bytes"
	"os"
	"runtime/metrics"
	"strconv"
)

// ReadMemory gives the resident memory (proc(5), statm; 0 when it cannot be
// read) and the heap of this process. It stops nothing.
func ReadMemory() (rss, heap uint64) {
	if b, err := os.ReadFile("/proc/self/statm"); err == nil {
		if f := bytes.Fields(b); len(f) > 1 {
			pages, _ := strconv.ParseUint(string(f[1]), 10, 64)
			rss = pages * uint64(os.Getpagesize())
		}
	}
	m := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(m)
	if m[0].Value.Kind() == metrics.KindUint64 {
		heap = m[0].Value.Uint64()
	}
	return rss, heap
}

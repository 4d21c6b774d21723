package live

import (
	"bufio"
	"bytes"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// available reads how much memory can be had without pushing anything out:
// MemAvailable of /proc/meminfo, in bytes; 0: not known. The kernel would not
// refuse a ring that takes the last page, but end some process for it.
func available() int64 {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if v, ok := strings.CutPrefix(s.Text(), "MemAvailable:"); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(v, "kB")), 10, 64)
			return n << 10
		}
	}
	return 0
}

// addressSpaceName is what addressSpace measures, and where it is set.
const addressSpaceName = "address space (RLIMIT_AS: ulimit -v, LimitAS= of a systemd unit)"

// addressSpace is how much more the process may map, in bytes: a ring counts, and
// so do trail tables and the heap, which come after the rings. 0: there is no
// limit, or it is not known; what is used up is 1.
func addressSpace() int64 {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_AS, &limit) != nil || limit.Cur >= 1<<62 { // RLIM_INFINITY is all ones
		return 0
	}
	text, err := os.ReadFile("/proc/self/statm") // in pages, the size first (proc(5))
	if err != nil {
		return 0
	}
	pages, _, _ := bytes.Cut(text, []byte(" "))
	n, err := strconv.ParseInt(string(pages), 10, 64)
	if err != nil {
		return 0
	}
	return max(int64(limit.Cur)-n*int64(os.Getpagesize()), 1)
}

package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// stuck is a pipe that nobody reads, until it is opened.
type stuck struct {
	open chan struct{}
	mu   sync.Mutex
	text strings.Builder
}

func (s *stuck) Write(b []byte) (int, error) {
	<-s.open
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

// A log that nobody reads holds up nobody, and says afterwards what is missing.
func TestAsideWriter(t *testing.T) {
	to := &stuck{open: make(chan struct{})}
	w := newAsideWriter(to)
	const all = logLines + 100
	for i := range all {
		if n, err := fmt.Fprintf(w, "line %d\n", i); n == 0 || err != nil {
			t.Fatal(n, err)
		}
	}
	w.close(time.Millisecond) // does not wait for what does not come
	close(to.open)
	<-w.done
	lines := strings.Split(strings.TrimSpace(to.text.String()), "\n")
	var lost, kept int
	for _, l := range lines {
		var n int
		if _, err := fmt.Sscanf(l, "%d lines of the log were lost", &n); err == nil {
			lost += n
		} else {
			kept++
		}
	}
	if kept+lost != all || lost < 99 || lines[0] != "line 0" {
		t.Errorf("%d lines, %d lost", kept, lost)
	}
}

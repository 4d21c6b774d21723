package journal

import (
	"bytes"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A loss is logged when it begins, then with its sum every five minutes and at
// the end; who listens hears of each.
func TestLossesAreSummedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		heard := 0
		opt := Options{Log: slog.New(slog.NewTextHandler(&text, nil)), Incident: func(Incident) { heard++ }}
		j := open(opt, newTestDisk(1), 0)
		lose := func(output string, first, last uint64) {
			j.tell(Incident{Kind: Evicted, Output: output, First: first, Last: last, Events: last + 1 - first})
			synctest.Wait()
		}
		lose("a", 1, 10)
		for n := uint64(11); n < 111; n += 10 {
			lose("a", n, n+9)
		}
		lose("b", 1, 5)
		time.Sleep(6 * time.Minute)
		synctest.Wait()
		lose("a", 111, 111) // five minutes after the line before: not yet
		lose("b", 6, 6)
		time.Sleep(time.Hour)
		lose("a", 112, 120)
		lose("a", 121, 130)
		if err := j.Close(); err != nil {
			t.Error(err)
		}
		var lines []string
		for line := range strings.Lines(text.String()) {
			_, line, _ = strings.Cut(strings.TrimSpace(line), "output=")
			lines = append(lines, line)
		}
		got := strings.Join(lines, "\n")
		want := "a first=1 last=10 events=10\nb first=1 last=5 events=5\na first=11 last=110 events=100\n" +
			"b first=6 last=6 events=1\na first=111 last=111 events=1\na first=112 last=120 events=9\na first=121 last=130 events=10"
		if got != want || heard != 16 {
			t.Errorf("heard %d, logged\n%s\nwant\n%s", heard, got, want)
		}
	})
}

// What a sensor keeps in memory because its disk fails is not missing for those
// who look at the disk.
func TestViewWhileInMemory(t *testing.T) {
	d := newTestDisk(1)
	j := open(testOptions(), d, 0)
	c := cursor(t, j, "out")
	j.Append(events(1, 10))
	d.capacity = d.used() // slots are written in place
	j.writing.Lock()
	j.writeFailed(syscall.EIO)
	j.writing.Unlock()
	j.Append(events(11, 5))
	rest(t, c)
	j.tick()
	v, err := view("/j", d)
	if err != nil {
		t.Fatal(err)
	}
	s := v.State()
	if s.Incidents[InMemory] != 1 || s.Incidents[Missing]+s.Incidents[CursorAhead] != 0 || s.Missing != 0 || s.Last != 15 {
		t.Errorf("%+v", s)
	}
	// The process is killed: now they are.
	kill(j)
	j = open(testOptions(), d, 0)
	if n := count(j, CursorAhead) + count(j, Missing); n != 1 {
		t.Errorf("%+v", j.State())
	}
	kill(j)
}

package e2e

import (
	"encoding/csv"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs"
	"trailhound/outputs/maltrail"
)

// maltrailColumns takes a datagram of LOG_SERVER apart as the reference's server
// does: the second, and columns with a space between, quoted as in CSV.
func maltrailColumns(datagram string) (second string, columns []string, err error) {
	second, line, _ := strings.Cut(datagram, " ")
	r := csv.NewReader(strings.NewReader(line))
	r.Comma = ' '
	r.LazyQuotes = true // what is not quoted is raw
	columns, err = r.Read()
	return second, columns, err
}

// Every event arrives exactly once, with all that a line of the reference says,
// while somebody listens.
func TestMaltrailEveryEventArrives(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	o, err := maltrail.New(maltrail.Keys{Address: pc.LocalAddr().String(), TimeZone: "UTC"}, maltrail.Env{Identity: edge(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	events := enough()
	var taken atomic.Int64
	seen := make(times)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for b := make([]byte, 65536); len(seen) < events; {
			n, _, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			taken.Add(1)
			second, got, err := maltrailColumns(string(b[:n]))
			if err != nil || len(got) != 11 {
				t.Errorf("%v in %q", err, b[:n])
				return
			}
			k, err := strconv.Atoi(got[8][strings.LastIndexByte(got[8], ' ')+1:])
			if err != nil {
				t.Errorf("%v in %q", err, b[:n])
				return
			}
			e := variedEvent(k)
			if want := maltrailWant(&e); second != strconv.FormatInt(e.Time.Unix(), 10) || !slices.Equal(got, want) {
				t.Errorf("event %d is\n%q, want\n%q", k, got, want)
				return
			}
			seen[uint64(k+1)]++
		}
	}()
	l := newDeliveryLine(t, o, outputs.Settings{})
	for l.appended < events && !t.Failed() {
		l.feed(100)
		// Nothing but the receiver itself says how full the buffer of its socket is.
		until(t, "datagrams arrive", func() bool { return int64(l.appended)-taken.Load() < 50 || t.Failed() })
	}
	l.end()
	select {
	case <-done:
	case <-time.After(patience):
		pc.Close()
		<-done
	}
	if twice := seen.check(t, events); twice > 0 {
		t.Errorf("%d came twice", twice)
	}
}

// maltrailWant is what the columns of an event say.
func maltrailWant(e *event.Event) []string {
	port := func(n uint16) string {
		if n == 0 {
			return "-"
		}
		return strconv.Itoa(int(n))
	}
	src := sourceOf(e)
	return []string{e.Time.Format("2006-01-02 15:04:05.000000"), "edge-1", src, port(e.SrcPort), e.Dst.String(), port(e.DstPort),
		e.Protocol, string(e.Type), oneLine(e.Trail), oneLine(e.Info), e.Reference}
}

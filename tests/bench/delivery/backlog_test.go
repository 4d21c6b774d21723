package delivery

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs/journal"
	"trailhound/trails"
)

// TestBacklog delivers journals of very different lengths: the memory of the
// process says whether it depends on what waits.
func TestBacklog(t *testing.T) {
	b := newBench(t)
	b.generate(t)
	sink := newStreamSink(t)
	var rows []*row
	b.rounds = 1
	for _, n := range []int{1000, b.events, number(t, envBacklog, 5_000_000)} {
		dir := filepath.Join(t.TempDir(), "journal")
		began := time.Now()
		stored := fill(t, dir, n)
		took := time.Since(began)
		b := *b
		b.events = n
		c := b.deliverFrom(t, dir, `type: logstash, protocol: tcp, addresses: ["`+sink.address+`"]`)
		c.bytes = sink.check(t, n)
		rows = append(rows, &row{name: fmt.Sprintf("%d events, %d MB, made in %.1f s", n, stored/1e6, took.Seconds()), runs: []cost{c}})
	}
	b.print("Memory by backlog, JSON lines to a null sink", rows)
}

// fill makes a journal of n events as a DNS trail gives them and says how large
// it is.
func fill(t *testing.T, dir string, n int) (bytes int64) {
	t.Helper()
	j := journal.Open(journal.Options{Path: dir, MaxSize: 8 << 30, MinFree: -1})
	if err := j.State().Degraded; err != nil {
		t.Fatal(err)
	}
	c, err := j.Cursor("out", journal.CursorOptions{FromStart: true})
	if err != nil {
		t.Fatal(err)
	}
	list := make([]event.Event, 256)
	for i := range list {
		list[i] = waitingEvent(i)
	}
	for left := n; left > 0; left -= len(list) {
		j.Append(list[:min(left, len(list))])
	}
	bytes = c.State().PendingBytes
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes
}

// waitingEvent is the i-th event of a batch, of about the size of those of the capture.
func waitingEvent(i int) event.Event {
	now := time.Now().UTC().Truncate(time.Microsecond)
	name := fmt.Sprintf("cdn%d.bad-domain.example", i)
	return event.Event{ID: event.NewID(now), Time: now, Type: event.DNS, Code: event.TrailDNS, Severity: event.High, Confidence: 90,
		Direction: event.Outbound, Kind: trails.Domain, Observable: name, Indicator: "bad-domain.example", Trail: fmt.Sprintf("(cdn%d).bad-domain.example", i),
		Info: "lumma (malware)", Reference: "(static)", Sources: []trails.Source{{Name: "malware/lumma.txt"}},
		Src: netip.AddrFrom4([4]byte{10, 1, 2, byte(i)}), SrcPort: uint16(40000 + i), Dst: netip.MustParseAddr("192.0.2.53"), DstPort: 53, Protocol: "UDP",
		Application: "dns", DNS: event.DNSFacts{Question: name, Type: 1, Class: 1}}
}

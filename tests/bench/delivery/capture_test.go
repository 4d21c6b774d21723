package delivery

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trailhound/tests/corpus"
)

func (b *bench) trails() string  { return filepath.Join(b.dir, "trails.csv") }
func (b *bench) capture() string { return filepath.Join(b.dir, "events.pcap") }

// generate writes trails and a capture that raises exactly as many events as are
// wanted: each packet is a DNS query of another host for another name below one
// of a thousand listed domains. The same seed gives the same bytes.
func (b *bench) generate(t *testing.T) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	families := []string{"lumma", "remcos", "asyncrat", "agenttesla", "cobaltstrike", "vidar"}
	var list strings.Builder
	list.WriteString("trail,info,reference\n")
	domains := make([]string, 1000)
	for i := range domains {
		domains[i] = fmt.Sprintf("%s-%s.example", word(r, 5+r.IntN(8)), word(r, 4+r.IntN(6)))
		fmt.Fprintf(&list, "%s,%s (malware),(static)\n", domains[i], families[r.IntN(len(families))])
	}
	if err := os.WriteFile(b.trails(), []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(b.capture())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := bufio.NewWriterSize(f, 1<<20)
	header := corpus.Pcap(nil)
	out.Write(header)
	begin := time.Now().Add(-time.Hour).Truncate(time.Second).UTC()
	le := binary.LittleEndian
	var head [16]byte
	for i := range b.events {
		name := fmt.Sprintf("%s%d.%s", word(r, 3+r.IntN(6)), i, domains[r.IntN(len(domains))])
		source := fmt.Sprintf("10.%d.%d.%d", r.IntN(4), r.IntN(256), 1+r.IntN(254))
		frame := corpus.IP(source, "192.0.2.53", corpus.UDP(uint16(1024+r.IntN(64000)), 53, corpus.Query(corpus.Ask(name)))).Ethernet()
		when := begin.Add(time.Duration(i) * 5 * time.Millisecond)
		le.PutUint32(head[0:], uint32(when.Unix()))
		le.PutUint32(head[4:], uint32(when.Nanosecond()/1000))
		le.PutUint32(head[8:], uint32(len(frame.Data)))
		le.PutUint32(head[12:], uint32(len(frame.Data)))
		out.Write(head[:])
		out.Write(frame.Data)
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
}

// word gives letters that can be said, so that no name looks generated.
func word(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		letters := "bcdfghklmnprstvw"
		if i%2 == 1 {
			letters = "aeiou"
		}
		b[i] = letters[r.IntN(len(letters))]
	}
	return string(b)
}

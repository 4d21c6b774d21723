package capture

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"trailhound/agent/packet"
)

// TestEras: an era ends where the clock was set back by more than ClockSet,
// whoever's frame shows it, and over the border of two files.
func TestEras(t *testing.T) {
	pcap := func(seconds ...byte) []byte {
		b := []byte{0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0}
		for i, s := range seconds {
			b = append(b, s, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, byte(i%2))
		}
		return b
	}
	files := [][]byte{pcap(100, 101, 71, 72, 71, 101, 60, 61, 200), pcap(171, 200, 169, 170)}
	read := func(pick func(packet.LinkType, []byte) bool) (eras []uint32) {
		var clock Clock
		for _, data := range files {
			s, err := OpenFile("-", FileOptions{Stdin: bytes.NewReader(data), Select: pick, Clock: &clock})
			if err != nil {
				t.Fatal(err)
			}
			for {
				frames, err := s.Next()
				for _, f := range frames {
					eras = append(eras, f.Era)
				}
				if err != nil {
					break
				}
			}
			s.Close()
		}
		return eras
	}
	want := []uint32{0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2}
	if got := read(nil); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	odd := read(func(_ packet.LinkType, data []byte) bool { return data[0] == 1 })
	if !slices.Equal(odd, []uint32{0, 0, 0, 1, 1, 2}) {
		t.Errorf("of every other frame: %v", odd)
	}
	var c Clock
	c.pass(time.Unix(-50, 999))
	c.pass(time.Unix(-80, 0))
	if c.era != 0 {
		t.Error("late by 30 s is not set back")
	}
	if c.pass(time.Unix(-81, 0)); c.era != 1 {
		t.Error("set back by 31 s")
	}
}

package capture

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

func TestPcapVariants(t *testing.T) {
	for name, c := range map[string]classic{
		"micro little":    {},
		"micro big":       {big: true},
		"nano little":     {nano: true},
		"nano big":        {nano: true, big: true},
		"modified little": {modified: true},
		"modified big":    {modified: true, big: true},
		"raw":             {link: 101},
		"with FCS length": {link: 0x14000001}, // 4 bytes of FCS on Ethernet
	} {
		t.Run(name, func(t *testing.T) {
			frames, err := readBytes(t, pcapBytes(c, samples()), FileOptions{})
			if err != nil {
				t.Fatal(err)
			}
			check(t, frames, samples(), max(1, 0xffff&typeOf(c.link)))
		})
	}
}

// Nanoseconds must not be lost on the way.
func TestPcapNanoseconds(t *testing.T) {
	want := []sample{{sec: 1, nano: 999999999, data: []byte("x"), length: 1}}
	frames, err := readBytes(t, pcapBytes(classic{nano: true, big: true}, want), FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	check(t, frames, want, 1)
}

func TestPcapWrittenByPcapgo(t *testing.T) {
	for name, w := range map[string]func(io.Writer) *pcapgo.Writer{"micro": pcapgo.NewWriter, "nano": pcapgo.NewWriterNanos} {
		t.Run(name, func(t *testing.T) {
			var file bytes.Buffer
			p := w(&file)
			if err := p.WriteFileHeader(65535, layers.LinkTypeEthernet); err != nil {
				t.Fatal(err)
			}
			for _, f := range samples() {
				if err := p.WritePacket(gopacket.CaptureInfo{Timestamp: time.Unix(f.sec, f.nano),
					CaptureLength: len(f.data), Length: f.length}, f.data); err != nil {
					t.Fatal(err)
				}
			}
			frames, err := readBytes(t, file.Bytes(), FileOptions{})
			if err != nil {
				t.Fatal(err)
			}
			check(t, frames, samples(), 1)
		})
	}
}

// What other writers do wrong without harm.
func TestPcapTolerated(t *testing.T) {
	odd := pcapBytes(classic{}, []sample{{sec: 7, nano: 0, data: []byte("longer than it was"), length: 4}})
	binary.LittleEndian.PutUint32(odd[28:], 2500000)  // 2.5 s in the microseconds
	binary.LittleEndian.PutUint32(odd[16:], 0)        // snap length 0
	binary.LittleEndian.PutUint32(odd[8:], 0xfffffff) // a time zone
	frames, err := readBytes(t, odd, FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	check(t, frames, []sample{{sec: 9, nano: 5e8, data: []byte("longer than it was"), length: 4}}, 1)

	// Version 2.2 with its lengths the other way round.
	old := pcapBytes(classic{minor: 2}, []sample{{sec: 7, data: []byte("abcd"), length: 60}})
	binary.LittleEndian.PutUint32(old[32:], 60)
	binary.LittleEndian.PutUint32(old[36:], 4)
	if frames, err = readBytes(t, old, FileOptions{}); err != nil {
		t.Fatal(err)
	}
	check(t, frames, []sample{{sec: 7, data: []byte("abcd"), length: 60}}, 1)
}

func TestPcapTruncatedAtEveryByte(t *testing.T) {
	for name, c := range map[string]classic{"plain": {}, "modified": {modified: true, big: true}} {
		t.Run(name, func(t *testing.T) {
			file, header := pcapBytes(c, samples()), 16
			if c.modified {
				header = 24
			}
			borders := []int{24}
			for _, f := range samples() {
				borders = append(borders, borders[len(borders)-1]+header+len(f.data))
			}
			truncate(t, file, borders, borders[1:])
		})
	}
}

// truncate cuts a file at every byte. borders are the places where it may end;
// after[i] is how far the file must reach for frame i to be readable.
func truncate(t *testing.T, file []byte, borders, after []int) {
	t.Helper()
	for cut := 4; cut <= len(file); cut++ {
		frames, err := readBytes(t, file[:cut:cut], FileOptions{})
		whole, last, clean := 0, 0, false
		for _, end := range after {
			if cut >= end {
				whole++
			}
		}
		for _, b := range borders {
			if b <= cut {
				last = b
			}
			clean = clean || b == cut
		}
		if len(frames) != whole {
			t.Errorf("cut at %d: %d frames, want %d", cut, len(frames), whole)
		}
		for i, f := range frames {
			if f.data != string(samples()[i].data) {
				t.Errorf("cut at %d: frame %d is %q", cut, i+1, f.data)
			}
		}
		if clean {
			if err != nil {
				t.Errorf("cut on the border %d: %v", cut, err)
			}
			continue
		}
		d := damageOf(t, err)
		if d.Offset != int64(last) || d.Frames != uint64(whole) || d.Err != io.ErrUnexpectedEOF || d.Path != "-" {
			t.Errorf("cut at %d: %+v, want offset %d, %d frames", cut, d, last, whole)
		}
		// The offset says where to cut the file to make it whole.
		if last >= 24 {
			if _, err := readBytes(t, file[:d.Offset], FileOptions{}); err != nil {
				t.Errorf("cut at %d: what is before offset %d is damaged: %v", cut, d.Offset, err)
			}
		}
	}
}

func TestPcapBadLength(t *testing.T) {
	file := pcapBytes(classic{}, samples())
	second := 24 + 16 + len(samples()[0].data)
	for _, length := range []uint32{MaxFrame + 1, 1 << 31, 99999999, 1<<32 - 1} {
		bad := bytes.Clone(file)
		binary.LittleEndian.PutUint32(bad[second+8:], length)
		frames, err := readBytes(t, bad, FileOptions{})
		d := damageOf(t, err)
		if len(frames) != 1 || d.Offset != int64(second) || d.Frames != 1 || !strings.Contains(d.Problem, "exceeds the maximum") {
			t.Errorf("length %d: %d frames, %v", length, len(frames), err)
		}
	}
	// The longest frame is no damage, wherever it lies in the buffer.
	long := sample{sec: 1, data: bytes.Repeat([]byte("0123456789abcdef"), MaxFrame/16), length: MaxFrame}
	var many []sample
	for i := range 20 {
		many = append(many, long, sample{sec: int64(i), data: []byte("short"), length: 5})
	}
	for _, opt := range []FileOptions{{}, {Batch: 1}, {Batch: 3}} {
		frames, err := readBytes(t, pcapBytes(classic{}, many), opt)
		if err != nil {
			t.Fatal(err)
		}
		check(t, frames, many, 1)
	}
}

func TestPcapVersion(t *testing.T) {
	file := pcapBytes(classic{}, nil)
	file[4] = 9
	if _, err := readBytes(t, file, FileOptions{}); err == nil || !strings.Contains(err.Error(), "version 9.4") {
		t.Error(err)
	}
}

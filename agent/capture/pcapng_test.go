package capture

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"trailhound/agent/packet"
)

func typeOf(link uint32) packet.LinkType { return packet.LinkType(link) }

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func TestPcapngSections(t *testing.T) {
	// Two sections in both byte orders, interfaces with other link types and
	// resolutions, and blocks that are of no use here.
	var file []byte
	var want []sample
	var links []packet.LinkType
	for _, big := range []bool{false, true} {
		file = append(file, section(big)...)
		file = append(file, description(big, 1, 0)...)
		file = append(file, block(big, 4, []byte("names"))...)
		file = append(file, description(big, 228, 96, option(big, 14, order(big).AppendUint64(nil, 3600)),
			option(big, 9, []byte{0x80 | 10}))...)
		file = append(file, enhanced(big, 1, 5<<10|512, []byte("abc"), 3, option(big, 1, []byte("why")), option(big, 0, nil))...)
		file = append(file, block(big, 0x80000bad, bytes.Repeat([]byte("local use"), 200000))...)
		file = append(file, enhanced(big, 0, 1700000000123456, []byte("abcd"), 1500)...)
		file = append(file, block(big, blockSimple, append(order(big).AppendUint32(nil, 5), "abcde"...))...)
		old := order(big).AppendUint16(nil, 1)
		old = order(big).AppendUint16(old, 77) // drops
		old = order(big).AppendUint32(old, 0)
		old = order(big).AppendUint32(old, 2<<10)
		old = order(big).AppendUint32(old, 2)
		old = order(big).AppendUint32(old, 9)
		file = append(file, block(big, blockObsolete, append(old, "xy"...))...)
		want = append(want,
			sample{sec: 3605, nano: 5e8, data: []byte("abc"), length: 3, on: 1},
			sample{sec: 1700000000, nano: 123456000, data: []byte("abcd"), length: 1500},
			sample{sec: 1700000000, nano: 123456000, data: []byte("abcde"), length: 5},
			sample{sec: 3602, data: []byte("xy"), length: 9, on: 1})
		links = append(links, 228, 1, 1, 228)
	}
	for _, opt := range []FileOptions{{}, {Batch: 1}} {
		frames, err := readBytes(t, file, opt)
		if err != nil {
			t.Fatal(err)
		}
		for i := range frames {
			if frames[i].Link != links[i] {
				t.Errorf("frame %d has link type %d, want %d", i+1, frames[i].Link, links[i])
			}
			frames[i].Link = 0
		}
		check(t, frames, want, 0)
	}
}

func TestPcapngWrittenByPcapgo(t *testing.T) {
	var file bytes.Buffer
	w, err := pcapgo.NewNgWriter(&file, layers.LinkTypeEthernet)
	if err != nil {
		t.Fatal(err)
	}
	two, err := w.AddInterface(pcapgo.NgInterface{Name: "tun0", LinkType: layers.LinkTypeRaw, TimestampResolution: 9})
	if err != nil {
		t.Fatal(err)
	}
	want := samples()
	want[1].on = two
	for _, f := range want {
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: time.Unix(f.sec, f.nano), InterfaceIndex: f.on,
			CaptureLength: len(f.data), Length: f.length}, f.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	frames, err := readBytes(t, file.Bytes(), FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if frames[1].Link != 101 && frames[1].Link != 12 { // DLT_RAW, as pcapgo numbers it
		t.Errorf("link type %d", frames[1].Link)
	}
	frames[1].Link = 1
	check(t, frames, want, 1)
}

func TestPcapngTruncatedAtEveryByte(t *testing.T) {
	for _, big := range []bool{false, true} {
		parts := [][]byte{section(big), description(big, 1, 0), description(big, 1, 0, option(big, 9, []byte{9}))}
		var after []int
		for _, f := range samples() {
			after = append(after, len(join(parts...))+28+len(f.data))
			parts = append(parts, enhanced(big, 1, uint64(f.sec*1e9+f.nano), f.data, f.length, option(big, 1, []byte("note"))))
			parts = append(parts, block(big, 5, make([]byte, 12)))
		}
		var borders []int
		for i := range parts {
			borders = append(borders, len(join(parts[:i+1]...)))
		}
		truncate(t, join(parts...), borders, after)
	}
}

// Blocks whose content is wrong are passed over as long as their frame holds.
func TestPcapngOddBlocks(t *testing.T) {
	head := join(section(false), description(false, 1, 0))
	good := enhanced(false, 0, 1, []byte("good"), 4)
	stuffed := enhanced(false, 0, 1, []byte("data"), 4)
	binary.LittleEndian.PutUint32(stuffed[20:], 5)
	for name, c := range map[string]struct {
		block   []byte
		problem string
		frames  int
	}{
		"unknown interface":  {enhanced(false, 7, 1, []byte("x"), 1), "names interface 7, the section has 1", 2},
		"data beyond block":  {stuffed, "captured length 5 exceeds the 4 bytes", 2},
		"too long":           {enhanced(false, 0, 1, make([]byte, MaxFrame+4), 1), "exceeds the maximum", 2},
		"too short":          {block(false, blockEnhanced, make([]byte, 16)), "less than the minimum of 32", 2},
		"simple too short":   {block(false, blockSimple, nil), "less than the minimum of 16", 2},
		"interface options":  {description(false, 1, 0, []byte{2, 0, 255, 255}), "runs past its block", 2},
		"short option value": {description(false, 1, 0, option(false, 9, nil), option(false, 14, []byte{1})), "", 2},
		"empty unknown":      {block(false, 99, nil), "", 2},
	} {
		t.Run(name, func(t *testing.T) {
			frames, err := readBytes(t, join(head, good, c.block, good), FileOptions{})
			if len(frames) != c.frames || frames[len(frames)-1].Number != uint64(c.frames) {
				t.Errorf("%d frames", len(frames))
			}
			if c.problem == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if d := damageOf(t, err); !strings.Contains(d.Problem, c.problem) || d.Offset != int64(len(head)+len(good)) || d.Frames != 2 {
				t.Errorf("%v", err)
			}
		})
	}
}

// Blocks whose frame does not hold end the reading.
func TestPcapngBrokenFrames(t *testing.T) {
	head := join(section(false), description(false, 1, 0))
	good := enhanced(false, 0, 1, []byte("good"), 4)
	change := func(b []byte, at int, v uint32) []byte {
		b = bytes.Clone(b)
		binary.LittleEndian.PutUint32(b[at:], v)
		return b
	}
	for name, c := range map[string]struct {
		block   []byte
		problem string
		frames  int
	}{
		"length zero":      {change(good, 4, 0), "block length 0 is less", 1},
		"length eleven":    {change(good, 4, 11), "block length 11 is less", 1},
		"length differs":   {change(good, len(good)-4, 40), "36 at its beginning and 40 at its end", 2},
		"length huge":      {change(good, 4, 1<<32-1), "ends after", 2}, // the data are there
		"skipped, huge":    {change(block(false, 99, nil), 4, 1<<31), "ends after", 1},
		"byte order mark":  {change(section(false), 8, 0x11111111), "byte order mark 11111111", 1},
		"version":          {change(section(false), 12, 2), "version 2.0", 1},
		"section short":    {block(false, blockSection, []byte{0x4d, 0x3c, 0x2b, 0x1a}), "less than the minimum of 28", 1},
		"interface short":  {block(false, blockInterface, []byte{1, 0, 0, 0}), "less than the minimum of 20", 1},
		"interface long":   {change(description(false, 1, 0), 4, MaxFrame+4), "exceeds the maximum", 1},
		"interfaces, many": {bytes.Repeat(description(false, 1, 0), maxInterfaces), "more than 65536 interfaces", 1},
	} {
		t.Run(name, func(t *testing.T) {
			frames, err := readBytes(t, join(head, good, c.block, good), FileOptions{})
			d := damageOf(t, err)
			if len(frames) != c.frames || !strings.Contains(d.Problem, c.problem) || d.Frames != uint64(c.frames) {
				t.Errorf("%d frames, %v", len(frames), err)
			}
			at := int64(len(head) + len(good))
			if name == "interfaces, many" {
				at += int64((maxInterfaces - 1) * 20)
			}
			if d.Offset != at {
				t.Errorf("offset %d, want %d", d.Offset, at)
			}
		})
	}
}

// A new section forgets the interfaces of the one before.
func TestPcapngSectionForgets(t *testing.T) {
	frames, err := readBytes(t, join(section(false), description(false, 1, 0), section(true),
		enhanced(true, 0, 1, []byte("x"), 1)), FileOptions{})
	if d := damageOf(t, err); len(frames) != 0 || !strings.Contains(d.Problem, "the section has 0") {
		t.Errorf("%d frames, %v", len(frames), err)
	}
}

func TestSimplePacketSnaplen(t *testing.T) {
	body := append(binary.LittleEndian.AppendUint32(nil, 1500), "12345678"...)
	frames, err := readBytes(t, join(section(false), description(false, 1, 6), block(false, blockSimple, body)), FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	check(t, frames, []sample{{data: []byte("123456"), length: 1500}}, 1)
}

func TestClock(t *testing.T) {
	const most = uint64(math.MaxUint64)
	for _, c := range []struct {
		clock clock
		stamp uint64
		sec   int64
		nano  int64
	}{
		{clock{6, 0}, 1700000000123456, 1700000000, 123456000},
		{clock{9, 0}, 1700000000123456789, 1700000000, 123456789},
		{clock{0, 0}, 1700000000, 1700000000, 0},
		{clock{3, 0}, 1700000000123, 1700000000, 123000000},
		{clock{10, 0}, 15000000019, 1, 500000001},
		{clock{12, 0}, 1500000000001, 1, 500000000},
		{clock{19, 0}, 15000000000000000000, 1, 500000000},
		{clock{20, 0}, 15000000000000000000, 0, 150000000},
		{clock{28, 0}, most, 0, 1},
		{clock{29, 0}, most, 0, 0},
		{clock{127, 0}, most, 0, 0},
		{clock{0x80, 0}, 77, 77, 0},
		{clock{0x80 | 1, 0}, 3, 1, 500000000},
		{clock{0x80 | 32, 0}, 5<<32 | 1<<31, 5, 500000000},
		{clock{0x80 | 63, 0}, 1<<63 | 1<<62, 1, 500000000},
		{clock{0x80 | 64, 0}, 1 << 63, 0, 500000000},
		{clock{0x80 | 64, 0}, most, 0, 999999999},
		{clock{0x80 | 66, 0}, 1 << 63, 0, 125000000},
		{clock{0x80 | 127, 0}, most, 0, 0},
		{clock{6, -100}, 150000000, 50, 0},
		{clock{6, -100}, 50000000, 0, 0},
		{clock{6, math.MinInt64}, most, 0, 709551615000},
		{clock{0, 0}, most, lastSecond, 0},
		{clock{0, math.MaxInt64}, most, lastSecond, 0},
	} {
		at := c.clock.at(c.stamp)
		if want := time.Unix(c.sec, c.nano%1e9).UTC(); c.nano < 1e9 && at != want {
			t.Errorf("%+v at %d: %v, want %v", c.clock, c.stamp, at, want)
		}
		if at.Year() < 1970 || at.Year() > 9999 {
			t.Errorf("%+v at %d: %v", c.clock, c.stamp, at)
		}
	}
}

// pcapgo reads what we read.
func TestPcapngAgreesWithPcapgo(t *testing.T) {
	for _, big := range []bool{false, true} {
		frames := samples()
		frames[0].on, frames[3].on = 1, 1
		file := pcapngBytes(big, frames)
		r, err := pcapgo.NewNgReader(bytes.NewReader(file), pcapgo.NgReaderOptions{WantMixedLinkType: true})
		if err != nil {
			t.Fatal(err)
		}
		ours, err := readBytes(t, file, FileOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; ; i++ {
			data, ci, err := r.ReadPacketData()
			if err == io.EOF {
				if i != len(ours) {
					t.Errorf("%d frames, pcapgo %d", len(ours), i)
				}
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if o := ours[i]; o.data != string(data) || o.Time != ci.Timestamp || o.Length != ci.Length || o.Interface != ci.InterfaceIndex ||
				o.Link != packet.LinkType(ci.AncillaryData[0].(layers.LinkType)) {
				t.Errorf("frame %d: %+v, pcapgo %+v", i+1, o, ci)
			}
		}
	}
}

package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"trailhound/agent/packet"
)

// sample is a frame to be written into a file made by a test.
type sample struct {
	sec, nano int64
	data      []byte
	length    int
	on        int // interface
}

func samples() []sample {
	return []sample{
		{sec: 1700000000, nano: 123456000, data: []byte("first frame, odd length"), length: 23},
		{sec: 1700000000, nano: 999999000, data: []byte("cut"), length: 1514},
		{sec: 1700000001, nano: 0, data: []byte{}, length: 60},
		{sec: 1700000002, nano: 1000, data: bytes.Repeat([]byte{0xa5}, 40), length: 40},
	}
}

// classic says how to write a pcap file.
type classic struct {
	big, nano, modified bool
	link                uint32 // 1 when 0
	minor               uint16 // 4 when 0
}

func (c classic) order() binary.AppendByteOrder {
	if c.big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func pcapBytes(c classic, frames []sample) []byte {
	o, magic, unit := c.order(), uint32(0xa1b2c3d4), int64(1000)
	switch {
	case c.modified:
		magic = 0xa1b2cd34
	case c.nano:
		magic, unit = 0xa1b23c4d, 1
	}
	if c.link == 0 {
		c.link = 1
	}
	if c.minor == 0 {
		c.minor = 4
	}
	b := o.AppendUint32(nil, magic)
	b = o.AppendUint16(b, 2)
	b = o.AppendUint16(b, c.minor)
	b = append(b, make([]byte, 8)...)
	b = o.AppendUint32(b, 65535)
	b = o.AppendUint32(b, c.link)
	for _, f := range frames {
		b = o.AppendUint32(b, uint32(f.sec))
		b = o.AppendUint32(b, uint32(f.nano/unit))
		b = o.AppendUint32(b, uint32(len(f.data)))
		b = o.AppendUint32(b, uint32(f.length))
		if c.modified {
			b = append(b, 0, 0, 0, 2, 0x08, 0x00, 4, 0)
		}
		b = append(b, f.data...)
	}
	return b
}

func order(big bool) binary.AppendByteOrder {
	if big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// block frames a body, padded to four bytes.
func block(big bool, kind uint32, body []byte) []byte {
	o := order(big)
	for len(body)%4 != 0 {
		body = append(body[:len(body):len(body)], 0)
	}
	n := uint32(len(body) + 12)
	b := o.AppendUint32(nil, kind)
	b = o.AppendUint32(b, n)
	b = append(b, body...)
	return o.AppendUint32(b, n)
}

func option(big bool, code uint16, value []byte) []byte {
	o := order(big)
	b := o.AppendUint16(nil, code)
	b = append(o.AppendUint16(b, uint16(len(value))), value...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func section(big bool) []byte {
	o := order(big)
	b := o.AppendUint32(nil, 0x1a2b3c4d)
	b = o.AppendUint16(b, 1)
	b = o.AppendUint16(b, 0)
	b = o.AppendUint64(b, 1<<64-1)
	b = append(b, option(big, 1, []byte("a comment"))...)
	b = append(b, option(big, 0, nil)...)
	return block(big, blockSection, b)
}

func description(big bool, link uint16, snaplen uint32, options ...[]byte) []byte {
	o := order(big)
	b := o.AppendUint16(nil, link)
	b = o.AppendUint16(b, 0)
	b = o.AppendUint32(b, snaplen)
	for _, opt := range options {
		b = append(b, opt...)
	}
	return block(big, blockInterface, b)
}

func enhanced(big bool, id uint32, stamp uint64, data []byte, length int, options ...[]byte) []byte {
	o := order(big)
	b := o.AppendUint32(nil, id)
	b = o.AppendUint32(b, uint32(stamp>>32))
	b = o.AppendUint32(b, uint32(stamp))
	b = o.AppendUint32(b, uint32(len(data)))
	b = o.AppendUint32(b, uint32(length))
	b = append(b, data...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	for _, opt := range options {
		b = append(b, opt...)
	}
	return block(big, blockEnhanced, b)
}

// pcapngBytes writes a section with two interfaces, in micro- and nanoseconds.
func pcapngBytes(big bool, frames []sample) []byte {
	b := section(big)
	b = append(b, description(big, 1, 0)...)
	b = append(b, description(big, 101, 0, option(big, 2, []byte("eth1")), option(big, 9, []byte{9}), option(big, 0, nil))...)
	for _, f := range frames {
		unit := int64(1000)
		if f.on == 1 {
			unit = 1
		}
		b = append(b, enhanced(big, uint32(f.on), uint64((f.sec*1e9+f.nano)/unit), f.data, f.length)...)
	}
	return b
}

func gzipBytes(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(b)
	z.Close()
	return out.Bytes()
}

func zstdBytes(b []byte) []byte {
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err)
	}
	z.Write(b)
	z.Close()
	return out.Bytes()
}

// got is a frame copied out of a batch.
type got struct {
	Frame
	data string
}

// drain reads a source to its end; io.EOF becomes nil.
func drain(t testing.TB, s Source) ([]got, error) {
	t.Helper()
	var all []got
	for {
		batch, err := s.Next()
		for _, f := range batch {
			all = append(all, got{f, string(f.Data)})
		}
		if err != nil {
			if len(batch) > 0 {
				t.Error("a batch came with an error")
			}
			if _, again := s.Next(); again != err {
				t.Errorf("after the end %v: %v", err, again)
			}
			if err == io.EOF {
				err = nil
			}
			return all, err
		}
	}
}

// readBytes reads a capture given as standard input.
func readBytes(t testing.TB, file []byte, opt FileOptions) ([]got, error) {
	t.Helper()
	opt.Stdin = bytes.NewReader(file)
	s, err := OpenFile("-", opt)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return drain(t, s)
}

func write(t testing.TB, file []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.pcap")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// check compares frames read with the ones written.
func check(t testing.TB, frames []got, want []sample, link packet.LinkType) {
	t.Helper()
	if len(frames) != len(want) {
		t.Fatalf("%d frames, want %d", len(frames), len(want))
	}
	for i, f := range frames {
		w := want[i]
		if f.data != string(w.data) || f.Length != w.length || f.Number != uint64(i+1) || f.Link != link || f.Interface != w.on {
			t.Errorf("frame %d is %+v, want %+v", i+1, f, w)
		}
		if at := time.Unix(w.sec, w.nano).UTC(); f.Time != at {
			t.Errorf("frame %d has time %v, want %v", i+1, f.Time, at)
		}
	}
}

func damageOf(t testing.TB, err error) *DamageError {
	t.Helper()
	var d *DamageError
	if !errors.As(err, &d) {
		t.Fatalf("error %v, want damage", err)
	}
	return d
}

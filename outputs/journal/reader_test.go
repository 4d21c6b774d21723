package journal

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"

	"trailhound/agent/event"
	"trailhound/outputs/journal/codec"
)

// records makes records with the given numbers.
func records(h *header, seqs ...uint64) (b []byte) {
	for _, seq := range seqs {
		var head [recordHead]byte
		start := len(b)
		b = codec.Append(append(b, head[:]...), &event.Event{Trail: "trail.test", Type: event.DNS})
		binary.LittleEndian.PutUint32(b[start:], uint32(len(b)-start-recordHead))
		binary.LittleEndian.PutUint64(b[start+8:], seq)
	}
	seal(b, h.seed(), 5)
	return b
}

func TestHeader(t *testing.T) {
	h := header{epoch: 1, first: 2, prevFirst: 3, prevLast: 4, missing: evicted, salt: 5, age: 6}
	h.made = testOptions().Now().UTC()
	b := h.encode()
	for off := range headerLength {
		c := bytes.Clone(b)
		c[off] ^= 4
		if got, err := decodeHeader(c); err != nil || got != h {
			t.Fatalf("byte %d: %v, %+v", off, err, got)
		}
		c[off+segmentCopy] ^= 4
		if _, err := decodeHeader(c); err == nil {
			t.Fatalf("byte %d of both copies damaged, and it is read", off)
		}
	}
	for n := range segmentCopy {
		if _, err := decodeHeader(b[:n]); (err == nil) != (n >= headerLength) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
}

// Records of another segment are none, however well they fit.
func TestSeed(t *testing.T) {
	a, b := header{first: 1, salt: 1}, header{first: 1, salt: 2}
	var w window
	data := records(&a, 1, 2, 3)
	w.reset(bytes.NewReader(data))
	if _, err := w.record(0, int64(len(data)), b.seed()); err != errBad {
		t.Error(err)
	}
	if _, err := w.find(0, int64(len(data)), b.seed(), 1, 3); err != errEnd {
		t.Error(err)
	}
	if rec, err := w.record(0, int64(len(data)), a.seed()); err != nil || rec.seq != 1 || rec.stamp != 5 {
		t.Error(rec, err)
	}
}

// FuzzSegment gives the readers any file: no panic, no record that was not
// written, the same answer from all that walk over it, and every open ends.
func FuzzSegment(f *testing.F) {
	h := header{epoch: 7, first: 1, salt: 9, made: testOptions().Now()}
	whole := append(h.encode(), records(&h, 1, 2, 3, 4)...)
	f.Add(whole, 0, byte(0))
	f.Add(whole[:len(whole)-3], 0, byte(0))
	f.Add(whole, segmentHead, byte(1))
	f.Add(append(bytes.Clone(whole), make([]byte, 100)...), segmentHead+60, byte(0xFF))
	f.Add(append(bytes.Clone(whole), records(&h, 9)...), segmentHead+9, byte(8))
	f.Add([]byte{}, 0, byte(0))
	f.Fuzz(func(t *testing.T, data []byte, at int, flip byte) {
		if len(data) > 1<<16 {
			return
		}
		data = bytes.Clone(data)
		if at >= 0 && at < len(data) {
			data[at] ^= flip
		}
		d := newTestDisk(1)
		d.names["/j/"+segmentName(1)] = &inode{data: data}
		v, err := view("/j", d)
		if err != nil {
			t.Fatal(err)
		}
		scanned := 0
		if err := v.Scan(context.Background(), 0, func(*event.Event) bool { scanned++; return true }); err != nil {
			t.Fatal(err)
		}
		j := open(testOptions(), d, 0)
		defer kill(j)
		c, err := j.Cursor("out", CursorOptions{FromStart: true})
		if err != nil {
			t.Fatal(err)
		}
		read := 0
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		for {
			batch, _, err := c.Read(ctx, 3, 0)
			if err != nil {
				break
			}
			read += len(batch)
			c.Advance(batch[len(batch)-1].Seq, Sums{Delivered: uint64(len(batch))})
		}
		if s := c.State(); s.Pending != 0 || s.LastSeq-s.StartSeq != s.Delivered+s.Evicted+s.Quarantined {
			t.Fatalf("does not add up: %+v", s)
		}
		if read != scanned {
			t.Fatalf("a cursor reads %d events, a scan %d", read, scanned)
		}
	})
}

package journal

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// A record is
//
//	0  u32  length of the payload
//	4  u32  crc32c of all that follows, begun with the segment's seed
//	8  u64  sequence number
//	16 u32  milliseconds of the journal's clock since the segment was made
//	20      payload: an event as package codec writes it
//
// in little endian. Sixteen zero bytes, or fewer before the end, end a segment.
const (
	recordHead = 20
	maxPayload = 256 << 10
	maxRecord  = recordHead + maxPayload
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type record struct {
	seq     uint64
	stamp   uint32 // milliseconds since the segment was made
	payload []byte // valid until the window moves
	next    int64  // offset behind the record
}

var (
	errEnd = errors.New("no more records")
	errBad = errors.New("damaged record")
)

// seal completes records that have a length and a sequence number: with the
// time, and with the checksum that holds in one segment only.
func seal(records []byte, seed uint32, stamp uint32) {
	for len(records) > 0 {
		n := recordHead + int(binary.LittleEndian.Uint32(records))
		binary.LittleEndian.PutUint32(records[16:], stamp)
		binary.LittleEndian.PutUint32(records[4:], crc32.Update(seed, castagnoli, records[8:n]))
		records = records[n:]
	}
}

// A window is the part of a segment's file that is in memory. Its buffer never
// grows: twice the longest record.
type window struct {
	r   io.ReaderAt
	buf []byte
	off int64 // of buf in the file
	n   int   // bytes in buf
}

const windowSize = 2 * maxRecord

func (w *window) reset(r io.ReaderAt) { w.r, w.off, w.n = r, 0, 0 }

// at gives the bytes of the file from off on: at least need of them unless end
// comes before. The file ending before end is no error.
func (w *window) at(off int64, need int, end int64) ([]byte, error) {
	if left := end - off; int64(need) > left {
		need = int(max(left, 0))
	}
	if off < w.off || off+int64(need) > w.off+int64(w.n) {
		if w.buf == nil {
			w.buf = make([]byte, windowSize)
		}
		w.off, w.n = off, 0
		n, err := w.r.ReadAt(w.buf[:min(int64(len(w.buf)), max(end-off, 0))], off)
		if err != nil && err != io.EOF {
			return nil, err
		}
		w.n = n
	}
	b := w.buf[off-w.off : w.n]
	return b[:min(int64(len(b)), max(end-off, 0))], nil
}

// record reads the record at off in a segment whose records end at end: errEnd
// when there is none, errBad when what is there is not a whole record.
func (w *window) record(off, end int64, seed uint32) (record, error) {
	b, err := w.at(off, recordHead, end)
	if err != nil {
		return record{}, err
	}
	if isZero(b[:min(len(b), 16)]) {
		return record{}, errEnd
	}
	if len(b) < recordHead {
		return record{}, errBad
	}
	n := binary.LittleEndian.Uint32(b)
	if n > maxPayload {
		return record{}, errBad
	}
	whole := recordHead + int(n)
	if len(b) < whole {
		if b, err = w.at(off, whole, end); err != nil {
			return record{}, err
		}
		if len(b) < whole {
			return record{}, errBad
		}
	}
	if crc32.Update(seed, castagnoli, b[8:whole]) != binary.LittleEndian.Uint32(b[4:]) {
		return record{}, errBad
	}
	return record{
		seq:     binary.LittleEndian.Uint64(b[8:]),
		stamp:   binary.LittleEndian.Uint32(b[16:]),
		payload: b[recordHead:whole],
		next:    off + int64(whole),
	}, nil
}

// find looks for the next whole record with a number from low to high, from
// off on: errEnd when there is none. The seed makes it certain that what is
// found is a record of this segment and not bytes that look like one.
func (w *window) find(off, end int64, seed uint32, low, high uint64) (int64, error) {
	for off+recordHead <= end {
		b, err := w.at(off, maxRecord, end)
		if err != nil {
			return 0, err
		}
		i := 0
		for ; i+recordHead <= len(b); i++ {
			seq := binary.LittleEndian.Uint64(b[i+8:])
			n := binary.LittleEndian.Uint32(b[i:])
			if seq < low || seq > high || n > maxPayload {
				continue
			}
			whole := i + recordHead + int(n)
			if whole <= len(b) {
				if crc32.Update(seed, castagnoli, b[i+8:whole]) == binary.LittleEndian.Uint32(b[i+4:]) {
					return off + int64(i), nil
				}
				continue
			}
			if i > 0 {
				break // again, with all of it in memory
			}
		}
		if i == 0 {
			break
		}
		off += int64(i)
	}
	return 0, errEnd
}

// shape says whether at off there is all of a record with a certain number,
// damaged but for number and length, and where it ends. An append that was cut
// off leaves no such thing: the end of its last record is not there.
func (w *window) shape(off, end int64, seq uint64) (next int64, ok bool) {
	b, err := w.at(off, recordHead, end)
	if err != nil || len(b) < recordHead || binary.LittleEndian.Uint64(b[8:]) != seq {
		return 0, false
	}
	n := binary.LittleEndian.Uint32(b)
	next = off + recordHead + int64(n)
	return next, n <= maxPayload && next <= end
}

func isZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"time"
)

// A segment's file begins with a header of 1,024 bytes, of which two copies of
// 80 bytes at 0 and at 512 are used: one damaged sector does not cost the
// segment. In little endian:
//
//	0  8    magic
//	8  u16  format version
//	10 u8   why the numbers between prevLast and first are missing (a reason)
//	16 u64  epoch of the events
//	24 u64  first sequence number
//	32 u64  first sequence number of the segment before; 0: there is none
//	40 u64  last sequence number of the segment before
//	48 u64  salt, random: the checksums of the records begin with it
//	56 i64  when the segment was made, Unix microseconds
//	64 i64  the same on the journal's clock, nanoseconds
//	72 u32  0
//	76 u32  crc32c of the 76 bytes before
const (
	segmentHead    = 1024
	segmentCopy    = 512
	headerLength   = 80
	segmentMagic   = "THjournl"
	segmentVersion = 1
)

type header struct {
	epoch, first        uint64
	prevFirst, prevLast uint64
	missing             reason
	salt                uint64
	made                time.Time
	age                 time.Duration
}

// errVersion: the file was written by a newer program.
var errVersion = errors.New("made by a newer version, with format")

func (h *header) encode() []byte {
	b := make([]byte, segmentHead)
	copy(b, segmentMagic)
	binary.LittleEndian.PutUint16(b[8:], segmentVersion)
	b[10] = byte(h.missing)
	for i, v := range []uint64{h.epoch, h.first, h.prevFirst, h.prevLast, h.salt, uint64(h.made.UnixMicro()), uint64(h.age)} {
		binary.LittleEndian.PutUint64(b[16+8*i:], v)
	}
	binary.LittleEndian.PutUint32(b[76:], crc32.Checksum(b[:76], castagnoli))
	copy(b[segmentCopy:], b[:headerLength])
	return b
}

// decodeHeader reads the first good copy.
func decodeHeader(b []byte) (h header, err error) {
	err = errBad
	for _, at := range [...]int{0, segmentCopy} {
		if len(b) < at+headerLength {
			break
		}
		c := b[at : at+headerLength]
		if string(c[:8]) != segmentMagic || crc32.Checksum(c[:76], castagnoli) != binary.LittleEndian.Uint32(c[76:]) {
			continue
		}
		if v := binary.LittleEndian.Uint16(c[8:]); v != segmentVersion {
			err = fmt.Errorf("%w %d", errVersion, v)
			continue
		}
		var v [7]uint64
		for i := range v {
			v[i] = binary.LittleEndian.Uint64(c[16+8*i:])
		}
		return header{missing: reason(c[10]), epoch: v[0], first: v[1], prevFirst: v[2], prevLast: v[3], salt: v[4],
			made: time.UnixMicro(int64(v[5])).UTC(), age: time.Duration(v[6])}, nil
	}
	return h, err
}

// seed is what the checksums of a segment's records begin with. It covers the
// number too, so that a file under a wrong name gives no records.
func (h *header) seed() uint32 {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], h.salt)
	binary.LittleEndian.PutUint64(b[8:], h.first)
	return crc32.Checksum(b[:], castagnoli)
}

// The names of a segment's file: whole, and with damage that a reader met.
const (
	segmentSuffix = ".seg"
	damagedSuffix = ".bad"
)

func segmentName(first uint64) string { return fmt.Sprintf("%020d%s", first, segmentSuffix) }

// parseName is the opposite of segmentName.
func parseName(name string) (first uint64, damaged, ok bool) {
	name, damaged = strings.CutSuffix(name, damagedSuffix)
	digits, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok || len(digits) != 20 {
		return 0, false, false
	}
	first, err := strconv.ParseUint(digits, 10, 64)
	return first, damaged, err == nil && first > 0
}

// A segment is a range of sequence numbers and where its records are. The
// journal's segments cover all numbers from the first kept to the last given
// without a hole: what is known to be lost is a segment too, one without
// records.
type segment struct {
	head        header
	seed        uint32
	first, last uint64 // last is first-1 while there is no record
	end         int64  // of the records in the file
	base        int64  // bytes of all segments before this one, since the start
	age         time.Duration

	path    string      // empty: in memory, or nowhere
	memory  *memoryFile // nil: on disk, or nowhere
	lost    reason      // not zero: there are no records, for this reason
	damaged bool        // the file is a .bad one
	counted uint64      // lost numbers up to this are counted
	gone    bool        // evicted: what is read from the file now may be another segment's

	file   file  // open for writing: the one that is appended to, or one not yet synced
	stale  int64 // size of a file used again, which has old bytes behind the records
	synced bool
}

// size is what the segment takes of the disk, less what is only allocated.
func (s *segment) size() int64 {
	if s.path == "" {
		return 0
	}
	return s.end
}

// count gives how many of these lost numbers no reader met before.
func (s *segment) count(from, to uint64) (n uint64) {
	if from = max(from, s.counted+1); from <= to {
		n, s.counted = to+1-from, to
	}
	return n
}

// A reason says why events are not there.
type reason uint8

const (
	kept        reason = iota
	evicted            // given up for room or age
	quarantined        // damaged or missing
)

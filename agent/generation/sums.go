package generation

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"trailhound/trails/table"
)

// Where the head of a table file says what lies where (package table, "File").
const (
	headLengthAt = 12 // u32: the length of header, directory and their checksum
	sectionsAt   = 48 // u32: the number of sections
	directoryAt  = 64
	entrySize    = 24 // id u32, CRC-32C u32, offset u64, length u64
	sumsPart     = 256 << 10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checkSums compares the checksums of all sections of a table file that
// table.Open has accepted. It reads with read(2), not through a mapping: 60 MB
// of mapped pages would count as the sensor's memory. After each part it calls
// pace, whose error ends it.
func checkSums(f io.ReaderAt, pace func() error) error {
	head := make([]byte, headSize)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return bare(err)
	}
	head = head[:n]
	le := binary.LittleEndian
	if n < directoryAt {
		return fmt.Errorf("%w: cut off at %d bytes", table.ErrDamaged, n)
	}
	// Of the file that is read now, which may not be what was opened.
	length, sections := uint64(le.Uint32(head[headLengthAt:])), uint64(le.Uint32(head[sectionsAt:]))
	if length > uint64(n) || length != directoryAt+sections*entrySize+4 ||
		crc32.Checksum(head[:length-4], castagnoli) != le.Uint32(head[length-4:]) {
		return fmt.Errorf("%w: checksum of the header is wrong", table.ErrDamaged)
	}
	part := make([]byte, sumsPart)
	for i := range sections {
		e := head[directoryAt+i*entrySize:]
		want, at, left := le.Uint32(e[4:]), le.Uint64(e[8:]), le.Uint64(e[16:])
		sum := uint32(0)
		for left > 0 {
			b := part[:min(left, sumsPart)]
			if n, err := f.ReadAt(b, int64(at)); n < len(b) {
				if err == io.EOF {
					err = fmt.Errorf("%w: cut off at %d bytes", table.ErrDamaged, at+uint64(n))
				}
				return bare(err)
			}
			sum = crc32.Update(sum, castagnoli, b)
			at, left = at+uint64(len(b)), left-uint64(len(b))
			if err := pace(); err != nil {
				return err
			}
		}
		if sum != want {
			return fmt.Errorf("%w: checksum of section %d is wrong", table.ErrDamaged, le.Uint32(e))
		}
	}
	return nil
}

package table

import (
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"trailhound/trails"
)

// Verify reads a whole table file with read(2), compares every checksum, and
// then checks that every trail can be found by its own key, that no slot is
// left over, and that every text can be read. It returns the first fault.
func Verify(path string) error {
	t, err := Open(path)
	if err != nil {
		return err
	}
	defer t.Close()
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := VerifySums(f, t.Size(), func() error { return nil }); err != nil {
		return fmt.Errorf("trail table %q: %w", path, err)
	}
	if err := t.verifyTrails(); err != nil {
		return fmt.Errorf("trail table %q: %w", path, err)
	}
	return nil
}

// sumsPart is how much of a file is read at a time.
const sumsPart = 256 << 10

// VerifySums compares the checksums of header and sections of a table file of
// that size, and checks what Open checks of the header. It reads with read(2),
// not through a mapping, whose pages would count as the process's memory: 60 MB
// for a large table. After each 256 KiB it calls pace, whose error ends it. The
// other errors do not name the file; they wrap ErrForeign, ErrVersion,
// ErrDamaged or the error of reading.
func VerifySums(f io.ReaderAt, size int64, pace func() error) error {
	part := make([]byte, sumsPart)
	n, err := f.ReadAt(part[:headLength], 0)
	if err != nil && err != io.EOF {
		return err
	}
	var h header
	if err := h.decode(part[:n], size); err != nil {
		return err
	}
	for id := 1; id < secEnd; id++ {
		s := h.sections[id]
		sum, at := uint32(0), s.offset
		for left := s.length; left > 0; {
			b := part[:min(left, sumsPart)]
			if n, err := f.ReadAt(b, int64(at)); n < len(b) {
				if err == io.EOF {
					return damaged("cut off at %d bytes", at+uint64(n))
				}
				return err
			}
			sum = crc32.Update(sum, castagnoli, b)
			at, left = at+uint64(len(b)), left-uint64(len(b))
			if err := pace(); err != nil {
				return err
			}
		}
		if sum != s.crc {
			return damaged("checksum of section %s is wrong", sectionNames[id])
		}
	}
	return nil
}

func (t *Table) verifyTrails() error {
	var counts [trails.Kinds]uint32
	n := 0
	var end uint64
	for r := range t.All() {
		kind, _, _, key, next, _ := t.recordAt(uint64(r) - 1)
		if t.Find(kind, key) != r {
			return damaged("%s %q is not found by its key", kind, trails.Text(kind, key))
		}
		if info, ref := t.Info(r); info == nil || ref == nil {
			return damaged("%s %q has no info", kind, trails.Text(kind, key))
		}
		counts[kind]++
		n++
		end = next
	}
	switch {
	case end != uint64(len(t.records)):
		return damaged("record at %d", end)
	case n != t.Len():
		return damaged("%d trails, header says %d", n, t.Len())
	case counts != t.counts:
		return damaged("trails per kind do not add up")
	case t.usedSlots() != n:
		return damaged("%d slots used for %d trails", t.usedSlots(), n)
	}
	return nil
}

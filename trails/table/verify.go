package table

import (
	"bufio"
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
	if err := t.verifySums(path); err != nil {
		return fmt.Errorf("trail table %q: %w", path, err)
	}
	if err := t.verifyTrails(); err != nil {
		return fmt.Errorf("trail table %q: %w", path, err)
	}
	return nil
}

func (t *Table) verifySums(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for id := 1; id < secEnd; id++ {
		s := t.head.sections[id]
		sum := crc32.New(castagnoli)
		r := bufio.NewReaderSize(io.NewSectionReader(f, int64(s.offset), int64(s.length)), 1<<18)
		n, err := io.Copy(sum, r)
		if err != nil {
			return err
		}
		if uint64(n) != s.length || sum.Sum32() != s.crc {
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

package journal

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"path/filepath"
)

// A slots file holds one small value, written in place: two slots that take
// turns, so that a write that is cut off leaves the value before it.
//
//	0  8    magic of what it holds
//	8  u16  format version
//	10 u16  length n of the value
//	12 u32  0
//	16 u64  generation: the higher one counts
//	24 n    value
//	   u32  crc32c of all before
//
// The second slot is at 4096, in another sector and another page.
const (
	slotHead    = 24
	slotSize    = 512
	slotSecond  = 4096
	slotVersion = 1
)

type slots struct {
	f          file
	magic      string
	generation uint64
	buf        [slotSize]byte
}

// createSlots makes the file with both slots written, so that later writes need no
// more room.
func createSlots(disk fileSystem, path, magic string, value []byte) (*slots, error) {
	f, err := disk.Create(path)
	if err != nil {
		return nil, err
	}
	s := &slots{f: f, magic: magic}
	for range 2 {
		if err := s.write(value); err != nil {
			f.Close()
			return nil, err
		}
	}
	// A name that a power cut takes away would be a place that is lost.
	if err := disk.SyncDir(filepath.Dir(path)); err != nil {
		f.Close()
		return nil, err
	}
	return s, nil
}

// openSlots opens a file and gives the value of the newer good slot.
func openSlots(disk fileSystem, path, magic string, write bool) (*slots, []byte, error) {
	f, err := disk.Open(path, write)
	if err != nil {
		return nil, nil, err
	}
	s := &slots{f: f, magic: magic}
	var value []byte
	b := make([]byte, slotSize)
	for _, at := range [...]int64{0, slotSecond} {
		n, _ := f.ReadAt(b, at)
		if v, generation, ok := decodeSlot(b[:n], magic); ok && (value == nil || generation > s.generation) {
			s.generation, value = generation, append([]byte{}, v...)
		}
	}
	if value == nil {
		f.Close()
		return nil, nil, fmt.Errorf("%s: %w", path, errBad)
	}
	return s, value, nil
}

func decodeSlot(b []byte, magic string) (value []byte, generation uint64, ok bool) {
	if len(b) < slotHead || string(b[:8]) != magic || binary.LittleEndian.Uint16(b[8:]) != slotVersion {
		return nil, 0, false
	}
	n := slotHead + int(binary.LittleEndian.Uint16(b[10:]))
	if len(b) < n+4 || crc32.Checksum(b[:n], castagnoli) != binary.LittleEndian.Uint32(b[n:]) {
		return nil, 0, false
	}
	return b[slotHead:n], binary.LittleEndian.Uint64(b[16:]), true
}

// write puts a value in the older slot. A kill leaves the old value or the new
// one; a power cut as well, once Sync returned for the old.
func (s *slots) write(value []byte) error {
	b := s.buf[:slotHead]
	clear(b)
	copy(b, s.magic)
	binary.LittleEndian.PutUint16(b[8:], slotVersion)
	binary.LittleEndian.PutUint16(b[10:], uint16(len(value)))
	binary.LittleEndian.PutUint64(b[16:], s.generation+1)
	b = append(b, value...)
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	if _, err := s.f.WriteAt(b, int64((s.generation+1)%2)*slotSecond); err != nil {
		return err
	}
	s.generation++
	return nil
}

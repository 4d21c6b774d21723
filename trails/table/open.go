package table

import (
	"fmt"
	"hash/crc32"
	"math"
	"reflect"
	"time"

	"trailhound/trails"
)

// Table is an open table. All methods are safe for concurrent use and do not
// allocate unless their comment says so. A Table must not be used after Close.
//
// The memory behind it is a file that somebody may truncate. Who looks up must
// run with debug.SetPanicOnFault and recover.
type Table struct {
	path  string
	bases bases
	head  header

	front4, front6 []byte
	mask4, mask6   uint32
	wide6          bool
	bloom          [fronts][]byte
	words          [fronts]uint64
	slots          []byte
	nslots         uint64
	records        []byte
	provOffs       []byte
	tuples         []byte
	sources        []byte
	strOffs        []byte
	strings        []byte
	counts         [trails.Kinds]uint32
	nets4          []uint8 // lengths of the IPv4 networks there are, longest first
	nets6          []uint8

	data  []byte
	unmap func([]byte) error
}

// Open maps a table file. It refuses what is not a regular file of root or the
// current user that only its owner can write, and what is foreign, of another
// version, or damaged in header or directory. Errors name the file and wrap
// ErrForeign, ErrVersion, ErrDamaged or ErrUntrusted.
func Open(path string) (*Table, error) {
	data, err := mapFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot open trail table %q: %w", path, err)
	}
	t, err := open(data)
	if err != nil {
		unmapFile(data)
		return nil, fmt.Errorf("cannot open trail table %q: %w", path, err)
	}
	t.path, t.unmap = path, unmapFile
	return t, nil
}

// FromBytes opens a table that lies in memory.
func FromBytes(data []byte) (*Table, error) {
	t, err := open(data)
	if err != nil {
		return nil, fmt.Errorf("cannot open trail table: %w", err)
	}
	return t, nil
}

// Close lets go of the mapping.
func (t *Table) Close() error {
	data, unmap := t.data, t.unmap
	t.data, t.unmap = nil, nil
	if unmap == nil {
		return nil
	}
	return unmap(data)
}

// Holds says whether an address lies inside the table's memory. It tells a
// fault that a truncated file causes from any other.
func (t *Table) Holds(addr uintptr) bool {
	if len(t.data) == 0 {
		return false
	}
	start := reflect.ValueOf(t.data).Pointer()
	return addr >= start && addr-start < uintptr(len(t.data))
}

func open(data []byte) (*Table, error) {
	t := &Table{data: data}
	if err := t.head.decode(data, int64(len(data))); err != nil {
		return nil, err
	}
	t.bases = newBases(t.head.seed)
	get := func(id int) []byte {
		s := t.head.sections[id]
		return data[s.offset : s.offset+s.length : s.offset+s.length]
	}
	meta := get(secMeta)
	t.front4, t.front6, t.slots = get(secFront4), get(secFront6), get(secSlots)
	t.records, t.provOffs, t.tuples = get(secRecords), get(secProvOffs), get(secProvenance)
	t.sources, t.strOffs, t.strings = get(secSources), get(secStrOffs), get(secStrings)
	t.mask4, t.mask6 = uint32(len(t.front4)*8-1), uint32(len(t.front6)*8-1)
	t.nslots = uint64(len(t.slots) / slotSize)
	switch {
	case len(meta) != metaSize:
		return nil, damaged("meta section of %d bytes", len(meta))
	case !powerOfTwo(len(t.front4)), !powerOfTwo(len(t.front6)):
		return nil, damaged("bitmap sizes %d and %d", len(t.front4), len(t.front6))
	case !t.setBloom(get(secBloom), meta[metaBloom:]):
		return nil, damaged("bloom section does not have the sizes that meta says")
	case len(t.slots)%slotSize != 0 || t.nslots <= uint64(t.head.trails) || t.nslots > math.MaxUint32:
		return nil, damaged("%d slots for %d trails", t.nslots, t.head.trails)
	case len(t.records) > math.MaxUint32:
		return nil, damaged("records of %d bytes", len(t.records))
	case uint64(len(t.provOffs)) != 4*(uint64(t.head.provenances)+1):
		return nil, damaged("%d bytes of offsets for %d provenances", len(t.provOffs), t.head.provenances)
	case len(t.strOffs)%4 != 0 || len(t.strOffs) < 4:
		return nil, damaged("%d bytes of text offsets", len(t.strOffs))
	}
	for k := range t.counts {
		t.counts[k] = le.Uint32(meta[4*k:])
	}
	t.nets4 = lengths(meta[metaNets4:metaNets6], 32)
	t.nets6 = lengths(meta[metaNets6:metaWide6], 128)
	t.wide6 = meta[metaWide6] != 0
	return t, nil
}

// setBloom cuts the Bloom section into its fronts.
func (t *Table) setBloom(data, sizes []byte) bool {
	for i := range t.bloom {
		n := le.Uint64(sizes[8*i:])
		if n == 0 || n > uint64(len(data))/8 {
			return false
		}
		t.bloom[i], t.words[i] = data[:n*8], n
		data = data[n*8:]
	}
	return len(data) == 0
}

func lengths(mask []byte, longest int) (list []uint8) {
	for n := longest; n >= 0; n-- {
		if mask[n/8]&(1<<(n%8)) != 0 {
			list = append(list, uint8(n))
		}
	}
	return list
}

func powerOfTwo(n int) bool { return n > 0 && n&(n-1) == 0 && n <= 1<<21 }

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}

// decode checks the head of a file of that size: magic, version, sizes, checksum,
// and that each section lies inside the file, in order, and aligned.
func (h *header) decode(data []byte, size int64) error {
	if len(data) < 8 || string(data[:8]) != magic {
		return ErrForeign
	}
	if len(data) < headLength {
		return damaged("cut off at %d bytes", len(data))
	}
	if v := le.Uint32(data[8:]); v != version {
		return fmt.Errorf("%w: format %d, this program reads %d", ErrVersion, v, version)
	}
	if n := le.Uint32(data[12:]); n != headLength {
		return damaged("header of %d bytes", n)
	}
	if crc32.Checksum(data[:headLength-4], castagnoli) != le.Uint32(data[headLength-4:]) {
		return damaged("checksum of the header is wrong")
	}
	h.size = le.Uint64(data[16:])
	if h.size != uint64(size) {
		return damaged("%d bytes long, header says %d", size, h.size)
	}
	h.seed, h.created = le.Uint64(data[24:]), int64(le.Uint64(data[32:]))
	h.trails, h.provenances = le.Uint32(data[40:]), le.Uint32(data[44:])
	if n := le.Uint32(data[48:]); n != secEnd-1 {
		return damaged("%d sections", n)
	}
	end := uint64(headLength)
	for id := 1; id < secEnd; id++ {
		e := data[headerSize+(id-1)*entrySize:]
		s := section{le.Uint32(e[4:]), le.Uint64(e[8:]), le.Uint64(e[16:])}
		if le.Uint32(e) != uint32(id) || s.offset%align != 0 || s.offset > h.size || s.length > h.size-s.offset {
			return damaged("section %s lies outside the file", sectionNames[id])
		}
		if id != secRecords && id != secSlots && s.offset < end {
			return damaged("section %s overlaps", sectionNames[id])
		}
		end = max(end, s.offset+s.length)
		h.sections[id] = s
	}
	return nil
}

// File is the file's path; empty for a table in memory.
func (t *Table) File() string { return t.path }

// Size is the file's size in bytes.
func (t *Table) Size() int64 { return int64(t.head.size) }

// Len is the number of trails.
func (t *Table) Len() int { return int(t.head.trails) }

// Count is the number of trails of a kind.
func (t *Table) Count(kind trails.Kind) int { return int(t.counts[kind]) }

// Created is when the sources of the table were read.
func (t *Table) Created() time.Time { return time.Unix(t.head.created, 0).UTC() }

// Seed is the seed of the table's hashes.
func (t *Table) Seed() uint64 { return t.head.seed }

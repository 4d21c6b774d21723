// Package table is the compiled set of trails: one immutable file, mapped
// read-only, looked up without allocation and without a false hit.
//
// # File
//
// All numbers are little-endian. The file is a header, a directory of
// sections, and the sections, each aligned to 64 bytes:
//
//	header     magic, version, header length, file size, seed, created, counts
//	directory  per section: id, CRC-32C, offset, length
//	           CRC-32C of header and directory
//	meta       trails per kind; which network lengths occur
//	front4     bitmap of the IPv4 /24s that hold anything
//	front6     bitmap of the hashed IPv6 /32s that hold anything
//	bloom      three Bloom fronts (names, URLs with their hosts, all else), 64-bit
//	           words with five bits per key
//	slots      open addressing, 8 bytes each: tag, record offset + 1
//	records    kind, provenance, age, key length, key
//	provoffs, provenance, sources, stroffs, strings
//
// A miss touches one word of a bitmap or of the Bloom front and nothing else.
// What passes is looked for in the slots by the upper half of its hash, and
// confirmed against the stored key. There are no Go pointers inside, so the
// collector never sees it, and one mapping serves every process of a host.
//
// # Names
//
// The hash of a name is chained over its labels from the right, so the hashes
// of all parents fall out of one pass. The hash of a URL combines the hashes of
// host and path, so a path is hashed once for both of its look-ups.
//
// # Trust
//
// Open checks header, directory, sizes and bounds; section checksums are left
// to Verify, because reading 60 MB would cost more than the start may take.
// Every look-up therefore checks every offset that it follows: a damaged
// section can hide trails, but it can neither crash the sensor nor raise a
// false hit.
package table

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"trailhound/trails"
)

const (
	magic       = "TRLHND\r\n" // the line end shows a transfer in text mode
	version     = 1
	headerSize  = 64
	entrySize   = 24
	align       = 64
	maxSections = 64
	bloomBits   = 12 // per key
	slotSize    = 8
)

// Section ids.
const (
	secMeta = iota + 1
	secFront4
	secFront6
	secBloom
	secSlots
	secRecords
	secProvOffs
	secProvenance
	secSources
	secStrOffs
	secStrings
	secEnd
)

var sectionNames = [secEnd]string{"", "meta", "front4", "front6", "bloom", "slots", "records", "provoffs", "provenance",
	"sources", "stroffs", "strings"}

// Meta layout: trails per kind, then the masks of network lengths.
const (
	metaNets4 = trails.Kinds * 4 // one u64: bit n set: an IPv4 /n exists (n <= 32)
	metaNets6 = metaNets4 + 8    // three u64: the same for IPv6
	metaWide6 = metaNets6 + 24   // one u64: not 0: front6 is of no use
	metaBloom = metaWide6 + 8    // a u64 per Bloom front: its words
	metaSize  = metaBloom + 8*fronts
)

// The Bloom fronts. URLs have one of their own because a request asks for a
// dozen of them: it must stay in the cache of the processor.
const (
	frontNames = iota
	frontURLs
	frontRest
	fronts
)

func frontOf(kind trails.Kind) int {
	switch kind {
	case trails.Domain:
		return frontNames
	case trails.URL:
		return frontURLs
	}
	return frontRest
}

// The reasons for which a file is no usable table. Errors from Open wrap them
// and name the file.
var (
	ErrForeign   = errors.New("not a trail table")
	ErrVersion   = errors.New("made by another version")
	ErrDamaged   = errors.New("damaged")
	ErrUntrusted = errors.New("not trusted")
	ErrTooLarge  = errors.New("too many trails for one table")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var le = binary.LittleEndian

type section struct {
	crc    uint32
	offset uint64
	length uint64
}

type header struct {
	size        uint64
	seed        uint64
	created     int64
	trails      uint32
	provenances uint32
	sections    [secEnd]section
}

// headLength is the size of header, directory and their checksum.
const headLength = headerSize + (secEnd-1)*entrySize + 4

func (h *header) encode() []byte {
	b := make([]byte, headLength)
	copy(b, magic)
	le.PutUint32(b[8:], version)
	le.PutUint32(b[12:], headLength)
	le.PutUint64(b[16:], h.size)
	le.PutUint64(b[24:], h.seed)
	le.PutUint64(b[32:], uint64(h.created))
	le.PutUint32(b[40:], h.trails)
	le.PutUint32(b[44:], h.provenances)
	le.PutUint32(b[48:], secEnd-1)
	for id := 1; id < secEnd; id++ {
		e := b[headerSize+(id-1)*entrySize:]
		le.PutUint32(e, uint32(id))
		le.PutUint32(e[4:], h.sections[id].crc)
		le.PutUint64(e[8:], h.sections[id].offset)
		le.PutUint64(e[16:], h.sections[id].length)
	}
	le.PutUint32(b[headLength-4:], crc32.Checksum(b[:headLength-4], castagnoli))
	return b
}

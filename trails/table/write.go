package table

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math/bits"
	"os"
	"path/filepath"
	"time"

	"trailhound/trails"
)

// image writes the sections of a table one after the other.
type image struct {
	w    *bufio.Writer
	head header
	off  uint64
	cur  int
	crc  uint32
}

func (m *image) begin(id int) {
	for m.off%align != 0 {
		m.w.WriteByte(0)
		m.off++
	}
	m.cur, m.crc = id, 0
	m.head.sections[id].offset = m.off
}

func (m *image) write(b []byte) {
	m.w.Write(b) // a bufio.Writer keeps its first error until Flush
	m.crc = crc32.Update(m.crc, castagnoli, b)
	m.off += uint64(len(b))
}

func (m *image) end() {
	s := &m.head.sections[m.cur]
	s.crc, s.length = m.crc, m.off-s.offset
}

func (m *image) section(id int, b []byte) {
	m.begin(id)
	m.write(b)
	m.end()
}

// imageFile is what a table is written to: a file, or memory.
type imageFile interface {
	io.Writer
	io.WriterAt
}

// Write writes the table. The builder can be used no further.
func (b *Builder) Write(w imageFile) error {
	b.finish()
	if b.err != nil {
		return b.err
	}
	m := &image{w: bufio.NewWriterSize(w, 1<<18)}
	m.head = header{seed: b.opt.Seed, created: b.opt.Now.Unix(), trails: uint32(len(b.sorted)),
		provenances: uint32(len(b.prov.list))}
	m.w.Write(make([]byte, headLength))
	m.off = headLength

	front4, front6, meta := b.fronts()
	bloom := b.bloom(meta[metaBloom:])
	m.section(secMeta, meta)
	m.section(secFront4, front4)
	m.section(secFront6, front6)
	m.section(secBloom, bloom)
	if err := b.writeRecords(m); err != nil {
		return err
	}
	b.chunks = nil
	b.writeSlots(m)
	b.recs, b.sorted = nil, []uint64{}
	provOffs, tuples, sources, texts := b.prov.encode(b.opt.Now.Unix())
	m.section(secProvOffs, provOffs)
	m.section(secProvenance, tuples)
	m.section(secSources, sources)
	m.section(secStrOffs, texts.offs)
	m.section(secStrings, texts.data)
	if err := m.w.Flush(); err != nil {
		return err
	}
	m.head.size = m.off
	_, err := w.WriteAt(m.head.encode(), 0)
	return err
}

// fronts makes the bitmaps and the meta section.
func (b *Builder) fronts() (front4, front6, meta []byte) {
	meta = make([]byte, metaSize)
	for k, n := range b.counts {
		le.PutUint32(meta[4*k:], uint32(n))
	}
	addrs := b.counts[trails.Address] + b.counts[trails.AddressPort] + b.counts[trails.Network]
	front4 = make([]byte, bitmapBits(addrs, 24)/8)
	front6 = make([]byte, bitmapBits(addrs, 20)/8)
	mask4, mask6 := uint32(len(front4)*8-1), uint32(len(front6)*8-1)
	for i := range b.n {
		r := b.rec(i)
		if r.prov == dropped {
			continue
		}
		kind, key := b.key(r)
		if kind != trails.Address && kind != trails.AddressPort && kind != trails.Network {
			continue
		}
		n := len(key) - keyExtra[kind]
		bits := 8 * n
		if kind == trails.Network {
			bits = int(key[n])
			at := metaNets4
			if n == 16 {
				at = metaNets6
			}
			meta[at+bits/8] |= 1 << (bits % 8)
		}
		if n == 4 {
			setFront4(front4, be32(key), bits, mask4)
		} else if bits < 20 {
			meta[metaWide6] = 1 // too many /32s to mark: the front lets everything pass
		} else {
			setFront6(front6, b.opt.Seed, key, bits, mask6)
		}
	}
	return front4, front6, meta
}

// bitmapBits sizes a bitmap so that at most about one bit in 64 is set.
func bitmapBits(n, maxLog int) int {
	return 1 << min(max(bits.Len(uint(n))+6, 9), maxLog)
}

func setFront4(front []byte, addr uint32, bits int, mask uint32) {
	count := uint32(1)
	if bits < 24 {
		count = min(uint32(1)<<(24-bits), mask+1)
	}
	for i := uint32(0); i < count; i++ {
		bit := front4Bit(addr+i<<8, mask)
		front[bit/8] |= 1 << (bit % 8)
	}
}

func setFront6(front []byte, seed uint64, key []byte, bits int, mask uint32) {
	var a [16]byte
	copy(a[:], key)
	count := uint32(1)
	if bits < 32 {
		count = 1 << (32 - bits)
	}
	first := be32(a[:])
	for i := uint32(0); i < count; i++ {
		binary.BigEndian.PutUint32(a[:], first+i)
		bit := front6Bit(seed, &a, mask)
		front[bit/8] |= 1 << (bit % 8)
	}
}

// bloom makes the Bloom fronts and notes their sizes.
func (b *Builder) bloom(sizes []byte) []byte {
	var keys, words [fronts]uint64
	for kind, n := range b.counts {
		keys[frontOf(trails.Kind(kind))] += uint64(n)
	}
	keys[frontURLs] += keys[frontURLs] / 2 // the hosts
	total := uint64(0)
	for i, n := range keys {
		words[i] = n*bloomBits/64 + 1
		le.PutUint64(sizes[8*i:], words[i])
		total += words[i]
	}
	out := make([]byte, total*8)
	part := [fronts][]byte{out, out[words[0]*8:], out[(words[0]+words[1])*8:]}
	mark := func(front int, h uint64) {
		at := part[front][bloomWord(h, words[front])*8:]
		le.PutUint64(at, le.Uint64(at)|bloomMask(h))
	}
	for i := range b.n {
		r := b.rec(i)
		kind, key := b.key(r)
		mark(frontOf(kind), r.hash)
		if kind == trails.URL {
			if host, _ := trails.SplitURL(key); len(host) > 0 {
				mark(frontURLs, hostMark(hashBytes(b.bases[kind], host)))
			}
		}
	}
	return out
}

// leads says which kinds stand first among the records: expressions are read
// whole at every start, so they must not be strewn over 60 MB.
func leads(kind trails.Kind) bool { return kind == trails.Pattern || kind == trails.UserAgent }

// writeRecords writes the records, expressions first, else in the order of
// their reading, and notes their offsets.
func (b *Builder) writeRecords(m *image) error {
	m.begin(secRecords)
	buf := make([]byte, 0, MaxKey+32)
	start := m.off
	for _, first := range [...]bool{true, false} {
		for i := range b.n {
			r := b.rec(i)
			if r.prov == dropped || r.prov == written {
				continue
			}
			kind, key := b.key(r)
			if leads(kind) != first {
				continue
			}
			if m.off-start >= maxRecords-2*MaxKey {
				return ErrTooLarge
			}
			buf = append(buf[:0], byte(kind))
			buf = binary.AppendUvarint(buf, uint64(r.prov))
			buf = binary.AppendUvarint(buf, b.age(kind, key))
			buf = binary.AppendUvarint(buf, uint64(len(key)))
			r.at, r.prov = uint32(m.off-start), written
			m.write(append(buf, key...))
		}
	}
	m.end()
	return nil
}

// written is the provenance of a record that is in the file.
const written = dropped - 1

// age is how many minutes before the table's time a key was first seen.
func (b *Builder) age(kind trails.Kind, key []byte) uint64 {
	if b.opt.Previous == nil {
		return 0
	}
	r := b.opt.Previous.Find(kind, key)
	if r == 0 {
		return 0
	}
	if age := b.opt.Now.Sub(b.opt.Previous.FirstSeen(r)); age > 0 {
		return uint64(age / time.Minute)
	}
	return 0
}

func (b *Builder) writeSlots(m *image) {
	slots := make([]uint64, uint64(len(b.sorted))*5/4+8)
	for _, s := range b.sorted {
		place(slots, s&^0xFFFFFFFF|uint64(b.rec(int(uint32(s))).at+1))
	}
	m.begin(secSlots)
	buf := make([]byte, 0, 1<<13)
	for _, s := range slots {
		if buf = le.AppendUint64(buf, s); len(buf) == cap(buf) {
			m.write(buf)
			buf = buf[:0]
		}
	}
	m.write(buf)
	m.end()
}

// WriteFile writes the table beside path and renames it into place, so that
// path never holds half a table. The file is readable by all, writable by its
// owner.
func (b *Builder) WriteFile(path string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot write trail table %q: directory %q: %w", path, filepath.Dir(path), withoutPath(err))
	}
	if err != nil {
		return fmt.Errorf("cannot write trail table %q: %w", path, withoutPath(err))
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("cannot write trail table %q: %w", path, withoutPath(err))
		}
	}()
	if err = b.Write(f); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// withoutPath drops the temporary file's name from an error.
func withoutPath(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// Memory compiles the table into memory, for small sets and tests.
func (b *Builder) Memory() (*Table, error) {
	var m memory
	if err := b.Write(&m); err != nil {
		return nil, err
	}
	return FromBytes(m)
}

// memory is an imageFile.
type memory []byte

func (m *memory) Write(b []byte) (int, error) {
	*m = append(*m, b...)
	return len(b), nil
}

func (m *memory) WriteAt(b []byte, off int64) (int, error) { return copy((*m)[off:], b), nil }

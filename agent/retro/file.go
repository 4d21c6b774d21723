package retro

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// A file of a store begins with magic and a header, little endian as all of it:
// the secret, the time, began, gone. Blocks of entries follow, each with
// their number in front (uint32), up to an empty block; then the hosts, their
// number in front; then the SHA-256 of everything before it. Magic holds the
// version.
const (
	magic      = "TH RETRO\x00\x00\x00\x01"
	headerSize = len(magic) + 16 + 8 + 2*4
)

// ErrDamaged is the error of a file that is not as it was written.
var ErrDamaged = errors.New("not a whole memory of names and addresses")

// maxBlock bounds the entries of a block. A block has those of slots from the
// whole array, at equal distances, so that a store of any size fills evenly when
// the blocks are read.
const maxBlock = 1 << 10

func (s *Store) appendHeader(b []byte, now time.Time) []byte {
	b = append(append(b, magic...), s.secret[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(now.Unix()))
	b = binary.LittleEndian.AppendUint32(b, s.began)
	return binary.LittleEndian.AppendUint32(b, s.gone)
}

// blocks is how many there are, with those that are empty.
func (s *Store) blocks() int { return (len(s.slots) + maxBlock - 1) / maxBlock }

// appendBlock appends a block, nothing if it is empty.
func (s *Store) appendBlock(b []byte, block int) []byte {
	place, n := len(b), uint32(0)
	b = binary.LittleEndian.AppendUint32(b, 0)
	for i := block; i < len(s.slots); i += s.blocks() {
		e := &s.slots[i]
		if e.key == 0 {
			continue
		}
		n++
		b = binary.LittleEndian.AppendUint64(b, e.key)
		for _, v := range [...]uint32{e.first, e.last, e.hosts[0], e.hosts[1]} {
			b = binary.LittleEndian.AppendUint32(b, v)
		}
	}
	if n == 0 {
		return b[:place]
	}
	binary.LittleEndian.PutUint32(b[place:], n)
	return b
}

func (s *Store) appendHosts(b []byte) []byte {
	place, n := len(b), uint32(0)
	b = binary.LittleEndian.AppendUint32(b, 0)
	for i := range s.hosts {
		if h := &s.hosts[i]; h.hash != 0 {
			n++
			b = append(binary.LittleEndian.AppendUint32(b, h.hash), h.addr[:]...)
		}
	}
	binary.LittleEndian.PutUint32(b[place:], n)
	return b
}

// Write writes a store. The store is only touched inside of calls of do, which
// runs a function on the goroutine that owns it and says whether it did; it may
// change between two calls, so that what is written is not of one moment: an
// entry that moved just then may be missing.
func (s *Store) Write(w io.Writer, now time.Time, do func(func()) bool) error {
	sum := sha256.New()
	w = io.MultiWriter(w, sum)
	var b []byte
	part := func(f func()) error {
		b = b[:0]
		if !do(f) {
			return errors.New("the memory of names and addresses is closed")
		}
		_, err := w.Write(b)
		return err
	}
	if err := part(func() { b = s.appendHeader(b, now) }); err != nil {
		return err
	}
	for i := range s.blocks() { // whose number does not change
		if err := part(func() { b = s.appendBlock(b, i) }); err != nil {
			return err
		}
	}
	if err := part(func() { b = s.appendHosts(binary.LittleEndian.AppendUint32(b, 0)) }); err != nil {
		return err
	}
	_, err := w.Write(sum.Sum(nil))
	return err
}

// Read reads a store into one of at most memory bytes. Of what does not fit, that
// which was last seen longest ago is left out and counted. An error that wraps
// ErrDamaged is the file's own.
func Read(r io.Reader, memory int64) (*Store, error) {
	sum := sha256.New()
	in := bufio.NewReaderSize(r, 1<<16)
	take := func(b []byte) error {
		if _, err := io.ReadFull(in, b); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return fmt.Errorf("%w: it ends too early", ErrDamaged)
			}
			return err
		}
		sum.Write(b)
		return nil
	}
	number := func(most uint32) (uint32, error) {
		var b [4]byte
		if err := take(b[:]); err != nil {
			return 0, err
		}
		n := binary.LittleEndian.Uint32(b[:])
		if n > most {
			return 0, fmt.Errorf("%w: a part of it is too long", ErrDamaged)
		}
		return n, nil
	}
	head := make([]byte, headerSize)
	if err := take(head); err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(head, []byte(magic)) {
		return nil, fmt.Errorf("%w: it is of another kind or version", ErrDamaged)
	}
	head = head[len(magic):]
	s := New(memory, Secret(head))
	head = head[16:]
	buf := make([]byte, maxBlock*entrySize)
	for {
		n, err := number(maxBlock)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			break
		}
		block := buf[:n*entrySize]
		if err := take(block); err != nil {
			return nil, err
		}
		for ; len(block) > 0; block = block[entrySize:] {
			u := func(i int) uint32 { return binary.LittleEndian.Uint32(block[i:]) }
			e := entry{binary.LittleEndian.Uint64(block), u(8), u(12), [2]uint32{u(16), u(20)}}
			if e.key == 0 || e.first > e.last {
				return nil, fmt.Errorf("%w: it has an entry that cannot be", ErrDamaged)
			}
			s.put(e)
		}
	}
	n, err := number(maxHosts)
	if err != nil {
		return nil, err
	}
	for range n {
		var b [hostSize]byte
		if err := take(b[:]); err != nil {
			return nil, err
		}
		s.meet(binary.LittleEndian.Uint32(b[:]), [16]byte(b[4:]))
	}
	want := sum.Sum(nil)
	have := make([]byte, len(want))
	if err := take(have); err != nil {
		return nil, err
	}
	if !bytes.Equal(have, want) {
		return nil, fmt.Errorf("%w: its checksum is wrong", ErrDamaged)
	}
	s.saved = time.Unix(int64(binary.LittleEndian.Uint64(head)), 0).UTC()
	s.began = binary.LittleEndian.Uint32(head[8:])
	s.gone = max(s.gone, binary.LittleEndian.Uint32(head[12:]))
	return s, nil
}

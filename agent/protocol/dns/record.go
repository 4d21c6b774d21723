package dns

import "encoding/binary"

// Types that the sensor treats by name (IANA DNS parameters).
const (
	TypeA     = 1
	TypeNS    = 2
	TypeCNAME = 5
	TypeSOA   = 6
	TypePTR   = 12
	TypeMX    = 15
	TypeTXT   = 16
	TypeAAAA  = 28
	TypeSRV   = 33
	TypeDNAME = 39
	TypeOPT   = 41
	TypeSVCB  = 64
	TypeHTTPS = 65
	TypeANY   = 255
)

// ClassIN is the Internet class. ClassMask removes the bit that mDNS puts on
// top of a class: unicast answer wanted, or cache flush (RFC 6762 18.12).
const (
	ClassIN   = 1
	ClassMask = 0x7FFF
)

// Section is the part of the message a record stands in.
type Section uint8

// The sections that hold records.
const (
	Answer Section = iota
	Authority
	Additional
)

// Record is one resource record. For OPT (RFC 6891), Class is the sender's UDP
// size and TTL carries extended flags.
type Record struct {
	Section Section
	Name    []byte // owner, text as in Question.Name; valid until the next NextRecord or Parse
	Cut     bool   // as in Question.Cut
	Type    uint16
	Class   uint16 // as sent
	TTL     uint32 // seconds
	Data    []byte // RDATA; points into the message

	owner int // offset of Name in the message
	at    int // of Data: names in it may be compressed
}

// NextRecord reads the next record, after skipping the questions not yet read.
// It reports false when there is none, or it was not captured whole, or it is
// malformed; the rest of the message then cannot be read either.
func (m *Message) NextRecord(r *Record) bool {
	m.skipQuestions()
	section := Answer
	switch n := m.listed - int(m.Answers); {
	case n >= int(m.Authorities)+int(m.Additionals):
		return false
	case n >= int(m.Authorities):
		section = Additional
	case n >= 0:
		section = Authority
	}
	owner := m.off
	if !m.record(r, m.owner.read(m.b, owner)) {
		return false
	}
	r.owner = owner
	r.Section = section
	r.Name, r.Cut = m.owner.text()
	return true
}

// NextAnswer is NextRecord for the answer section alone, which it does not
// leave. It skips the owner's name, whose text costs more than all the rest and
// is rarely wanted: Owner reads it.
func (m *Message) NextAnswer(r *Record) bool {
	m.skipQuestions()
	if m.listed >= int(m.Answers) {
		return false
	}
	owner := m.off
	if !m.record(r, skip(m.b, owner)) {
		return false
	}
	r.owner = owner
	r.Section, r.Name, r.Cut = Answer, nil, false
	return true
}

// Owner gives the owner's name of r, a record that this message gave; nil if it
// is malformed, empty for the root. It is valid until the next Owner, NextRecord
// or Parse.
func (m *Message) Owner(r *Record) []byte {
	if m.owner.read(m.b, r.owner) < 0 {
		return nil
	}
	text, _ := m.owner.text()
	return text
}

func (m *Message) skipQuestions() {
	for m.asked < m.Questions {
		end := skip(m.b, m.off)
		if end < 0 || len(m.b)-end < 4 {
			m.stop()
			return
		}
		m.off = end + 4
		m.asked++
	}
}

// record reads what follows the owner's name, which ended at b[end]; less than 0:
// it is malformed.
func (m *Message) record(r *Record, end int) bool {
	b := m.b
	if end < 0 || len(b)-end < 10 {
		m.stop()
		return false
	}
	fixed := b[end : end+10]
	at, size := end+10, int(binary.BigEndian.Uint16(fixed[8:]))
	if size > len(b)-at {
		m.stop()
		return false
	}
	r.Type = binary.BigEndian.Uint16(fixed)
	r.Class = binary.BigEndian.Uint16(fixed[2:])
	r.TTL = binary.BigEndian.Uint32(fixed[4:])
	r.Data = b[at : at+size : at+size]
	r.at = at
	m.off = at + size
	m.listed++
	return true
}

// Target returns the name in the data of r, which must be the record that
// NextRecord gave last or an earlier one of the same message: what a CNAME,
// DNAME, NS or PTR leads to, the host of MX, SRV, SVCB and HTTPS, the primary
// server of SOA. It is nil for other types and for malformed data, empty for
// the root. It is valid until the next Target or Parse.
func (m *Message) Target(r *Record) []byte {
	var before int // bytes of the data before the name
	switch r.Type {
	case TypeNS, TypeCNAME, TypeSOA, TypePTR, TypeDNAME:
	case TypeMX, TypeSVCB, TypeHTTPS:
		before = 2
	case TypeSRV:
		before = 6
	default:
		return nil
	}
	limit := r.at + len(r.Data)
	if before >= len(r.Data) || limit > len(m.b) {
		return nil
	}
	if end := m.target.read(m.b, r.at+before); end < 0 || end > limit {
		return nil
	}
	text, _ := m.target.text()
	return text
}

// skip returns the offset behind the name at b[off:], -1 when it is malformed.
// Where pointers lead is of no interest.
func skip(b []byte, off int) int {
	for wire := 1; uint(off) < uint(len(b)); {
		size := int(b[off])
		switch {
		case size == 0:
			return off + 1
		case size >= 0xC0:
			if off+1 >= len(b) {
				return -1
			}
			return off + 2
		case size > maxLabel:
			return -1
		}
		off += size + 1
		if wire += size + 1; wire > maxWire {
			return -1
		}
	}
	return -1
}

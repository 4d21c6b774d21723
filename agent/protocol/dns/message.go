// Package dns reads DNS messages (RFC 1035) as they pass on the wire: queries
// and responses over UDP and TCP, and what shares the format, mDNS (RFC 6762)
// and LLMNR (RFC 4795).
//
// A Message is reused for every payload: it points into the payload and holds
// the text of the names last read, so reading allocates nothing. Input is
// hostile: every offset is checked, compression jumps are counted, and the
// time spent is bounded by the size of the payload.
package dns

import "encoding/binary"

const headerSize = 12 // RFC 1035 4.1.1

// Message is the header of a DNS message and a cursor over its questions and
// records. Counts are what the header claims, not what was captured. The zero
// value is ready for Parse.
type Message struct {
	ID    uint16
	Flags uint16 // bytes 2 and 3 of the header: QR, opcode, AA, TC, RD, RA, Z, AD, CD, RCODE

	Questions, Answers, Authorities, Additionals uint16

	b        []byte
	off      int    // where the next question or record starts
	asked    uint16 // questions read so far
	listed   int    // records read so far
	question name
	owner    name
	target   name
}

// Parse reads the header of the message in b, which must hold the message
// alone (see TCPMessage for TCP). It reports false when b is shorter than a
// header. b must not change while the Message is in use.
func (m *Message) Parse(b []byte) bool {
	m.b, m.off, m.asked, m.listed = b, headerSize, 0, 0
	if len(b) < headerSize {
		m.ID, m.Flags = 0, 0
		m.Questions, m.Answers, m.Authorities, m.Additionals = 0, 0, 0, 0
		return false
	}
	m.ID = binary.BigEndian.Uint16(b)
	m.Flags = binary.BigEndian.Uint16(b[2:])
	m.Questions = binary.BigEndian.Uint16(b[4:])
	m.Answers = binary.BigEndian.Uint16(b[6:])
	m.Authorities = binary.BigEndian.Uint16(b[8:])
	m.Additionals = binary.BigEndian.Uint16(b[10:])
	return true
}

// Response is the QR bit.
func (m *Message) Response() bool { return m.Flags&0x8000 != 0 }

// Opcode is 0 for a standard query, 4 for a notification, 5 for an update.
func (m *Message) Opcode() uint8 { return uint8(m.Flags>>11) & 15 }

// RCode is the response code without its EDNS extension: 0 no error, 3 no such
// name.
func (m *Message) RCode() uint8 { return uint8(m.Flags) & 15 }

// Truncated is the TC bit. In an mDNS query it announces more known answers,
// and a sender may set it in any query: such a query is as good as others.
func (m *Message) Truncated() bool { return m.Flags&0x0200 != 0 }

// Query reports whether the message asks for names: a standard query with a
// question. Updates and notifications name zones, they ask for nothing.
func (m *Message) Query() bool { return m.Flags&0xF800 == 0 && m.Questions > 0 }

// Question is one entry of the question section.
type Question struct {
	// Name is the name in lower-case text without the dot at its end; the root
	// is empty. It is valid until the next NextQuestion or Parse. Bytes are as
	// sent, except that a dot or backslash inside a label has a backslash in
	// front and a NUL is \000 (RFC 4343 2.1), so no two names have one text.
	Name []byte
	// Cut is true when escapes made the text longer than MaxName: labels are
	// missing in front.
	Cut   bool
	Type  uint16 // as sent
	Class uint16 // as sent: in mDNS the top bit asks for a unicast answer (RFC 6762 5.4)
}

// NextQuestion reads the next question. It reports false when there is none,
// or it was not captured up to its class, or its name is malformed; the rest of
// the message then cannot be read either.
func (m *Message) NextQuestion(q *Question) bool {
	if m.asked >= m.Questions {
		return false
	}
	end := m.question.read(m.b, m.off)
	if end < 0 || len(m.b)-end < 4 {
		m.stop()
		return false
	}
	q.Name, q.Cut = m.question.text()
	q.Type = binary.BigEndian.Uint16(m.b[end:])
	q.Class = binary.BigEndian.Uint16(m.b[end+2:])
	m.off = end + 4
	m.asked++
	return true
}

// stop makes all further reads fail: after a damaged entry no offset is known.
func (m *Message) stop() {
	m.off = len(m.b)
	m.asked = m.Questions
	m.listed = int(m.Answers) + int(m.Authorities) + int(m.Additionals)
}

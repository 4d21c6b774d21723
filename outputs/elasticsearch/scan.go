package elasticsearch

import (
	"bufio"
	"errors"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"trailhound/outputs"
)

// Bounds on what is read of an answer.
const (
	maxDepth = 64  // brackets inside each other
	maxText  = 512 // bytes kept of a text
)

var (
	errNotJSON = outputs.Mark(errors.New("the answer is not the JSON that was asked for"), outputs.ErrProtocol)
	errTooLong = outputs.Mark(errors.New("the answer is longer than any that the request could have"), outputs.ErrProtocol)
)

// A scanner reads JSON (RFC 8259) from a stream in one pass. It keeps nothing
// but what it is asked for and is no validator: it takes some text that is no
// JSON, but never more of it than limit bytes and never deeper than maxDepth.
// After the first error all methods do nothing.
type scanner struct {
	in  *bufio.Reader
	err error
	// text is the last string, cut to maxText bytes between runes.
	text []byte
}

// limited is a reader that fails behind n bytes, where io.LimitedReader would end.
type limited struct {
	in io.Reader
	n  int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.n <= 0 {
		return 0, errTooLong
	}
	n, err := l.in.Read(p[:min(int64(len(p)), l.n)])
	l.n -= int64(n)
	return n, err
}

func (s *scanner) fail(err error) {
	if s.err == nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		s.err = err
	}
}

// next gives the next byte that is no white space; 0 after an error.
func (s *scanner) next() byte {
	for s.err == nil {
		c, err := s.in.ReadByte()
		if err != nil {
			s.fail(err)
			break
		}
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
	}
	return 0
}

// peek is next without taking the byte.
func (s *scanner) peek() byte {
	c := s.next()
	if s.err == nil {
		s.in.UnreadByte()
	}
	return c
}

// end makes sure that nothing follows.
func (s *scanner) end() {
	if s.err != nil {
		return
	}
	if s.next(); s.err == nil {
		s.fail(errNotJSON)
	} else if s.err == io.ErrUnexpectedEOF {
		s.err = nil
	}
}

func (s *scanner) want(c byte) {
	if s.next() != c {
		s.fail(errNotJSON)
	}
}

// object calls member for every key of an object; the key is in s.text. Member
// must read the value.
func (s *scanner) object(member func()) {
	s.want('{')
	if s.peek() == '}' {
		s.next()
		return
	}
	for s.err == nil {
		s.want('"')
		s.string()
		s.want(':')
		if s.err != nil {
			return
		}
		member()
		if !s.more('}') {
			return
		}
	}
}

// array calls element for every element of an array. Element must read it.
func (s *scanner) array(element func()) {
	s.want('[')
	if s.peek() == ']' {
		s.next()
		return
	}
	for s.err == nil {
		element()
		if !s.more(']') {
			return
		}
	}
}

// more says whether a comma follows; otherwise the end does.
func (s *scanner) more(end byte) bool {
	switch c := s.next(); {
	case s.err != nil:
		return false
	case c == ',':
		return true
	case c != end:
		s.fail(errNotJSON)
	}
	return false
}

// number reads a whole number that is not negative and not larger than a
// million; anything else is an error.
func (s *scanner) number() (n int) {
	c := s.next()
	if c < '0' || c > '9' {
		s.fail(errNotJSON)
		return 0
	}
	for s.err == nil && c >= '0' && c <= '9' {
		if n = n*10 + int(c-'0'); n > 1_000_000 {
			s.fail(errNotJSON)
			return 0
		}
		var err error
		if c, err = s.in.ReadByte(); err != nil {
			s.fail(err)
			return 0
		}
	}
	if c == '.' || c == 'e' || c == 'E' {
		s.fail(errNotJSON)
	}
	s.in.UnreadByte()
	return n
}

// string reads a string behind its opening quote into s.text.
func (s *scanner) string() {
	s.text = s.text[:0]
	for s.err == nil {
		c, err := s.in.ReadByte()
		switch {
		case err != nil:
			s.fail(err)
		case c == '"':
			s.trim()
			return
		case c == '\\':
			s.escape()
		default:
			s.keep(c)
		}
	}
}

func (s *scanner) keep(c ...byte) {
	if len(s.text) < maxText {
		s.text = append(s.text, c...)
	}
}

// trim cuts a rune that did not fit whole.
func (s *scanner) trim() {
	s.text = s.text[:min(len(s.text), maxText)]
	for n := 0; n < utf8.UTFMax && len(s.text) == maxText-n; n++ {
		if r, size := utf8.DecodeLastRune(s.text); r != utf8.RuneError || size != 1 {
			return
		}
		s.text = s.text[:len(s.text)-1]
	}
}

func (s *scanner) escape() {
	c, err := s.in.ReadByte()
	if err != nil {
		s.fail(err)
		return
	}
	switch c {
	case 'u':
		r := s.hex()
		if utf16.IsSurrogate(r) {
			low := rune(utf8.RuneError)
			if next, err := s.in.Peek(2); err == nil && next[0] == '\\' && next[1] == 'u' {
				s.in.Discard(2)
				low = s.hex()
			}
			r = utf16.DecodeRune(r, low)
		}
		var b [utf8.UTFMax]byte
		s.keep(b[:utf8.EncodeRune(b[:], r)]...)
	case 'n':
		s.keep('\n')
	case 't':
		s.keep('\t')
	case 'r':
		s.keep('\r')
	case 'b', 'f':
		s.keep(' ')
	default:
		s.keep(c)
	}
}

func (s *scanner) hex() (r rune) {
	for range 4 {
		c, err := s.in.ReadByte()
		if err != nil {
			s.fail(err)
			return 0
		}
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			s.fail(errNotJSON)
			return 0
		}
		r = r<<4 | rune(c)
	}
	return r
}

// skip reads a value of any kind and forgets it.
func (s *scanner) skip() {
	for depth := 0; s.err == nil; {
		switch c := s.next(); c {
		case 0:
			s.fail(errNotJSON)
		case '"':
			s.string()
		case '{', '[':
			if depth++; depth > maxDepth {
				s.fail(errNotJSON)
			}
			continue
		case '}', ']':
			depth--
		case ',', ':':
			if depth == 0 {
				s.fail(errNotJSON)
			}
			continue
		default:
			s.word(c)
		}
		if depth <= 0 {
			return
		}
	}
}

// word reads the rest of a number, true, false or null.
func (s *scanner) word(c byte) {
	for c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c == '.' || c == '-' || c == '+' || c == 'E' {
		var err error
		if c, err = s.in.ReadByte(); err != nil {
			s.fail(err)
			return
		}
	}
	switch c {
	case ',', '}', ']', ' ', '\n', '\t', '\r':
		s.in.UnreadByte()
	default:
		s.fail(errNotJSON)
	}
}

// quoted reads a string value into s.text; another kind of value is skipped and
// leaves s.text empty.
func (s *scanner) quoted() {
	if s.peek() == '"' {
		s.next()
		s.string()
		return
	}
	s.skip()
	s.text = s.text[:0]
}

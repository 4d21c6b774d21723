package corpus

import "strings"

// DNS record types and classes.
const (
	TypeA     = 1
	TypePTR   = 12
	TypeMX    = 15
	TypeTXT   = 16
	TypeAAAA  = 28
	TypeHTTPS = 65
	ClassIN   = 1
	ClassCH   = 3
)

// Question is a question of a DNS message.
type Question struct {
	Name        string
	Type, Class uint16
	// At, when not 0, is written as a compression pointer in place of the last
	// label of the name.
	At uint16
}

// Ask is the question for the address of a name.
func Ask(name string) Question { return Question{Name: name, Type: TypeA, Class: ClassIN} }

// Query makes a DNS query with recursion desired.
func Query(questions ...Question) string { return Message(0x0100, questions...) }

// Message makes a DNS message of questions alone, with any flags.
func Message(flags uint16, questions ...Question) string {
	b := be.AppendUint16(nil, 0x4242)
	b = be.AppendUint16(b, flags)
	b = be.AppendUint16(b, uint16(len(questions)))
	b = append(b, 0, 0, 0, 0, 0, 0)
	for _, q := range questions {
		b = append(b, labels(q.Name, q.At)...)
		b = be.AppendUint16(b, q.Type)
		b = be.AppendUint16(b, q.Class)
	}
	return string(b)
}

// EDNS appends an OPT record (RFC 6891) to a message without others.
func EDNS(message string) string {
	b := []byte(message)
	be.PutUint16(b[10:], 1)
	return string(append(b, 0, 0, 41, 0x10, 0, 0, 0, 0x80, 0, 0, 0))
}

// Answered makes the response to a query with one A record, its owner a
// pointer to the question.
func Answered(query, address string) string {
	b := []byte(query)
	b[2], b[3] = 0x81, 0x80
	be.PutUint16(b[6:], 1)
	b = append(b, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4)
	return string(append(b, addr(address).AsSlice()...))
}

// Stream puts the length in front of a message, as over TCP.
func Stream(message string) string { return string(sized16([]byte(message))) }

func labels(name string, at uint16) (b []byte) {
	for label := range strings.SplitSeq(name, ".") {
		if label != "" {
			b = append(b, sized8([]byte(label))...)
		}
	}
	if at != 0 {
		return be.AppendUint16(b, 0xc000|at)
	}
	return append(b, 0)
}

package corpus

import "strings"

// DNS record types and classes.
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
	TypeSVCB  = 64
	TypeHTTPS = 65
	ClassIN   = 1
	ClassCH   = 3
)

// The response codes.
const (
	NoError    = 0
	ServFail   = 2
	NoSuchName = 3
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

// Answered makes the response to a query with one A or AAAA record, its owner a
// pointer to the question.
func Answered(query, address string) string { return Reply(NoError, query, Address(address)) }

// Resource is a resource record of class IN with a TTL of a minute.
type Resource struct {
	Owner string // empty: a pointer to the first question
	Type  uint16
	Class uint16 // 0: IN
	Data  string
}

// Address is the A or AAAA record of an address.
func Address(text string) Resource {
	a := addr(text)
	if a.Is4() {
		return Resource{Type: TypeA, Data: string(a.AsSlice())}
	}
	return Resource{Type: TypeAAAA, Data: string(a.AsSlice())}
}

// Leads is a record that leads to a name, with what such a record has in front
// of the name, and more behind it.
func Leads(typ uint16, to string, more ...string) Resource {
	front := ""
	switch typ {
	case TypeMX, TypeSVCB, TypeHTTPS:
		front = "\x00\x0a"
	case TypeSRV:
		front = "\x00\x0a\x00\x05\x01\xbb"
	}
	return Resource{Type: typ, Data: front + string(labels(to, 0)) + strings.Join(more, "")}
}

// Hint is a parameter of an SVCB record: 4 with IPv4, 6 with IPv6 addresses.
func Hint(key uint16, addresses ...string) string {
	var list []byte
	for _, a := range addresses {
		list = append(list, addr(a).AsSlice()...)
	}
	return string(append(be.AppendUint16(nil, key), sized16(list)...))
}

// Reply makes the response of a resolver to a query.
func Reply(rcode uint8, query string, answers ...Resource) string {
	return Flagged(0x8180|uint16(rcode), query, answers...)
}

// Flagged is Reply with any flags.
func Flagged(flags uint16, query string, answers ...Resource) string {
	b := []byte(query)
	be.PutUint16(b[2:], flags)
	be.PutUint16(b[6:], uint16(len(answers)))
	for _, r := range answers {
		if r.Owner == "" {
			b = append(b, 0xc0, 12)
		} else {
			b = append(b, labels(r.Owner, 0)...)
		}
		b = be.AppendUint16(b, r.Type)
		b = be.AppendUint16(b, max(r.Class, ClassIN))
		b = append(b, 0, 0, 0, 60)
		b = append(b, sized16([]byte(r.Data))...)
	}
	return string(b)
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

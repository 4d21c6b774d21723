package corpus

// TCP flags (RFC 9293 3.1).
const (
	FIN = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
)

// Segment is what IP carries: a transport header with its payload.
type Segment struct {
	Proto    uint8
	Data     []byte
	checksum int // offset of the checksum over the pseudo header; 0: none
}

// TCP makes a segment with a header of 20 bytes.
func TCP(sport, dport uint16, flags uint8, payload string) Segment {
	b := be.AppendUint16(nil, sport)
	b = be.AppendUint16(b, dport)
	b = be.AppendUint32(b, 1000)
	b = be.AppendUint32(b, 0)
	b = append(b, 5<<4, flags, 0xff, 0xff, 0, 0, 0, 0)
	return Segment{6, append(b, payload...), 16}
}

// Syn makes a SYN.
func Syn(sport, dport uint16) Segment { return TCP(sport, dport, SYN, "") }

// Data makes a segment of an established connection.
func Data(sport, dport uint16, payload string) Segment { return TCP(sport, dport, PSH|ACK, payload) }

// UDP makes a datagram.
func UDP(sport, dport uint16, payload string) Segment {
	b := be.AppendUint16(nil, sport)
	b = be.AppendUint16(b, dport)
	b = be.AppendUint16(b, uint16(8+len(payload)))
	return Segment{17, append(append(b, 0, 0), payload...), 6}
}

// ICMP makes an ICMP message with four bytes of rest of header.
func ICMP(typ, code uint8) Segment {
	b := []byte{typ, code, 0, 0, 0, 1, 0, 1, 'p', 'i', 'n', 'g'}
	be.PutUint16(b[2:], sum(b))
	return Segment{1, b, 0}
}

// ICMPv6 makes an ICMPv6 message.
func ICMPv6(typ, code uint8) Segment {
	return Segment{58, []byte{typ, code, 0, 0, 0, 1, 0, 1, 'p', 'i', 'n', 'g'}, 2}
}

// Other makes the packet of another protocol.
func Other(proto uint8, data string) Segment { return Segment{proto, []byte(data), 0} }

// sealed gives the bytes with the checksum over the pseudo header, which IPv4
// and IPv6 build from the same values.
func (s Segment) sealed(src, dst []byte) []byte {
	if s.checksum == 0 {
		return s.Data
	}
	b := join(s.Data)
	be.PutUint16(b[s.checksum:], 0)
	c := sum(src, dst, be.AppendUint32(nil, uint32(len(b))), []byte{0, 0, 0, s.Proto}, b)
	if c == 0 && s.Proto == 17 {
		c = 0xffff
	}
	be.PutUint16(b[s.checksum:], c)
	return b
}

package suppress

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"trailhound/agent/event"
)

// appendTuple appends the event as the reference's expression sees it: Python's
// text of a tuple of seconds, microseconds and the nine columns from the source
// address to the reference.
//
//	(1771234567, 4200, '192.0.2.10', 51514, '198.51.100.53', 53, 'UDP', 'DNS', '(cdn).bad.test', 'lumma (malware)', '(static)')
func appendTuple(dst []byte, e *event.Event) []byte {
	us := e.Time.UnixMicro()
	dst = strconv.AppendInt(append(dst, '('), us/1e6, 10)
	dst = strconv.AppendInt(append(dst, ", "...), us%1e6, 10)
	dst = appendLiteral(append(dst, ", "...), string(appendSource(nil, e)))
	dst = appendTuplePort(append(dst, ", "...), e.SrcPort)
	dst = appendLiteral(append(dst, ", "...), string(appendAddr(nil, e.Dst)))
	dst = appendTuplePort(append(dst, ", "...), e.DstPort)
	for _, s := range [...]string{e.Protocol, string(e.Type), e.Trail, e.Info, e.Reference} {
		dst = appendLiteral(append(dst, ", "...), s)
	}
	return append(dst, ')')
}

// appendTuplePort appends a port bare, and '-' for none.
func appendTuplePort(dst []byte, port uint16) []byte {
	if port == 0 {
		return append(dst, "'-'"...)
	}
	return strconv.AppendUint(dst, uint64(port), 10)
}

// appendLiteral appends a text as Python's repr writes it.
func appendLiteral(dst []byte, s string) []byte {
	quote := byte('\'')
	if strings.IndexByte(s, '\'') >= 0 && strings.IndexByte(s, '"') < 0 {
		quote = '"'
	}
	dst = append(dst, quote)
	for _, r := range s {
		switch {
		case r == '\\' || r == rune(quote):
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r == ' ' || r < utf8.RuneSelf && r > ' ' && r != 0x7F || r >= utf8.RuneSelf && unicode.IsPrint(r):
			dst = utf8.AppendRune(dst, r)
		case r < 0x100:
			dst = appendHex(append(dst, `\x`...), r, 2)
		case r < 0x10000:
			dst = appendHex(append(dst, `\u`...), r, 4)
		default:
			dst = appendHex(append(dst, `\U`...), r, 8)
		}
	}
	return append(dst, quote)
}

func appendHex(dst []byte, r rune, digits int) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		dst = append(dst, "0123456789abcdef"[r>>shift&15])
	}
	return dst
}

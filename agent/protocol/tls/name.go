package tls

const (
	maxName  = 253 // characters of a name without its last dot (RFC 1035 2.3.4)
	maxLabel = 63
)

// HostName checks a server name and writes it in lower case to dst, which must
// have room for 255 bytes. A host name has at least two labels of 1 to 63
// characters, together at most 253; a label starts with a letter, a digit or
// '_' and goes on with these or '-'. One dot at the end is dropped: RFC 6066
// forbids it, but clients send it and servers understand it.
func HostName(dst, name []byte) (host []byte, ok bool) {
	if n := len(name); n > 0 && name[n-1] == '.' {
		name = name[:n-1]
	}
	if len(name) > maxName || len(name) > cap(dst) {
		return nil, false
	}
	dst = dst[:len(name)]
	dots, start := 0, 0
	for i, c := range name {
		switch {
		case 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_':
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		case c == '-' && i > start:
		case c == '.' && i > start && i-start <= maxLabel:
			dots++
			start = i + 1
		default:
			return nil, false
		}
		dst[i] = c
	}
	last := len(name) - start
	return dst, dots > 0 && last > 0 && last <= maxLabel
}

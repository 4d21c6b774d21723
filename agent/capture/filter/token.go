package filter

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// blanks separate tokens.
const blanks = " \t\r\n"

type kind uint8

const (
	end     kind = iota // behind the last token
	keyword             // a word of the language
	name                // any other word: a host, a port, a protocol
	number              // decimal, 0x hexadecimal or 0 octal, or the name of one
	dotted              // two to four numbers with dots: an IPv4 address or network
	six                 // an IPv6 address
	mac                 // an Ethernet address
	sign                // punctuation
)

// A token is one word, number, address or sign of an expression.
type token struct {
	kind   kind
	text   string // without the backslash of an escaped name; && is and, || is or, == is =
	value  uint32 // of a number
	column int    // in bytes from 1
}

// is says whether the token is that word of the language or that sign.
func (t token) is(text string) bool {
	return (t.kind == keyword || t.kind == sign) && t.text == text
}

// isOneOf says the same for several.
func (t token) isOneOf(texts ...string) bool {
	for _, text := range texts {
		if t.is(text) {
			return true
		}
	}
	return false
}

// tokens cuts an expression up as pcap does: always the longest token.
func tokens(expression string) ([]token, error) {
	var list []token
	for at := 0; ; {
		rest := strings.TrimLeft(expression[at:], blanks)
		at = len(expression) - len(rest)
		if rest == "" {
			return append(list, token{kind: end, column: at + 1}), nil
		}
		t, n := next(rest)
		if n == 0 {
			r := []rune(rest[:min(len(rest), 4)])[0]
			return nil, &Error{expression, at + 1, strconv.QuoteRune(r) + " has no meaning here"}
		}
		t.column = at + 1
		list = append(list, t)
		at += n
	}
}

// next reads the token that s begins with; n is its length, 0 if there is none.
func next(s string) (t token, n int) {
	if t, n := address(s); n > 0 {
		return t, n
	}
	if s[0] == '\\' {
		n := strings.IndexAny(s, " !()\n\t")
		if n < 0 {
			n = len(s)
		}
		if n == 1 {
			return token{}, 0
		}
		return token{kind: name, text: s[1:n]}, n
	}
	if isLetter(s[0]) {
		n := 1
		for n < len(s) && (isLetter(s[n]) || s[n] == '-' || s[n] == '_' || s[n] == '.') {
			n++
		}
		// A word does not end in - or _: "a -b" and "a-" are differences.
		for s[n-1] == '-' || s[n-1] == '_' {
			n--
		}
		return classify(s[:n]), n
	}
	for _, two := range [...][2]string{{"&&", "and"}, {"||", "or"}, {"==", "="}, {"!=", "!="}, {"<=", "<="}, {">=", ">="}, {"<<", "<<"}, {">>", ">>"}} {
		if strings.HasPrefix(s, two[0]) {
			return token{kind: sign, text: two[1]}, 2
		}
	}
	switch {
	case s[0] == '!':
		return token{kind: sign, text: "not"}, 1
	case strings.IndexByte("+-*/%:[]<>()&|^=", s[0]) >= 0:
		return token{kind: sign, text: s[:1]}, 1
	}
	return token{}, 0
}

// classify says what a word is.
func classify(word string) token {
	if value, ok := constants[word]; ok {
		return token{kind: number, text: word, value: value}
	}
	if keywords[word] {
		return token{kind: keyword, text: word}
	}
	if _, ok := anyMAC(word); ok {
		return token{kind: mac, text: word}
	}
	if value, ok := parseNumber(word); ok {
		return token{kind: number, text: word, value: value}
	}
	if parts := strings.Split(word, "."); len(parts) >= 2 && len(parts) <= 4 && strings.Trim(word, "0123456789.") == "" && !slices.Contains(parts, "") {
		return token{kind: dotted, text: word}
	}
	return token{kind: name, text: word}
}

// parseNumber reads a number of 32 bits as C writes it.
func parseNumber(word string) (uint32, bool) {
	base := 10
	if hex, ok := strings.CutPrefix(strings.ToLower(word), "0x"); ok {
		word, base = hex, 16
	} else if word[0] == '0' && len(word) > 1 {
		base = 8
	}
	value, err := strconv.ParseUint(word, base, 32)
	return uint32(value), err == nil
}

// address reads an address with colons.
func address(s string) (t token, n int) {
	const longest = len("1111:2222:3333:4444:5555:6666:111.111.111.111")
	colon := false
	for n < len(s) && n <= longest && (isHex(s[n]) || s[n] == ':' || s[n] == '.') {
		colon = colon || s[n] == ':'
		n++
	}
	if !colon || n > longest || n < len(s) && isLetter(s[n]) {
		return token{}, 0
	}
	if _, ok := parseMAC(s[:n], ":"); ok {
		return token{kind: mac, text: s[:n]}, n
	}
	if a, err := netip.ParseAddr(s[:n]); err == nil && a.Is6() {
		return token{kind: six, text: s[:n]}, n
	}
	return token{}, 0
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }

func isLetter(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' }

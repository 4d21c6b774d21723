package suppress

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"trailhound/agent/event"
)

// A glob is a text of a rule: "*" is any run of characters, "?" is one, and a
// backslash takes their meaning away. Case does not count: both sides are
// folded by strings.ToLower.
type glob struct {
	exact string // folded; when there are no parts
	// parts are what stands between the stars: the first begins the text, the
	// last ends it. oneChar stands for "?".
	parts []string
	// below is ".example.com" of "*.example.com", a form with a meaning of its
	// own where names are compared.
	below string
}

// oneChar cannot be part of a text: it is no UTF-8.
const oneChar = "\xff"

// Bounds on one value (bytes). Matching a glob takes at most the product of
// both lengths.
const (
	maxValue = event.MaxTrail + 4
	maxGlob  = 256
)

func readGlob(text string) (g glob, err error) {
	if !utf8.ValidString(text) {
		return g, errors.New("not UTF-8")
	}
	if len(text) > 2*maxValue {
		return g, fmt.Errorf("longer than %d bytes", 2*maxValue)
	}
	var part strings.Builder
	stars, marks := 0, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text) && strings.IndexByte(`*?\!`, text[i+1]) >= 0:
			i++
			part.WriteByte(text[i])
		case c == '*':
			g.parts = append(g.parts, strings.ToLower(part.String()))
			part.Reset()
			stars++
		case c == '?':
			// ToLower would turn it into a replacement character: put in below.
			part.WriteByte(0)
			marks++
		case c == 0:
			return g, errors.New("holds a NUL, which no event does")
		default:
			part.WriteByte(c)
		}
	}
	rest := strings.ToLower(part.String())
	if stars == 0 && marks == 0 {
		return glob{exact: rest}, nil
	}
	if len(text) > maxGlob {
		return g, fmt.Errorf("a text with * or ? is longer than %d bytes; a backslash before them takes their meaning away", maxGlob)
	}
	g.parts = append(g.parts, rest)
	for i, p := range g.parts {
		g.parts[i] = strings.ReplaceAll(p, "\x00", oneChar)
	}
	if stars == 1 && marks == 0 && g.parts[0] == "" && len(rest) > 1 && rest[0] == '.' && isName(rest) {
		g.below = rest
	}
	return g, nil
}

// match takes a folded text.
func (g *glob) match(s string) bool {
	n := len(g.parts)
	if n == 0 {
		return s == g.exact
	}
	at, ok := begins(s, g.parts[0])
	if !ok {
		return false
	}
	if n == 1 {
		return at == len(s)
	}
	s = s[at:]
	for _, part := range g.parts[1 : n-1] {
		if s, ok = after(s, part); !ok {
			return false
		}
	}
	return ends(s, g.parts[n-1])
}

// begins says whether s begins with a part, and how many bytes that takes.
func begins(s, part string) (int, bool) {
	at := 0
	for i := range len(part) {
		switch {
		case at >= len(s):
			return 0, false
		case part[i] == oneChar[0]:
			_, n := utf8.DecodeRuneInString(s[at:])
			at += n
		case part[i] != s[at]:
			return 0, false
		default:
			at++
		}
	}
	return at, true
}

// after gives what follows the first place of a part.
func after(s, part string) (string, bool) {
	if strings.IndexByte(part, oneChar[0]) < 0 {
		i := strings.Index(s, part)
		if i < 0 {
			return "", false
		}
		return s[i+len(part):], true
	}
	for i := 0; i <= len(s); {
		if at, ok := begins(s[i:], part); ok {
			return s[i+at:], true
		}
		_, n := utf8.DecodeRuneInString(s[i:])
		i += max(n, 1)
	}
	return "", false
}

// ends says whether s ends in a part, which takes as many characters there as
// it has.
func ends(s, part string) bool {
	if strings.IndexByte(part, oneChar[0]) < 0 {
		return strings.HasSuffix(s, part)
	}
	at := len(s)
	for i := len(part) - 1; i >= 0; i-- {
		if at == 0 {
			return false
		}
		if part[i] == oneChar[0] {
			_, n := utf8.DecodeLastRuneInString(s[:at])
			at -= n
		} else if at--; s[at] != part[i] {
			return false
		}
	}
	return true
}

// isName says whether a folded text is a host name and nothing more.
func isName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return s != ""
}

// quoteGlob writes a text so that it stands for itself.
func quoteGlob(text string) string {
	quoted := strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`).Replace(text)
	if strings.HasPrefix(quoted, "!") {
		quoted = `\` + quoted
	}
	return quoted
}

package pattern

import "strings"

// Repair closes a pattern that was truncated inside an open group: it is cut
// at the last "|" of the innermost open group, and all open groups are closed.
// A pattern without open groups comes back as it is. It is false if the
// innermost open group has no "|": nothing is known to be whole then.
func Repair(p string) (string, bool) {
	type open struct{ bar int } // the last "|" of the group, -1 if none
	var groups []open
	inClass := false
	for i := 0; i < len(p); i++ {
		switch c := p[i]; {
		case c == '\\':
			i++
		case inClass:
			inClass = c != ']'
		case c == '[':
			inClass = true
			// "]" is itself if it comes first.
			if i+1 < len(p) && p[i+1] == '^' {
				i++
			}
			if i+1 < len(p) && p[i+1] == ']' {
				i++
			}
		case c == '(' && strings.HasPrefix(p[i:], "(?#"):
			end := strings.IndexByte(p[i:], ')')
			if end < 0 {
				p = p[:i] // a comment that was cut says nothing
			} else {
				i += end
			}
		case c == '(':
			groups = append(groups, open{bar: -1})
		case c == ')' && len(groups) > 0:
			groups = groups[:len(groups)-1]
		case c == '|' && len(groups) > 0:
			groups[len(groups)-1].bar = i
		}
	}
	if len(groups) == 0 {
		return p, true
	}
	bar := groups[len(groups)-1].bar
	if bar < 0 {
		return "", false
	}
	return p[:bar] + strings.Repeat(")", len(groups)), true
}

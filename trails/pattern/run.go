package pattern

import "strings"

// literalRuns gives runs of literal bytes outside of all groups of a pattern
// that only a backtracking machine reads; each is in every match. It gives none
// if an alternation stands outside of groups. Letters come in lower case.
func literalRuns(text string) []string {
	var runs []string
	var run []byte
	end := func() {
		if len(run) > 1 {
			runs = append(runs, string(run))
		}
		run = run[:0]
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '|':
			return nil
		case '(':
			end()
			i = groupEnd(text, i)
		case '[':
			end()
			i = classEnd(text, i)
		case '.', '^', '$':
			end()
		case '*', '?', '{':
			if len(run) > 0 {
				run = run[:len(run)-1] // may be absent
			}
			end()
			if c == '{' {
				i += max(strings.IndexByte(text[i:], '}'), 0)
			}
		case '+':
			end()
		case '\\':
			i++
			if i == len(text) {
				return nil
			}
			if c := text[i]; c >= 0x80 || c == '_' || isWord(c) {
				end()
				i = escapeEnd(text, i)
				continue
			}
			run = append(run, text[i])
		default:
			if c >= 0x80 {
				end() // may be equal to others when case is ignored
				continue
			}
			run = append(run, lower(c))
		}
	}
	end()
	return runs
}

// groupEnd gives the place of the bracket that closes the group at i.
func groupEnd(text string, i int) int {
	depth := 0
	for ; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '[':
			i = classEnd(text, i)
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(text)
}

// classEnd gives the place of the bracket that closes the class at i. A "]" in
// a class is escaped in what translate gives.
func classEnd(text string, i int) int {
	for i++; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case ']':
			return i
		}
	}
	return len(text)
}

// escapeEnd gives the last byte of the escape whose letter is at i.
func escapeEnd(text string, i int) int {
	switch text[i] {
	case 'x':
		return i + 2
	case 'k':
		return i + max(strings.IndexByte(text[i:], '>'), 0)
	}
	for i+1 < len(text) && text[i] >= '0' && text[i] <= '9' && text[i+1] >= '0' && text[i+1] <= '9' {
		i++
	}
	return i
}

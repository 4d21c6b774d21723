package event

import "bytes"

// secretWords name parameters whose values must not reach a SIEM. A parameter
// is secret when its name starts with one of them, or holds one behind a
// separator ("access_token", "user-pass").
var secretWords = [][]byte{[]byte("pass"), []byte("token"), []byte("secret"), []byte("session"), []byte("authorization"),
	[]byte("cookie"), []byte("api_key"), []byte("apikey"), []byte("api-key")}

// Redact masks the values of secret parameters ("password=...", also as
// "password%3D..." and "password":"...") and the passwords of URLs
// ("http://user:password@host") in the text of a URL or a body by "***". It returns
// text itself when there is nothing to mask. A value ends at '&', ';', '"', blank, or
// a closing parenthesis; an opening one directly behind the "=" is left in place,
// because display trails put values in parentheses.
func Redact(text []byte) []byte { return redactAll(text, false) }

// RedactTarget is Redact for the target of an HTTP request, which may be an
// authority without a scheme (CONNECT, RFC 9112 3.2.3).
func RedactTarget(target []byte) []byte {
	return redactAll(target, len(target) > 0 && target[0] != '/')
}

// redactAll masks until nothing is left: a slash or a quote in a value that is masked
// may have hidden where an authority or a name ends.
func redactAll(text []byte, authority bool) []byte {
	for range maxPasses {
		next := redact(text, authority)
		if bytes.Equal(next, text) {
			break
		}
		text = next
	}
	return text
}

// maxPasses is how often a text is searched. Two do for what is no riddle.
const maxPasses = 8

// redact does it; with authority, text may begin with one.
func redact(text []byte, authority bool) []byte {
	var out []byte
	done := 0
	mask := func(start, end int) {
		out = append(append(out, text[done:start]...), "***"...)
		done = end
	}
	from, to := 0, 0 // the password that lies ahead, or was passed
	if authority {
		from, to = password(text, 0)
	}
	for i := 0; i < len(text); i++ {
		switch {
		case i == from && from < to:
			mask(from, to)
			i = to - 1
		case text[i] == ':' && hasAt(text, i, ":/"):
			at := i + 2
			for at < len(text) && text[at] == '/' { // one is enough: paths have their runs of slashes made one
				at++
			}
			if start, end := password(text, at); start < end {
				from, to = start, end
			}
		case given(text, i) > 0 && secretName(text[:i]):
			start, end := value(text, i)
			if end > start {
				mask(start, end)
			}
			i = end - 1
		}
	}
	if done == 0 {
		return text
	}
	return append(out, text[done:]...)
}

func hasAt(text []byte, i int, what string) bool {
	return len(text)-i >= len(what) && string(text[i:i+len(what)]) == what
}

// password finds the password in the userinfo of the authority that begins at
// i: what follows the first colon (RFC 3986 3.2.1), up to the last '@', as
// servers have it. Without one, start is end.
func password(text []byte, i int) (start, end int) {
	for at := i; at < len(text); at++ {
		switch c := text[at]; {
		case c == '/' || c == '?' || c == '#' || c == '"' || c <= ' ':
			return start, max(start, end)
		case c == ':' && start == 0:
			start = at + 1
		case c == '@' && start > 0:
			end = at
		}
	}
	return start, max(start, end)
}

// given says how long what stands at i is, if it may stand between a name and its
// value: =, or %3D in a URL within a URL, or ":" in JSON, with blanks in it; else 0.
func given(text []byte, i int) int {
	switch text[i] {
	case '=':
		return 1
	case '%':
		if hasAt(text, i, "%3D") || hasAt(text, i, "%3d") {
			return 3
		}
	case '"':
		at, colon := i+1, false
		for ; at < len(text); at++ {
			switch c := text[at]; {
			case c == ':' && !colon:
				colon = true
			case c == '"' && colon:
				return at + 1 - i
			case c != ' ' || at-i > maxBlanks:
				return 0
			}
		}
	}
	return 0
}

// maxBlanks is how far apart the quotes around the colon of JSON may be.
const maxBlanks = 16

// value finds what a name is given behind i, where given found something.
func value(text []byte, i int) (start, end int) {
	start = i + given(text, i)
	switch end = start; text[i] {
	case '"':
		for end < len(text) && text[end] != '"' {
			if end++; text[end-1] == '\\' && end < len(text) {
				end++
			}
		}
	case '%':
		for end < len(text) && !endsValue(text[end]) && !hasAt(text, end, "%26") {
			end++
		}
	default:
		if start < len(text) && text[start] == '(' {
			start++
		}
		for end = start; end < len(text) && !endsValue(text[end]); {
			end++
		}
	}
	return start, end
}

func endsValue(c byte) bool {
	return c == '&' || c == ';' || c == '"' || c == ' ' || c == ')' || c == '\\'
}

// maxName is how much of a parameter's name is looked at, from its end.
const maxName = 64

// secretName says whether the parameter name at the end of text is secret.
func secretName(text []byte) bool {
	start := len(text)
	for start > 0 && len(text)-start < maxName && nameChar(text[start-1]) {
		start--
	}
	escaped := start > 0 && text[start-1] == '%' // then two digits stand before the name
	var buf [maxName]byte
	name := buf[:copy(buf[:], text[start:])]
	for i, c := range name {
		if c >= 'A' && c <= 'Z' {
			name[i] = c | 0x20
		}
	}
	for _, word := range secretWords {
		for at := 0; ; {
			i := bytes.Index(name[at:], word)
			if i < 0 {
				break
			}
			if at += i; at == 0 || at == 2 && escaped || name[at-1] == '_' || name[at-1] == '-' || name[at-1] == '.' || name[at-1] == '[' {
				return true
			}
			at++
		}
	}
	return false
}

func nameChar(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' || c == '[' || c == ']'
}

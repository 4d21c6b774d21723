package event

import "bytes"

// secretWords name parameters whose values must not reach a SIEM. A parameter
// is secret when its name starts with one of them, or holds one behind a
// separator ("access_token", "user-pass").
var secretWords = [][]byte{[]byte("pass"), []byte("token"), []byte("secret"), []byte("session"), []byte("authorization"),
	[]byte("cookie"), []byte("api_key"), []byte("apikey"), []byte("api-key")}

// Redact masks the values of secret parameters ("password=...") in the text of
// a URL or a body by "***". It returns text itself when there is nothing to
// mask. A value ends at '&', ';', '"', blank, or a closing parenthesis; an
// opening one directly behind the "=" is left in place, because display trails
// put values in parentheses.
func Redact(text []byte) []byte {
	var out []byte
	done := 0
	for i := 0; i < len(text); i++ {
		if text[i] != '=' || !secretName(text[:i]) {
			continue
		}
		start := i + 1
		if start < len(text) && text[start] == '(' {
			start++
		}
		end := start
		for end < len(text) && !endsValue(text[end]) {
			end++
		}
		if end > start {
			out = append(append(out, text[done:start]...), "***"...)
			done = end
		}
		i = end - 1
	}
	if done == 0 {
		return text
	}
	return append(out, text[done:]...)
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
			if at += i; at == 0 || name[at-1] == '_' || name[at-1] == '-' || name[at-1] == '.' || name[at-1] == '[' {
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

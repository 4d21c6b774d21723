package source

import "bytes"

const (
	maxURLs = 64   // publications kept per block of entries
	maxURL  = 1024 // bytes of one
)

// referenceURL reads a header comment "# Reference: URL"; the word is taken in
// all the spellings that hurried people give it (Referecne, Refernce ...).
func referenceURL(comment []byte) (string, bool) {
	comment = bytes.TrimLeft(comment, "# \t")
	colon := bytes.IndexByte(comment, ':')
	if colon < len("refer") || colon > len("references")+2 {
		return "", false
	}
	word := bytes.ToLower(comment[:colon])
	if !bytes.HasPrefix(word, []byte("ref")) || bytes.IndexByte(word, 'c') < 0 && bytes.IndexByte(word, 'n') < 0 {
		return "", false
	}
	for _, c := range word {
		if c < 'a' || c > 'z' {
			return "", false
		}
	}
	value := bytes.TrimSpace(comment[colon+1:])
	if i := bytes.IndexAny(value, " \t"); i >= 0 {
		value = value[:i] // "(Korean)"
	}
	if len(value) == 0 || len(value) > maxURL || !bytes.Contains(value, []byte("://")) {
		return "", false
	}
	return clean(string(value)), true
}

// startsGeneric says whether a comment heads entries that no publication above
// it speaks of: "# Generic trails", "# Misc.".
func startsGeneric(comment []byte) bool {
	word := bytes.ToLower(bytes.TrimLeft(comment[:min(len(comment), 16)], "# \t"))
	return bytes.HasPrefix(word, []byte("generic")) || bytes.HasPrefix(word, []byte("misc"))
}

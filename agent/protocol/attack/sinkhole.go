package attack

import "unicode/utf8"

const (
	headRunes = 2000 // so much of a response tells a sinkhole, in characters
	headBytes = headRunes * utf8.UTFMax
)

// Sinkhole looks in the first 2,000 characters of a response for what the
// servers of sinkholes say of themselves and returns that text, as it stands
// there; of several the first.
func Sinkhole(response []byte) (matched []byte, ok bool) {
	head := response[:min(len(response), headBytes)]
	if !telltale(head) {
		return nil, false
	}
	head = head[:runes(head, headRunes)]
	for i := range head {
		if end := sinkholeAt(head, i); end > 0 {
			return head[i:end], true
		}
	}
	return nil, false
}

// runes returns how many bytes the first n characters of text take.
func runes(text []byte, n int) (size int) {
	for ; n > 0 && size < len(text); n-- {
		_, width := utf8.DecodeRune(text[size:])
		size += width
	}
	return size
}

// sinkholeAt returns the end of the text of a sinkhole that starts at head[i:],
// 0 if none does.
func sinkholeAt(head []byte, i int) int {
	line := i == 0 || head[i-1] == '\n'
	switch lower(head[i]) {
	case 'x':
		if !line {
			return 0
		}
		if end := owner(head, i, "x-sinkhole: "); end > 0 {
			return end
		}
		return first(head, i, "x-sinkhole:", "x-sinkholed:", "x-sinkhole-domain:", "x-sinkholed-domain:", "x-zinkhole:")
	case 's', "ſ"[0]:
		return sinkholeS(head, i, line)
	case ' ':
		return first(head, i, " a malware sinkhole", " sinkhole by ")
	case 't':
		return first(head, i, "this is a sinkhole")
	case 'b':
		return first(head, i, "bots party hard")
	case 'c':
		return first(head, i, "computers connecting to this sinkhole")
	case 'l':
		if line {
			return location(head, i)
		}
	}
	return 0
}

func sinkholeS(head []byte, i int, line bool) int {
	if line {
		if end := owner(head, i, "server: "); end > 0 {
			return end
		}
		if end := first(head, i, "set-cookie: snkz="); end > 0 {
			return end
		}
		if end := first(head, i, "server: apache "); end > 0 {
			return version(head, end)
		}
	}
	if before, size := utf8.DecodeLastRune(head[:i]); size > 0 && classOf(before)&isWord != 0 {
		return 0
	}
	return first(head, i, "sinkhole by ", "sinkholed by ", "sinkhole</title>", "sinkhole project</title>")
}

// owner: a header whose value starts with one of three names.
func owner(head []byte, i int, header string) int {
	if i = first(head, i, header); i == 0 {
		return 0
	}
	return first(head, i, "sinkhole", "malwaresinkhole", "malware-sinkhole")
}

// version: digits and dots, then the name of a server's module.
func version(head []byte, i int) int {
	from := i
	for i < len(head) {
		r, size := utf8.DecodeRune(head[i:])
		if r != '.' && classOf(r)&isDigit == 0 {
			break
		}
		i += size
	}
	if i == from {
		return 0
	}
	return first(head, i, "/sinksoft")
}

// location: a redirection to the host of a sinkhole, up to the last one on the
// line.
func location(head []byte, i int) int {
	at := first(head, i, "location:")
	if at == 0 {
		return 0
	}
	end := 0
	for ; at < len(head) && head[at] != '\n'; at++ {
		if head[at] == '.' {
			end = max(end, first(head, at, ".sinkdns.org:80"))
		}
	}
	return end
}

// first returns the end of the first of words that stands at text[i:], 0 if
// none does. Words are in lower case; letters fold as Unicode says.
func first(text []byte, i int, words ...string) int {
	for _, word := range words {
		if end := folds(text, i, word); end > 0 {
			return end
		}
	}
	return 0
}

func folds(text []byte, i int, word string) int {
	for _, c := range []byte(word) {
		if i >= len(text) {
			return 0
		}
		size := 1
		if text[i] >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeRune(text[i:]); foldRune(r) != c {
				return 0
			}
		} else if lower(text[i]) != c {
			return 0
		}
		i += size
	}
	return i
}

func classOf(r rune) uint8 {
	if r < utf8.RuneSelf {
		return classes[r]
	}
	return classes[foldRune(r)]
}

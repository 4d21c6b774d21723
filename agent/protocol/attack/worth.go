package attack

// What exempts a request from all categories: three words of query languages
// and of advertising, and folders. Requests of browsers with these are full of
// what looks like attacks.
var (
	exemptWords   = [...]string{"fql", "yql", "ads"}
	exemptFolders = [...]string{"../images/", "../themes/", "../design/", "../scripts/", "../assets/", "../core/", "../js/", "/gwx/"}
)

// Exempt reports whether a percent-decoded path (with its query) exempts the
// request, its body included, from all categories: fql, yql and ads as words
// of their own, that is with neither a letter nor a digit nor a byte beyond
// ASCII beside them, and the folders anywhere. It is a condition of its own:
// asked after Match, it costs nothing for a request that matches nothing.
func Exempt(path []byte) bool {
	for i, c := range path {
		switch c {
		case '.', '/':
			for _, folder := range exemptFolders {
				if stands(path, i, folder) {
					return true
				}
			}
		case 'f', 'y', 'a', 'F', 'Y', 'A':
			if i > 0 && joins(path[i-1]) || i+3 < len(path) && joins(path[i+3]) {
				continue
			}
			for _, word := range exemptWords {
				if stands(path, i, word) {
					return true
				}
			}
		}
	}
	return false
}

// Worth reports whether a percent-decoded path or body may meet a category at
// all: it holds ?, =, a space, ', two dots, .ht, /etc/ or wp-config.php. As
// with Exempt, it may be asked after Match.
func Worth(text []byte) bool {
	for i, c := range text {
		switch c {
		case '?', '=', ' ', '\'':
			return true
		case '.':
			if stands(text, i, "..") || stands(text, i, ".ht") {
				return true
			}
		case '/':
			if stands(text, i, "/etc/") {
				return true
			}
		case 'w', 'W':
			if stands(text, i, "wp-config.php") {
				return true
			}
		}
	}
	return false
}

func joins(c byte) bool { return c >= 0x80 || classes[c]&isAlnum != 0 }

// stands reports whether word, in lower case, stands at text[i:]; ASCII
// letters of either case are the same.
func stands(text []byte, i int, word string) bool {
	if len(text)-i < len(word) {
		return false
	}
	for n, c := range text[i : i+len(word)] {
		if lower(c) != word[n] {
			return false
		}
	}
	return true
}

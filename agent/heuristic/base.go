package heuristic

import "bytes"

// BaseDomain is the part of a name that is somebody's domain (D 10.2): the last
// two labels, or the last three of a name of more than three if the last two are
// those below which a country registers names, as co.uk. A name of fewer labels
// is its own.
func BaseDomain(name []byte) []byte {
	last := bytes.LastIndexByte(name, '.')
	if last < 0 {
		return name
	}
	second := bytes.LastIndexByte(name[:last], '.')
	if second < 0 {
		return name
	}
	two := name[second+1:]
	if !registry(name[second+1:last], name[last+1:]) {
		return two
	}
	third := bytes.LastIndexByte(name[:second], '.')
	if third < 0 {
		return two
	}
	return name[third+1:]
}

// registry says whether names are registered below two labels. The reference
// takes any second one of at most three characters for that: below a domain as
// short each name then counts for itself alone.
func registry(second, top []byte) bool {
	if len(top) != 2 {
		return false
	}
	switch string(second) {
	case "ac", "co", "com", "edu", "go", "gov", "mil", "ne", "net", "or", "org":
		return true
	}
	return false
}

// splitTwo parts a name into what stands in front of its last two labels,
// without the dot, and these. More is false for a name of two labels or fewer.
func splitTwo(name []byte) (front, two []byte, more bool) {
	last := bytes.LastIndexByte(name, '.')
	if last < 0 {
		return nil, name, false
	}
	second := bytes.LastIndexByte(name[:last], '.')
	if second < 0 {
		return nil, name, false
	}
	return name[:second], name[second+1:], true
}

// HasLongHead says whether the first label of a name is longer than the threshold
// of dns.long, in bytes, and has no '-' (D 11c).
func HasLongHead(name []byte, threshold int) bool {
	label := firstLabel(name)
	return len(label) > threshold && bytes.IndexByte(label, '-') < 0
}

// DashedQuad says whether the first label of a name is the four numbers of an
// address joined by '-', as in the names of dial-up addresses (D 10.2).
func DashedQuad(name []byte) bool {
	groups, digits, value := 1, 0, 0
	for _, c := range firstLabel(name) {
		switch {
		case c >= '0' && c <= '9':
			if value, digits = 10*value+int(c-'0'), digits+1; digits > 3 || value > 255 {
				return false
			}
		case c == '-' && digits > 0:
			groups++
			digits, value = 0, 0
		default:
			return false
		}
	}
	return groups == 4 && digits > 0
}

func firstLabel(name []byte) []byte {
	if i := bytes.IndexByte(name, '.'); i >= 0 {
		return name[:i]
	}
	return name
}

// enclosed is a trail with what is not the domain in parentheses.
func enclosed(front, rest []byte) []byte {
	t := make([]byte, 0, len(front)+len(rest)+3)
	t = append(append(append(t, '('), front...), ")."...)
	return append(t, rest...)
}

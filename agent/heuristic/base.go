package heuristic

import "bytes"

// BaseDomain is the part of a name that is somebody's domain (D 10.2): the last
// two labels, or the last three of a name of more than three if the second-last
// has at most three characters, as in co.uk. A name of fewer labels is its own.
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
	if last-second-1 > 3 {
		return two
	}
	third := bytes.LastIndexByte(name[:second], '.')
	if third < 0 {
		return two
	}
	return name[third+1:]
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

// DashedQuad says whether the first label of a name is four groups of digits
// joined by '-', as in the names of dial-up addresses (D 10.2).
func DashedQuad(name []byte) bool {
	groups, digits := 1, 0
	for _, c := range firstLabel(name) {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '-' && digits > 0:
			groups++
			digits = 0
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

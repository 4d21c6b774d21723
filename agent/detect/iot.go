package detect

import (
	"bytes"

	"trailhound/agent/event"
)

// iotDownload is D 12.3 step 2: a request to a bare IPv4 host for a file named
// like a build for some processor, as botnets fetch their stages. Requests
// to the home networks are left out, as the reference leaves out its local
// prefix; where none are known, those inside one network of the source.
func (w *Worker) iotDownload(u *target) bool {
	if w.rules.opt.Disabled[event.HTTPIoT] || !numericHost(u.host) || !iotPath(u.path) || w.inside() {
		return false
	}
	seen := append(append([]byte(nil), u.host...), u.path...)
	t := append(append(append([]byte{'('}, u.host...), ')'), u.path...)
	w.heuristic(event.HTTP, event.HTTPIoT, "potential iot-malware download (suspicious)", t, seen)
	return true
}

// numericHost is digits, a dot, and then only digits and dots.
func numericHost(host []byte) bool {
	i := 0
	for i < len(host) && host[i] >= '0' && host[i] <= '9' {
		i++
	}
	if i == 0 || i >= len(host) || host[i] != '.' {
		return false
	}
	for _, c := range host[i:] {
		if c != '.' && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// inside says whether a request stays at home.
func (w *Worker) inside() bool {
	if home := w.rules.opt.Home; home.Known() {
		return home.Contains(w.p.Dst)
	}
	return sameNetwork(w.p.Src.AsSlice(), w.p.Dst.AsSlice())
}

func sameNetwork(a, b []byte) bool {
	return len(a) == 4 && len(b) == 4 && a[0] == b[0] && a[1] == b[1]
}

// iotPath says whether a path of word characters, '.', '/' and '-' ends in a
// processor's name that starts behind the last '/' or behind a '.' of the last
// segment.
func iotPath(path []byte) bool {
	slash := -1
	for i, c := range path {
		switch {
		case wordChar(c), c == '.', c == '-':
		case c == '/':
			slash = i
		default:
			return false
		}
	}
	if slash < 0 {
		return false
	}
	name := path[slash+1:]
	for {
		if iotToken(name) {
			return true
		}
		// The part before the token has only word characters and dots.
		i := bytes.IndexByte(name, '.')
		if i < 0 || bytes.IndexByte(name[:i], '-') >= 0 {
			return false
		}
		name = name[i+1:]
	}
}

func iotToken(b []byte) bool {
	switch string(b) {
	case "aarch", "amd64", "arm", "arcle-750d", "arcle-hs38", "exploit", "m68", "m68k", "pcc", "powerpc", "powerppc",
		"ppc", "pp-c", "root", "x86", "x32", "x64", "i386", "i486", "i586", "i686", "sparc", "sh", "wtf", "yarn", "zte":
		return true
	}
	for _, t := range [...]struct {
		prefix   string
		min, max int
		digits   bool
	}{{"armv", 1, 1, true}, {"arm", 1, 1, true}, {"mips", 0, 4, false}, {"m1ps", 0, 4, false}, {"mpsl", 0, 1, false},
		{"riscv", 0, 3, false}, {"s390", 0, 1, false}, {"i", 1, 2, true}} {
		if rest, ok := bytes.CutPrefix(b, []byte(t.prefix)); ok && len(rest) >= t.min && len(rest) <= t.max && onlyWord(rest, t.digits) {
			return true
		}
	}
	return false
}

func onlyWord(b []byte, digits bool) bool {
	for _, c := range b {
		if !wordChar(c) || digits && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func wordChar(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

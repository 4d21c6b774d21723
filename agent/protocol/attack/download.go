package attack

import (
	"bytes"
	"unicode/utf8"
)

// program reports whether an extension, with its dot, is of what runs where it is
// opened.
func program(extension []byte) bool {
	switch string(extension) {
	case ".apk", ".bin", ".chm", ".class", ".dll", ".egg", ".exe", ".hta", ".hwp", ".lnk",
		".msi", ".pif", ".ps1", ".pyz", ".scr", ".sct", ".vsto", ".wbk", ".xpi":
		return true
	}
	return false
}

// longestProgram is the length of ".class".
const longestProgram = 6

// Words of paths where programs are nothing special.
var ordinary = [...][]byte{
	[]byte("cgi"), []byte("/scripts/"), []byte("/_vti_bin/"), []byte("/bin/"), []byte("/pub/softpaq/"), []byte("/bios/"), []byte("/pc-axis/"),
}

// maxName is the length, in characters, that the name before the extension
// does not reach.
const maxName = 10

// File is what a target asks for.
type File struct {
	target      []byte
	path, query []byte // without the fragment
}

// FileOf takes apart a target, the lower-case path of a URL with its query. Fragment
// says whether it may have one: nearly none has.
func FileOf(target []byte, fragment bool) File {
	f := File{target: target, path: target}
	if fragment {
		if at := bytes.IndexByte(target, '#'); at >= 0 {
			f.path = target[:at]
		}
	}
	if at := bytes.IndexByte(f.path, '?'); at >= 0 {
		f.path, f.query = f.path[:at], f.path[at+1:]
	}
	return f
}

// Download reports whether the target asks for a program outright, and the
// program's extension with its dot: a short name, no parameters, no folder where
// programs are usual. It does not know whether the server is one of ours.
func (f File) Download() (extension string, ok bool) {
	path := f.path
	dot := len(path) - 1
	for last := max(len(path)-longestProgram, 0); ; dot-- {
		if dot < last {
			return "", false
		}
		if path[dot] == '.' {
			break
		}
	}
	if !program(path[dot:]) {
		return "", false
	}
	name := segment(path[:dot])
	if len(bytes.Trim(name, ".")) == 0 { // dots at the start belong to the name
		return "", false
	}
	if utf8.RuneCount(name) >= maxName || bytes.IndexByte(f.query, '=') >= 0 {
		return "", false
	}
	for _, word := range ordinary {
		if bytes.Contains(f.target, word) {
			return "", false
		}
	}
	return string(path[dot:]), true
}

// The files that scanners ask for to see how a server says no; all but the
// first hold absent.
const (
	defaultPage = "defaultwebpage.cgi"
	absent      = "inexistent"
)

var absentFiles = [...]string{"inexistent_file_name.inexistent", "test-for-some-inexistent-file", "long_inexistent_path", "some-inexistent-website.acu"}

// ScanFile reports whether the last segment of the path holds the name of a file
// that only scanners ask for, and how events call that: "non-existent page" or
// "potential web scan".
func (f File) ScanFile() (info string, ok bool) {
	// Each of them is as long, and nearly all last segments are shorter.
	if len(f.path) < len(defaultPage) {
		return "", false
	}
	name := segment(f.path)
	if len(name) < len(defaultPage) || bytes.IndexByte(f.target, '.') < 0 {
		return "", false
	}
	if contains(name, defaultPage) {
		return "non-existent page", true
	}
	if !contains(name, absent) {
		return "", false
	}
	for _, file := range absentFiles {
		if contains(name, file) {
			return infos[WebScan], true
		}
	}
	return "", false
}

// segment is what stands behind the last slash.
func segment(path []byte) []byte { return path[bytes.LastIndexByte(path, '/')+1:] }

// contains reports whether word, in lower case, stands anywhere in text.
func contains(text []byte, word string) bool {
	for i := 0; i+len(word) <= len(text); i++ {
		if lower(text[i]) == word[0] && stands(text, i, word) {
			return true
		}
	}
	return false
}

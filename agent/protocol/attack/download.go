package attack

import (
	"bytes"
	"unicode/utf8"
)

// programs are the extensions of what runs where it is opened.
var programs = [...]string{
	".apk", ".bin", ".chm", ".class", ".dll", ".egg", ".exe", ".hta", ".hwp", ".lnk",
	".msi", ".pif", ".ps1", ".pyz", ".scr", ".sct", ".vsto", ".wbk", ".xpi",
}

// Words of paths where programs are nothing special.
var ordinary = [...][]byte{
	[]byte("cgi"), []byte("/scripts/"), []byte("/_vti_bin/"), []byte("/bin/"), []byte("/pub/softpaq/"), []byte("/bios/"), []byte("/pc-axis/"),
}

// maxName is the length, in characters, that the name before the extension
// does not reach.
const maxName = 10

// Download reports whether a target, the lower-case path of a URL with its
// query, asks for a program outright, and the program's extension with its
// dot: a short name, no parameters, no folder where programs are usual. It
// does not know whether the server is one of ours.
func Download(target []byte) (extension string, ok bool) {
	path, query := split(target)
	name := segment(path)
	dots := 0
	for dots < len(name) && name[dots] == '.' {
		dots++
	}
	dot := bytes.LastIndexByte(name, '.')
	if dot < dots { // none, or those at the start, which belong to the name
		return "", false
	}
	for _, program := range programs {
		if len(name)-dot == len(program) && stands(name, dot, program) {
			extension = program
		}
	}
	if extension == "" || utf8.RuneCount(name[:dot]) >= maxName || bytes.IndexByte(query, '=') >= 0 {
		return "", false
	}
	for _, word := range ordinary {
		if bytes.Contains(target, word) {
			return "", false
		}
	}
	return extension, true
}

// The files that scanners ask for to see how a server says no; all but the
// first hold absent.
const (
	defaultPage = "defaultwebpage.cgi"
	absent      = "inexistent"
)

var absentFiles = [...]string{"inexistent_file_name.inexistent", "test-for-some-inexistent-file", "long_inexistent_path", "some-inexistent-website.acu"}

// ScanFile reports whether the last segment of a target holds the name of a
// file that only scanners ask for, and how events call that: "non-existent
// page" or "potential web scan".
func ScanFile(target []byte) (info string, ok bool) {
	path, _ := split(target)
	name := segment(path)
	if len(name) < len(defaultPage) || bytes.IndexByte(target, '.') < 0 {
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

// split cuts the fragment off and the path from the query.
func split(target []byte) (path, query []byte) {
	if at := bytes.IndexByte(target, '#'); at >= 0 {
		target = target[:at]
	}
	path, query, _ = bytes.Cut(target, []byte("?"))
	return path, query
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

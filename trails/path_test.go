package trails

import (
	"bytes"
	"testing"
)

// plainPath is AppendPath as its words say it, a byte at a time.
func plainPath(path []byte) (out []byte) {
	for i, c := range path {
		switch {
		case c == '/' && i > 0 && path[i-1] == '/':
		case c >= 0x80 || c == ' ':
			out = append(out, '%', "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		default:
			out = append(out, bytes.ToLower([]byte{c})...)
		}
	}
	return out
}

// holdPath holds the form and the marks of a path to what they promise.
func holdPath(t *testing.T, path []byte) {
	t.Helper()
	got, marks := AppendPathMarks([]byte("x"), path)
	if want := append([]byte("x"), plainPath(path)...); !bytes.Equal(got, want) {
		t.Errorf("%q: %q, not %q", path, got, want)
	}
	if !bytes.Equal(AppendPath(nil, path), got[1:]) {
		t.Errorf("%q: two forms", path)
	}
	for mark, chars := range map[Marks]string{MarkSlash: "/", MarkDot: ".", MarkPercent: "%", MarkPlus: "+", MarkQuery: "?", MarkEquals: "=", MarkRare: "*$:@#"} {
		if bytes.ContainsAny(got[1:], chars) != (marks&mark != 0) {
			t.Errorf("%q: mark of %q", path, chars)
		}
	}
	if bytes.Contains(path, []byte("//")) != (marks&MarkSlashes != 0) || bytes.Contains(path, []byte("/.")) != (marks&MarkSlashDot != 0) {
		t.Errorf("%q: marks of pairs: %b", path, marks)
	}
}

var paths = []string{"", "/", "//", "///a", "/A/b.C?x=1&y=%41+2", "/a b", "/\xc3\xa9//é/.", "/./../x", "./a", "/.", "a/.b//", "http://x:80/@*$#", "/ //. ", "%zz", "\x7f\x00/\xff"}

func TestAppendPath(t *testing.T) {
	for _, path := range paths {
		holdPath(t, []byte(path))
	}
}

func FuzzAppendPath(f *testing.F) {
	for _, path := range paths {
		f.Add([]byte(path))
	}
	f.Fuzz(holdPath)
}

package attack

import "bytes"

var (
	titleOpen  = []byte("<title>")
	titleClose = []byte("</title>")
	seizures   = [...][]byte{[]byte("domain name has been seized by"), []byte("Domain Seized"), []byte("Domain Seizure")}
)

// Seized returns the title of a page that authorities put in place of another:
// what stands between the first <title> and the next </title> of a response.
// All words compare with their case.
func Seized(response []byte) (title []byte, ok bool) {
	at := bytes.Index(response, titleOpen)
	if at < 0 {
		return nil, false
	}
	title = response[at+len(titleOpen):]
	if at = bytes.Index(title, titleClose); at < 0 {
		return nil, false
	}
	title = title[:at]
	for _, words := range seizures {
		if bytes.Contains(title, words) {
			return title, true
		}
	}
	return nil, false
}

// scripts are the types of content that run where they are opened.
var scripts = [...]string{
	"application/vnd.ms-htmlhelp", "application/x-bsh", "application/x-chm", "application/x-ms-shortcut", "application/x-sh",
	"application/x-shellscript", "application/hta", "text/x-scriptlet", "text/x-sh", "text/x-shellscript", "application/x-ms-vsto",
}

// ContentType reports whether the value of a Content-Type header names
// something that runs where it is opened, and its name in lower case without
// parameters.
func ContentType(value []byte) (listed string, ok bool) {
	if at := bytes.IndexByte(value, ';'); at >= 0 {
		value = value[:at]
	}
	value = bytes.TrimSpace(value)
	for _, script := range scripts {
		if len(value) == len(script) && stands(value, 0, script) {
			return script, true
		}
	}
	return "", false
}

package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// maxFile bounds a configuration file (bytes).
const maxFile = 4 << 20

// parse reads one YAML document. It gives nil for an empty one, and for one with
// errors, which are in errs.
func parse(file string, data []byte, left *int, errs *problems) *node {
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	if len(data) > maxFile {
		errs.add(pos{file: file}, "", fmt.Sprintf("larger than %d bytes", maxFile), "")
		return nil
	}
	if line, col, what := badByte(data); what != "" {
		errs.add(pos{file, line, col}, "", what, "the file must be UTF-8 text")
		return nil
	}
	docs, err := documents(data)
	if err != nil {
		syntaxError(file, data, err, errs)
		return nil
	}
	if len(docs) > 1 {
		errs.add(pos{file, docs[1].Line, docs[1].Column}, "", "a second YAML document", "keep one document per file; drop-ins go to conf.d")
		return nil
	}
	if len(docs) == 0 || len(docs[0].Content) == 0 {
		return nil
	}
	g := grower{file: file, left: left, errs: errs}
	return g.grow(docs[0].Content[0])
}

// documents gives at most two documents: the second one is an error.
func documents(data []byte) (docs []*yaml.Node, err error) {
	// yaml.v3 throws its own errors as panics inside and catches only those; an
	// odd file that trips it otherwise must not stop a running sensor on reload.
	defer func() {
		if r := recover(); r != nil {
			docs, err = nil, fmt.Errorf("yaml: cannot be read (%v)", r)
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for len(docs) < 2 {
		doc := new(yaml.Node)
		if err := decoder.Decode(doc); errors.Is(err, io.EOF) {
			return docs, nil
		} else if err != nil {
			return nil, err
		}
		docs = append(docs, doc)
	}
	return docs, nil
}

// badByte finds what is no text: the YAML reader would not say where it stands.
func badByte(data []byte) (line, col int, what string) {
	line, col = 1, 1
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size <= 1:
			return line, col, fmt.Sprintf("byte 0x%02X is not UTF-8", data[i])
		case r == '\n':
			line, col = line+1, 0
		case r == 0:
			return line, col, "a NUL byte"
		case r < ' ' && r != '\t' && r != '\r', r >= 0x7F && r < 0xA0, r >= 0xFFFE && r <= 0xFFFF:
			return line, col, fmt.Sprintf("control character U+%04X", r)
		}
		col, i = col+1, i+size
	}
	return 0, 0, ""
}

// syntaxError reports what yaml.v3 says: "yaml: line 3: text", or without line.
func syntaxError(file string, data []byte, err error, errs *problems) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	at := pos{file: file, line: 1}
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		if number, rest, ok := strings.Cut(rest, ": "); ok {
			if n, err := strconv.Atoi(number); err == nil {
				at.line, text = n, rest
			}
		}
	}
	if rest, ok := strings.CutPrefix(text, "unknown anchor '"); ok {
		name, _, _ := strings.Cut(rest, "'")
		if i := bytes.Index(data, []byte("*"+name)); i >= 0 {
			at.line = 1 + bytes.Count(data[:i], []byte("\n"))
		}
	}
	hint := ""
	if looksMaltrail(data) {
		hint = "this looks like a Maltrail configuration: docs/from-maltrail.md has the keys side by side"
	} else if tab := tabLine(data, at.line); tab > 0 {
		at.line, hint = tab, "a tab cannot indent YAML: use spaces"
	}
	errs.add(at, "", "not valid YAML: "+text, hint)
}

// tabLine finds a line that starts with a tab at the reported line or just
// around it: the reader counts some errors one line off.
func tabLine(data []byte, line int) int {
	n := 0
	for text := range bytes.Lines(data) {
		n++
		if n > line+1 {
			break
		}
		if n >= line-1 && bytes.HasPrefix(bytes.TrimLeft(text, " "), []byte("\t")) {
			return n
		}
	}
	return 0
}

// looksMaltrail says whether most lines that say anything are "NAME value" or
// "NAME" in capitals.
func looksMaltrail(data []byte) bool {
	directives, others := 0, 0
	for line := range bytes.Lines(data) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		word, _, _ := bytes.Cut(line, []byte(" "))
		if len(word) > 3 && bytes.IndexByte(word, '_') > 0 && bytes.Equal(word, bytes.ToUpper(word)) && !bytes.Contains(word, []byte(":")) {
			directives++
		} else {
			others++
		}
	}
	return directives > others
}

package source

import (
	"bytes"
	"io"
	"path/filepath"
	"strings"

	"trailhound/trails"
)

// ReadList reads a list of one indicator a line: a file of a static tree or an
// operator's own. '#' begins a comment, also behind an indicator. The name of
// the source is name, its info Options.Info or the name of the file without
// extension with blanks for '_', its reference Options.Reference or
// "(custom)". "# Reference: URL" lines above a block of indicators become the
// URLs of their source. Lines of hosts files ("0.0.0.0 name") give their
// names.
func ReadList(r io.Reader, name string, c trails.Collector, opt Options) (Report, error) {
	var report Report
	in := intake{c: c, opt: opt, report: &report}
	info, reference := opt.Info, opt.Reference
	if info == "" {
		info = infoOf(name)
	}
	if reference == "" {
		reference = trails.ReferenceCustom
	}
	var l lines
	l.reset(r)
	if err := in.list(&l, name, info, reference); err != nil {
		return report, nameError(name, err)
	}
	return report, report.result(name)
}

// infoOf makes an info of a file name.
func infoOf(name string) string {
	name = filepath.Base(name)
	name = strings.TrimSuffix(name, filepath.Ext(name))
	return clean(strings.ReplaceAll(name, "_", " "))
}

// block is the provenance of the entries below one group of header comments.
type block struct {
	c       trails.Collector
	base    trails.Provenance
	name    string
	urls    []string
	begun   bool // entries were seen
	known   bool // handle is valid
	handle  uint32
	mild    uint32 // handle with the info of a bare address, see provenance
	mildSet bool
}

// reference notes a publication: several in a row speak of the same entries,
// one below entries begins a new block.
func (b *block) reference(url string) {
	if b.begun {
		b.clear()
	}
	if len(b.urls) < maxURLs {
		b.urls = append(b.urls, url)
	}
}

func (b *block) clear() { b.urls, b.begun, b.known, b.mildSet = nil, false, false, false }

// provenance interns the block's provenance with its first trail. A bare IPv4
// address in a list called "malware" is rated milder, as in the reference:
// addresses change hands.
func (b *block) provenance(kind trails.Kind, key []byte) uint32 {
	b.begun = true
	if b.base.Info == "malware" && kind == trails.Address && len(key) == 4 {
		if !b.mildSet {
			b.mild, b.mildSet = b.intern("potential malware site"), true
		}
		return b.mild
	}
	if !b.known {
		b.handle, b.known = b.intern(b.base.Info), true
	}
	return b.handle
}

func (b *block) intern(info string) uint32 {
	return b.c.Provenance(trails.Provenance{Info: info, Reference: b.base.Reference,
		Sources: []trails.Source{{Name: b.name, URLs: b.urls}}})
}

// list reads all lines of one list.
func (in *intake) list(l *lines, name, info, reference string) error {
	in.report.Files++
	if info == "ransomware" {
		info = "ransomware (malware)" // so the reference's severity words apply
	}
	b := block{c: in.c, name: name, base: trails.Provenance{Info: info, Reference: reference}}
	own := ownReference(reference)
	provenance := b.provenance // one bound method for all lines
	for {
		line, err := l.next()
		if err == io.EOF {
			return nil
		}
		if err != nil && err != ErrLineTooLong {
			return err
		}
		in.report.Lines++
		if err != nil {
			in.report.malformed(name, l.number, line, err)
			continue
		}
		text := entry(line)
		if text == nil {
			in.comment(&b, line)
			continue
		}
		if names, ok := hostsLine(text); ok {
			for field := range bytes.FieldsSeq(names) {
				if !hostsOwn(field) {
					in.note(in.add(field, own, provenance), name, l.number, field)
				}
			}
			continue
		}
		in.note(in.add(text, own, provenance), name, l.number, text)
	}
}

func (in *intake) note(err error, name string, line int, text []byte) {
	if err != nil {
		in.report.malformed(name, line, text, err)
	}
}

func (in *intake) comment(b *block, line []byte) {
	line = bytes.TrimSpace(line)
	if len(line) == 0 {
		return
	}
	if url, ok := referenceURL(line); ok {
		b.reference(url)
	} else if startsGeneric(line) {
		b.clear()
	}
}

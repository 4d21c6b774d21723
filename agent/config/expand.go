package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Bounds on what ${...} brings in (bytes).
const (
	maxSecret   = 64 << 10
	maxExpanded = 4 << 20
)

// expander replaces ${env:X}, ${file:PATH} and ${cred:NAME} in scalar values;
// "$${" is a literal "${". What comes in is not expanded again.
type expander struct {
	getenv      func(string) (string, bool)
	credentials string
	left        int // bytes that may still come in
}

func newExpander(opt Options) *expander {
	x := &expander{getenv: opt.Getenv, credentials: opt.Credentials, left: maxExpanded}
	if x.getenv == nil {
		x.getenv = func(string) (string, bool) { return "", false }
	}
	return x
}

// tree expands every scalar below n.
func (x *expander) tree(n *node, path string, errs *problems) {
	switch {
	case n.kind == scalar && strings.Contains(n.text, "${"):
		text, foreign, problem := x.text(n.text, filepath.Dir(n.at.file))
		if problem != "" {
			n.bad = true
			errs.add(n.at, path, problem, "")
			return
		}
		if foreign {
			if x.left -= len(text); x.left < 0 {
				n.bad = true
				errs.add(n.at, path, fmt.Sprintf("all ${...} together bring in more than %d bytes", maxExpanded), "")
				return
			}
			n.template = n.text
		}
		n.text = text
	case n.kind == mapping:
		for i, k := range n.keys {
			x.tree(n.items[i], join(path, k.text), errs)
		}
	case n.kind == list:
		for i, item := range n.items {
			x.tree(item, element(path, i, item), errs)
		}
	}
}

// text expands one value. foreign says that something came from outside;
// problem is empty when all went well and never holds a value.
func (x *expander) text(in, dir string) (out string, foreign bool, problem string) {
	var b strings.Builder
	for {
		i := strings.Index(in, "${")
		if i < 0 {
			b.WriteString(in)
			return b.String(), foreign, ""
		}
		if i > 0 && in[i-1] == '$' {
			b.WriteString(in[:i-1] + "${")
			in = in[i+2:]
			continue
		}
		b.WriteString(in[:i])
		what, rest, ok := strings.Cut(in[i+2:], "}")
		if !ok {
			return "", false, fmt.Sprintf("${%s has no closing }; write $${ for a literal ${", clip(what))
		}
		value, err := x.fetch(what, dir)
		if err != nil {
			return "", false, fmt.Sprintf("${%s}: %v", clip(what), err)
		}
		if b.Len()+len(value) > maxFile {
			return "", false, "expands to too much text"
		}
		b.WriteString(value)
		in, foreign = rest, true
	}
}

func (x *expander) fetch(what, dir string) (string, error) {
	scheme, name, _ := strings.Cut(what, ":")
	switch {
	case scheme != "env" && scheme != "file" && scheme != "cred":
		return "", errors.New("want ${env:NAME}, ${file:PATH} or ${cred:NAME}; write $${ for a literal ${")
	case name == "":
		return "", errors.New("the name is missing")
	case scheme == "env":
		value, ok := x.getenv(name)
		if !ok {
			return "", fmt.Errorf("environment variable %s is not set", name)
		}
		if len(value) > maxSecret {
			return "", fmt.Errorf("environment variable %s holds more than %d bytes", name, maxSecret)
		}
		return value, nil
	case scheme == "file":
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		return readSecret(name)
	case name == "." || name == ".." || strings.ContainsRune(name, '/'):
		return "", errors.New("a credential's name holds no slash")
	case x.credentials == "":
		return "", fmt.Errorf("there is no credentials directory; in the systemd unit, LoadCredential=%s:PATH makes one", name)
	}
	return readSecret(filepath.Join(x.credentials, name))
}

// readSecret reads a small regular file without its last line break. Pipes and
// devices are refused: a secret is read again on reload, and must not block it.
func readSecret(file string) (string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", errors.New("file " + reason(err))
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("not a regular file")
	}
	f, err := os.Open(file)
	if err != nil {
		return "", errors.New("file " + reason(err))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", errors.New("file " + reason(err))
	}
	if len(data) > maxSecret {
		return "", fmt.Errorf("the file holds more than %d bytes", maxSecret)
	}
	text := strings.TrimSuffix(string(data), "\n")
	return strings.TrimSuffix(text, "\r"), nil
}

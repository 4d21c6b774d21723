package config

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// Show writes the effective configuration as YAML, secrets masked: Secret values,
// whatever came through ${...}, what stands under a key that sounds like a secret,
// and passwords in URLs. With origins, each value other than its default carries
// a comment with the file and line that gave it.
func (c *Config) Show(w io.Writer, origins bool) error {
	e := emitter{origins: origins}
	e.mapping(c.tree(), Default().tree(), 0)
	_, err := io.WriteString(w, e.out.String())
	return err
}

// String is Show without origins.
func (c Config) String() string {
	var b strings.Builder
	c.Show(&b, false) // a Builder does not fail
	return b.String()
}

// Format is String for every verb.
func (c Config) Format(f fmt.State, _ rune) { io.WriteString(f, c.String()) }

// LogValue is String for log/slog.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalYAML is String as a document.
func (c Config) MarshalYAML() (any, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(c.String()), &doc); err != nil {
		return nil, err
	}
	return doc.Content[0], nil
}

// MarshalJSON gives the same values as Show.
func (c Config) MarshalJSON() ([]byte, error) {
	var doc map[string]any
	if err := yaml.Unmarshal([]byte(c.String()), &doc); err != nil {
		return nil, err
	}
	return json.Marshal(doc)
}

// emitter writes a tree as YAML. It writes itself, instead of through yaml.v3,
// because every value passes the mask in one place and comments must stay on
// their line.
type emitter struct {
	out     strings.Builder
	origins bool
}

func (e *emitter) indent(depth int) { e.out.WriteString(strings.Repeat("  ", depth)) }

// mapping writes the keys of n; dflt is the same part of the defaults or nil.
func (e *emitter) mapping(n, dflt *node, depth int) {
	for i, k := range n.keys {
		e.indent(depth)
		e.entry(k.text, n.items[i], dflt.get(k.text), depth)
	}
}

// entry writes "key: value" from the present column on.
func (e *emitter) entry(name string, n, dflt *node, depth int) {
	e.out.WriteString(plainOrQuoted(name, true) + ":")
	hidden := soundsSecret(name)
	switch {
	case n.kind == mapping && len(n.keys) > 0 && !hidden:
		e.out.WriteByte('\n')
		e.mapping(n, dflt, depth+1)
	case n.kind == list && !n.flat() && !hidden:
		e.out.WriteByte('\n')
		e.list(n, dflt, depth+1)
	default:
		e.out.WriteByte(' ')
		e.flow(n, hidden)
		e.comment(n, dflt)
	}
}

func (e *emitter) list(n, dflt *node, depth int) {
	for _, item := range n.items {
		e.indent(depth)
		e.out.WriteString("- ")
		if item.kind != mapping || len(item.keys) == 0 {
			e.flow(item, false)
			e.comment(item, nil)
			continue
		}
		var twin *node
		if dflt != nil {
			for _, d := range dflt.items {
				if name := d.get("name"); name != nil && name.same(item.get("name")) {
					twin = d
				}
			}
		}
		for i, k := range item.keys {
			if i > 0 {
				e.indent(depth + 1)
			}
			e.entry(k.text, item.items[i], twin.get(k.text), depth+1)
		}
	}
}

// flat says that a list fits on a line: scalars only.
func (n *node) flat() bool {
	for _, item := range n.items {
		if item.kind != scalar {
			return false
		}
	}
	return true
}

// flow writes a value within a line. Nested lists and maps come here only when
// they are empty, flat, or hidden as a whole.
func (e *emitter) flow(n *node, hidden bool) {
	switch {
	case hidden && !n.empty():
		e.out.WriteString(maskYAML)
	case n.kind == mapping:
		e.out.WriteByte('{')
		for i, k := range n.keys {
			if i > 0 {
				e.out.WriteString(", ")
			}
			e.out.WriteString(plainOrQuoted(k.text, true) + ": ")
			e.flow(n.items[i], soundsSecret(k.text))
		}
		e.out.WriteByte('}')
	case n.kind == list:
		e.out.WriteByte('[')
		for i, item := range n.items {
			if i > 0 {
				e.out.WriteString(", ")
			}
			e.flow(item, false)
		}
		e.out.WriteByte(']')
	case n.secret || n.template != "":
		e.out.WriteString(maskYAML)
	case n.null:
		e.out.WriteString("null")
	default:
		e.out.WriteString(plainOrQuoted(withoutPassword(n.text), n.quoted))
	}
}

func (n *node) empty() bool { return n.text == "" && len(n.items) == 0 }

// maskYAML is Mask as YAML writes it: a plain *** would be an alias.
const maskYAML = `"` + Mask + `"`

func (e *emitter) comment(n, dflt *node) {
	if e.origins && n.at.file != "" && !n.same(dflt) {
		e.out.WriteString(" # " + strings.Map(printable, pos{n.at.file, n.at.line, 0}.String()))
		if n.template != "" {
			e.out.WriteString(", " + strings.Map(printable, clip(n.template)))
		}
	}
	e.out.WriteByte('\n')
}

func printable(r rune) rune {
	if r < ' ' || r >= 0x7F && r < 0xA0 {
		return '?'
	}
	return r
}

var (
	// plainYAML is text that YAML reads back as written. It is narrower than
	// YAML allows.
	plainYAML = regexp.MustCompile(`^[A-Za-z0-9/_.*][A-Za-z0-9/_.:+*%-]*$`)
	// otherYAML is plain text that some reader of YAML takes for something else.
	otherYAML = regexp.MustCompile(`(?i)^(true|false|yes|no|on|off|y|n|null|~|\.inf|\.nan|[-+.0-9][0-9a-fx_.:+-]*)$`)
	// urlPassword is the user part of a URL when it holds a password.
	urlPassword = regexp.MustCompile(`://[^/@\s]*:[^/@\s]*@`)
	secretWords = regexp.MustCompile(`(?i)passw|passphrase|token|secret|api_?key|authorization|credential|cookie`)
)

// plainOrQuoted gives text as a YAML scalar; asText: it must not become a number.
func plainOrQuoted(text string, asText bool) string {
	plain := plainYAML.MatchString(text) && text[0] != '*' && !strings.HasSuffix(text, ":")
	if plain && !(asText && otherYAML.MatchString(text)) {
		return text
	}
	return quote(text)
}

// quote writes a double-quoted scalar (YAML 1.2, 5.7 and 7.3.1). What is a line
// break to some readers and not to others is escaped, too.
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case printable(r) != r || r == 0x2028 || r == 0x2029 || r == 0xFEFF || r == 0xFFFE || r == 0xFFFF:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// soundsSecret says whether the value of a key is hidden for the key's name. Keys
// that name a file keep their value.
func soundsSecret(name string) bool {
	return secretWords.MatchString(name) && !strings.HasSuffix(name, "_file") && !strings.HasSuffix(name, "_path")
}

func withoutPassword(text string) string {
	return urlPassword.ReplaceAllString(text, "://"+Mask+"@")
}

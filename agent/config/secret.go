package config

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"

	"gopkg.in/yaml.v3"
)

// Mask stands for a secret wherever one would be printed.
const Mask = "***"

// Secret is text that never prints: every formatter, encoder and logger gets
// Mask (an empty Secret prints as nothing). Only Reveal gives the text.
type Secret struct {
	// fmt cannot call methods on the unexported fields of others' structs and
	// goes into them instead: through one pointer when the verb does not fit
	// ("%s" of a struct), never through two.
	p **secret
}

type secret struct {
	text, template, dir string
	expand              *expander
}

func seal(s *secret) Secret { return Secret{&s} }

// NewSecret wraps text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return seal(&secret{text: text})
}

// Reveal gives the text. It must not reach a log, an error or an event.
func (s Secret) Reveal() string {
	if s.p == nil {
		return ""
	}
	return (*s.p).text
}

// IsZero says that there is no text.
func (s Secret) IsZero() bool { return s.p == nil || (*s.p).text == "" }

// Renew reads ${file:} and ${cred:} again, for a receiver that says 401 after
// the secret was rotated. It gives s itself when the text has no such parts. The
// error never holds a value; s stays usable.
func (s Secret) Renew() (Secret, error) {
	if s.p == nil || (*s.p).expand == nil {
		return s, nil
	}
	renewed := **s.p
	text, _, problem := renewed.expand.text(renewed.template, renewed.dir)
	if problem != "" {
		return s, errors.New(problem)
	}
	if text == renewed.text {
		return s, nil
	}
	renewed.text = text
	return seal(&renewed), nil
}

func (s *Secret) fromNode(d *decoder, path string, n *node, _ field) {
	if n.kind != scalar {
		d.errs.add(n.at, path, "want text, got "+n.shown(), "")
		return
	}
	*s = NewSecret(n.text)
	if n.template != "" {
		*s = seal(&secret{n.text, n.template, filepath.Dir(n.at.file), d.expand})
	}
}

// String gives the mask.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return Mask
}

// GoString gives the mask for %#v.
func (s Secret) GoString() string { return "config.Secret(" + s.String() + ")" }

// Format gives the mask for every verb.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// LogValue gives the mask to log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText gives the mask to encoding/json and others.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalYAML gives the mask.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }

// UnmarshalYAML takes text, for code that decodes an Output's Node by itself.
func (s *Secret) UnmarshalYAML(n *yaml.Node) error {
	var text string
	if err := n.Decode(&text); err != nil {
		return fmt.Errorf("line %d: want text", n.Line)
	}
	*s = NewSecret(text)
	return nil
}

package remote

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is text that never prints; string(s) gives it. An empty one prints as
// nothing.
type Secret string

// String gives a mask.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "***"
}

// GoString gives the mask for %#v.
func (s Secret) GoString() string { return `remote.Secret("` + s.String() + `")` }

// Format gives the mask for every verb.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// LogValue gives the mask to log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText gives the mask to encoding/json and others.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalYAML gives the mask.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }

// UnmarshalText takes the text.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = Secret(text)
	return nil
}

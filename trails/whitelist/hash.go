package whitelist

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"
)

// Hash names the entries: lists that hold the same have the same, whatever the
// order, comments and files they came from. 16 hex digits.
func (l *List) Hash() string {
	var all []string
	if l != nil {
		for i := range l.all {
			e := &l.all[i]
			text := "name " + e.name
			switch {
			case e.prefix.IsValid():
				text = "range " + e.prefix.String()
			case e.exact != "":
				text = "exact " + e.exact
			}
			all = append(all, text)
		}
	}
	slices.Sort(all)
	h := sha256.New()
	for _, text := range all {
		io.WriteString(h, text)
		h.Write([]byte{'\n'})
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

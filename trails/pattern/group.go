package pattern

import (
	"fmt"
	"strings"
)

// group takes an opening bracket and what follows a "(?".
func (d *dialect) group() error {
	if d.peek(1) != '?' {
		d.take(1)
		return nil
	}
	rest := d.in[d.at+2:]
	switch {
	case strings.HasPrefix(rest, ":"):
		d.take(3)
	case strings.HasPrefix(rest, "P<"):
		return d.name()
	case strings.HasPrefix(rest, "P="):
		end := strings.IndexByte(rest, ')')
		if end < 0 {
			return ErrTruncated
		}
		d.backtracks = true
		d.out.WriteString(`\k<` + rest[2:end] + `>`)
		d.at += 2 + end + 1
	case strings.HasPrefix(rest, "#"):
		end := strings.IndexByte(rest, ')')
		if end < 0 {
			return ErrTruncated
		}
		d.at += 2 + end + 1
	case strings.HasPrefix(rest, "<=") || strings.HasPrefix(rest, "<!"):
		d.backtracks = true
		d.take(4)
	case strings.HasPrefix(rest, "<"):
		return ErrGroupName
	case strings.HasPrefix(rest, "=") || strings.HasPrefix(rest, "!") || strings.HasPrefix(rest, ">"):
		d.backtracks = true
		d.take(3)
	case strings.HasPrefix(rest, "("):
		d.backtracks = true
		d.take(2)
	default:
		return d.flags(rest)
	}
	return nil
}

// name takes (?P<name> and refuses the names D 5.4 refuses.
func (d *dialect) name() error {
	rest := d.in[d.at+4:]
	end := strings.IndexByte(rest, '>')
	if end < 0 {
		return ErrTruncated
	}
	name := rest[:end]
	if d.names[name] || (len(name) > 1 && name[0] == 'g' && strings.Trim(name[1:], "0123456789") == "") {
		return fmt.Errorf("%w: %s", ErrGroupName, name)
	}
	if d.names == nil {
		d.names = make(map[string]bool)
	}
	d.names[name] = true
	d.take(4 + end + 1)
	return nil
}

// flags takes (?i) at the start and (?i:...) anywhere. The flags for ASCII and
// Unicode say nothing here; verbose and locale are not supported.
func (d *dialect) flags(rest string) error {
	end := strings.IndexAny(rest, ":)")
	if end < 0 {
		return ErrTruncated
	}
	if rest[end] == ')' && d.at != 0 {
		return ErrFlags // Python takes flags for all only at the start
	}
	letters := strings.NewReplacer("a", "", "u", "").Replace(rest[:end])
	if strings.Trim(letters, "ims-") != "" || strings.Count(letters, "-") > 1 {
		return ErrFlags
	}
	letters = strings.TrimSuffix(letters, "-")
	d.at += 2 + end + 1
	if letters == "" && rest[end] == ')' {
		return nil
	}
	d.out.WriteString("(?" + letters + rest[end:end+1])
	return nil
}

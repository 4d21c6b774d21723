package config

import (
	"encoding"
	"errors"
	"math"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// parseScalar fills v from the text of a node. The error may quote the text; the
// hint, if any, says how to write what was meant.
func parseScalar(n *node, v reflect.Value) (hint string, err error) {
	switch p := v.Addr().Interface().(type) {
	case *time.Duration:
		*p, hint, err = parseDuration(n.text)
		return hint, err
	case *netip.Prefix:
		*p, hint, err = parsePrefix(n.text)
		return hint, err
	case encoding.TextUnmarshaler:
		err = p.UnmarshalText([]byte(n.text))
		var h hinted
		if errors.As(err, &h) {
			hint = h.hint
		}
		return hint, err
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(n.text)
	case reflect.Bool:
		if n.text != "true" && n.text != "false" {
			return boolHint(n.text), errors.New("not a truth value")
		}
		v.SetBool(n.text == "true")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		i, err := strconv.ParseInt(n.text, 10, v.Type().Bits())
		if err != nil {
			return "", err
		}
		v.SetInt(i)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		i, err := strconv.ParseUint(n.text, 10, v.Type().Bits())
		if err != nil {
			return "", err
		}
		v.SetUint(i)
	case reflect.Float32, reflect.Float64:
		x, err := strconv.ParseFloat(n.text, v.Type().Bits())
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) || strings.ContainsAny(n.text, "xXpP_") {
			return "", errors.New("not a number")
		}
		v.SetFloat(x)
	default:
		panic("BUG: the configuration cannot hold a " + v.Type().String())
	}
	return "", nil
}

// boolHint reads the words of YAML 1.1 and of the reference's configuration.
func boolHint(text string) string {
	switch strings.ToLower(text) {
	case "yes", "on", "1", "true", "y":
		return "write true"
	case "no", "off", "0", "false", "n":
		return "write false"
	}
	return ""
}

// wantOf says what a value looks like, for errors and for the reference page.
func wantOf(v reflect.Value, f field) string {
	if len(f.oneof) > 0 {
		return "one of " + strings.Join(f.oneof, ", ")
	}
	if w, ok := v.Addr().Interface().(wanter); ok {
		return w.want()
	}
	switch v.Type() {
	case typeDuration:
		return "a duration such as 30s, 12h or 7d"
	case typePrefix:
		return "a network such as 10.0.0.0/8 or an address"
	}
	switch {
	case v.Kind() == reflect.Bool:
		return "true or false"
	case v.CanUint():
		return "a whole number from 0 to " + strconv.FormatUint(math.MaxUint64>>(64-v.Type().Bits()), 10)
	case v.CanInt():
		return "a whole number"
	case v.CanFloat():
		return "a number"
	}
	return "text"
}

// hinted is an error that knows how to mend what it complains of.
type hinted struct{ text, hint string }

func (h hinted) Error() string { return h.text }

// parseDuration reads Go's durations, with "d" for days in front ("7d", "1d12h").
// There are no negative durations in a configuration.
func parseDuration(text string) (time.Duration, string, error) {
	bad := errors.New("not a duration")
	if text == "0" {
		return 0, "", nil
	}
	if text != "" && strings.Trim(text, "0123456789.") == "" {
		return 0, "add a unit, such as " + clip(text) + "s", bad
	}
	var total time.Duration
	rest := text
	if days, after, ok := strings.Cut(text, "d"); ok {
		n, err := strconv.ParseFloat(days, 64)
		if err != nil || strings.Trim(days, "0123456789.") != "" || n > 100_000 {
			return 0, "", bad
		}
		total, rest = time.Duration(n*float64(24*time.Hour)), after
		if rest == "" {
			return total, "", nil
		}
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 || strings.HasPrefix(rest, "+") || strings.HasPrefix(rest, "-") || total+d < total {
		return 0, "", bad
	}
	return total + d, "", nil
}

// durationText is the shortest way to write a duration: "5m", not "5m0s".
func durationText(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// parsePrefix reads a network, or an address as the network of itself.
func parsePrefix(text string) (netip.Prefix, string, error) {
	bad := errors.New("not a network")
	p, err := netip.ParsePrefix(text)
	if err != nil {
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" {
			return p, "", bad
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	if p.Addr().Is4In6() {
		return p, mappedHint(p), bad
	}
	if p != p.Masked() {
		return p, "did you mean " + p.Masked().String() + "?", bad
	}
	return p, "", nil
}

// mappedHint is the IPv4 network that an IPv4-mapped one stands for. Of a length
// that leaves nothing of the mapping, it is taken for that of the IPv4 network.
func mappedHint(p netip.Prefix) string {
	bits := p.Bits()
	if bits >= 96 {
		bits -= 96
	}
	if bits > 32 {
		return "write the IPv4 form"
	}
	return "did you mean " + netip.PrefixFrom(p.Addr().Unmap(), bits).Masked().String() + "?"
}

// Package whitelist says what never counts as an indicator: names with all
// that lies below them, addresses and ranges, and single trails.
//
// A List is read once and never changes, so any number of workers may ask it
// at the same time; asking allocates nothing. The nil *List lists nothing.
package whitelist

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/gaissmai/bart"

	"trailhound/trails"
)

// A List is an immutable whitelist.
type List struct {
	names  names
	ranges bart.Lite           // addresses are ranges of one
	exact  map[string]struct{} // kind and key of all other trails
	all    []entry
}

// entry is one line in canonical form; exactly one of its parts is set.
type entry struct {
	name   string
	prefix netip.Prefix
	exact  string
}

// ErrEntry says that a text is no whitelist entry.
var ErrEntry = errors.New("neither a name, an address, a range nor a trail")

// New makes a list of entries written as in a file. The first entry that
// cannot be read is an error.
func New(entries ...string) (*List, error) {
	var b builder
	for _, text := range entries {
		e, err := parse([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("whitelist entry %q: %w", text, err)
		}
		b.add(e)
	}
	return b.list(), nil
}

// Merge makes one list of several; nil lists count as empty ones.
func Merge(lists ...*List) *List {
	var b builder
	for _, l := range lists {
		if l != nil {
			for _, e := range l.all {
				b.add(e)
			}
		}
	}
	return b.list()
}

// Len gives the number of distinct entries.
func (l *List) Len() int {
	if l == nil {
		return 0
	}
	return len(l.all)
}

// Domain says whether a name, or a name above it, is listed. Of the text only
// the leading run of letters, digits, '.', '_' and '-' counts, in any case, so
// a port or a path may follow. A bare IPv4 address, as a Host header may hold,
// is listed if it is an entry itself; ranges are not asked.
func (l *List) Domain(name []byte) bool {
	if l == nil {
		return false
	}
	_, ok := l.names.find(name)
	return ok
}

// Addr says whether an address is an entry or inside a range.
func (l *List) Addr(a netip.Addr) bool {
	return l != nil && a.IsValid() && l.ranges.Contains(a.Unmap().WithZone(""))
}

// Trail says whether a trail is to be passed over: its text is an entry, or it
// is an address or network inside a range. Names above a trail do not count,
// nor do the addresses in an address:port or URL: a whitelisted cloud host may
// well carry a listed command server.
func (l *List) Trail(kind trails.Kind, key []byte) bool {
	if l == nil {
		return false
	}
	switch kind {
	case trails.Domain:
		return l.names.has(key)
	case trails.Address:
		a, ok := netip.AddrFromSlice(key)
		return ok && l.Addr(a)
	case trails.Network:
		p, ok := networkOf(key)
		return ok && l.ranges.LookupPrefix(p)
	}
	var buf [128]byte
	_, ok := l.exact[string(appendExact(buf[:0], kind, key))]
	return ok
}

// Explain gives the entry that covers a name, an address, a range or another
// trail, as it is matched: lower case, ranges masked.
func (l *List) Explain(value string) (entry string, ok bool) {
	if l == nil {
		return "", false
	}
	if name, ok := canonicalName([]byte(strings.TrimSpace(value))); ok {
		return l.names.find([]byte(name))
	}
	kind, key, err := trails.AppendKey(nil, []byte(value))
	if errors.Is(err, trails.ErrNamePort) {
		return l.names.find([]byte(strings.TrimSpace(value)))
	}
	if err != nil {
		return "", false
	}
	var p netip.Prefix
	switch kind {
	case trails.Address:
		a, _ := netip.AddrFromSlice(key)
		p = netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen())
	case trails.Network:
		p, _ = networkOf(key)
	default:
		if l.Trail(kind, key) {
			return trails.Text(kind, key), true
		}
		if kind == trails.URL { // a whitelisted host stops the matching of its URLs
			host, _ := trails.SplitURL(key)
			return l.names.find(host)
		}
		return "", false
	}
	if p, ok = l.ranges.LookupPrefixLPM(p); !ok {
		return "", false
	}
	if p.IsSingleIP() {
		return trails.AddrText(p.Addr()), true
	}
	return p.String(), true
}

func networkOf(key []byte) (netip.Prefix, bool) {
	if len(key) < 5 {
		return netip.Prefix{}, false
	}
	a, ok := netip.AddrFromSlice(key[:len(key)-1])
	n := int(key[len(key)-1])
	if a.Is4In6() && n >= 96 {
		a, n = a.Unmap(), n-96
	}
	p := netip.PrefixFrom(a, n)
	return p, ok && p.IsValid()
}

func appendExact(dst []byte, kind trails.Kind, key []byte) []byte {
	return append(append(dst, byte(kind)), key...)
}

package table

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"trailhound/trails"
)

// Ref names a trail of one table: its record's offset plus 1. 0 is no trail.
type Ref uint32

// bit tests a bit of a bitmap whose size is a power of two.
func bit(bitmap []byte, n uint32) bool { return bitmap[n/8]&(1<<(n%8)) != 0 }

// pass asks a Bloom front. False means: not in the table.
func (t *Table) pass(front int, h uint64) bool {
	m := bloomMask(h)
	return le.Uint64(t.bloom[front][bloomWord(h, t.words[front])*8:])&m == m
}

// find looks for the key a+b, whose hash has passed the front.
func (t *Table) find(h uint64, kind trails.Kind, a, b []byte) Ref {
	tag := uint32(h >> 32)
	pos := slotOf(tag, t.nslots)
	for range t.nslots {
		s := le.Uint64(t.slots[pos*slotSize:])
		if s == 0 {
			return 0
		}
		if uint32(s>>32) == tag {
			if k, key, ok := t.record(Ref(s)); ok && k == kind && len(key) == len(a)+len(b) &&
				bytes.Equal(key[:len(a)], a) && bytes.Equal(key[len(a):], b) {
				return Ref(s)
			}
		}
		if pos++; pos == t.nslots {
			pos = 0
		}
	}
	return 0
}

// record reads the record at r; every length is checked, the section may be
// damaged.
func (t *Table) record(r Ref) (kind trails.Kind, key []byte, ok bool) {
	kind, _, _, key, _, ok = t.recordAt(uint64(r) - 1)
	return kind, key, ok
}

func (t *Table) recordAt(off uint64) (kind trails.Kind, prov, age uint64, key []byte, next uint64, ok bool) {
	if off >= uint64(len(t.records)) {
		return
	}
	b := t.records[off:]
	kind = trails.Kind(b[0])
	n := 1
	var length uint64
	for _, v := range [...]*uint64{&prov, &age, &length} {
		x, m := binary.Uvarint(b[n:])
		if m <= 0 {
			return
		}
		*v = x
		n += m
	}
	if length == 0 || length > MaxKey || length > uint64(len(b)-n) || kind == trails.Invalid || kind >= trails.Kinds {
		return
	}
	return kind, prov, age, b[n : n+int(length)], off + uint64(n) + length, true
}

// Near says whether anything is listed in the neighbourhood of an address (its
// IPv4 /24, its IPv6 /32). It answers in a few nanoseconds what is the rule:
// false means that neither the address, with or without a port, nor a network
// around it is listed.
func (t *Table) Near(a netip.Addr) bool {
	if a.Is4() {
		b := a.As4()
		return bit(t.front4, front4Bit(be32(b[:]), t.mask4))
	}
	if t.wide6 {
		return true
	}
	b := a.As16()
	return bit(t.front6, front6Bit(t.head.seed, &b, t.mask6))
}

// AddrPort looks up an address with a port.
func (t *Table) AddrPort(a netip.Addr, port uint16) Ref {
	if !t.Near(a) {
		return 0
	}
	return t.addr(trails.AddressPort, a, uint64(port))
}

// Addr looks up an address: itself, else the longest network that holds it.
func (t *Table) Addr(a netip.Addr) Ref {
	if !t.Near(a) {
		return 0
	}
	if r := t.addr(trails.Address, a, 0); r != 0 {
		return r
	}
	nets := t.nets4
	if !a.Is4() {
		nets = t.nets6
	}
	for _, n := range nets {
		p, err := a.Prefix(int(n))
		if err != nil {
			break
		}
		if r := t.addr(trails.Network, p.Addr(), uint64(n)); r != 0 {
			return r
		}
	}
	return 0
}

func (t *Table) addr(kind trails.Kind, a netip.Addr, extra uint64) Ref {
	tail := [2]byte{byte(extra >> 8), byte(extra)}
	rest := tail[2-keyExtra[kind]:]
	if a.Is4() {
		b := a.As4()
		h := hash4(t.bases[kind], be32(b[:]), extra)
		if !t.pass(frontRest, h) {
			return 0
		}
		return t.find(h, kind, b[:], rest)
	}
	b := a.As16()
	h := hash16(t.bases[kind], &b, extra)
	if !t.pass(frontRest, h) {
		return 0
	}
	return t.find(h, kind, b[:], rest)
}

// HostHash is the hash of a host text for look-ups of URLs. The hash of no
// host finds paths alone.
type HostHash uint64

// Host hashes a host.
func (t *Table) Host(host []byte) HostHash {
	return HostHash(hashBytes(t.bases[trails.URL], host))
}

// HostNear says whether any URL of this host may be listed; false is certain.
func (t *Table) HostNear(hh HostHash) bool { return t.pass(frontURLs, hostMark(uint64(hh))) }

// PathHash is the hash of a path, to be combined with any number of hosts.
type PathHash uint64

// Path hashes a path in canonical form.
func (t *Table) Path(path []byte) PathHash {
	return PathHash(hashBytes(t.bases[trails.URL], path))
}

// URL looks up host+path, both given with their hashes.
func (t *Table) URL(hh HostHash, host []byte, ph PathHash, path []byte) Ref {
	h := hashURL(uint64(hh), uint64(ph))
	if !t.pass(frontURLs, h) {
		return 0
	}
	return t.find(h, trails.URL, host, path)
}

// Find looks up a key in canonical form. For Domain and Network it finds this
// very key, no parent.
func (t *Table) Find(kind trails.Kind, key []byte) Ref {
	switch kind {
	case trails.Invalid:
		return 0
	case trails.Address, trails.AddressPort, trails.Network:
		if !validAddrKey(kind, key) {
			return 0
		}
	}
	if kind >= trails.Kinds {
		return 0
	}
	h := t.bases.hashKey(kind, key)
	if !t.pass(frontOf(kind), h) {
		return 0
	}
	return t.find(h, kind, key, nil)
}

// MaxLabels bounds the labels of a name that are looked at, from the right.
const MaxLabels = 128

// Names holds the suffixes of one name that may be in the table. It is reused
// from name to name.
type Names struct {
	n     int
	start [MaxLabels]uint16
	hash  [MaxLabels]uint64
}

// Suffixes hashes all suffixes of a name, right to left in one pass, and keeps
// those that pass the front. It returns how many there are; 0 is the rule.
func (t *Table) Suffixes(w *Names, name []byte) int {
	w.n = 0
	if len(name) > MaxKey {
		return 0
	}
	h, end, labels := t.bases[trails.Domain], len(name), 0
	for i := end - 1; i >= -1 && labels < MaxLabels; i-- {
		if i >= 0 && name[i] != '.' {
			continue
		}
		h = hashBytes(h, name[i+1:end])
		end = i
		labels++
		if t.pass(frontNames, h) {
			w.start[w.n], w.hash[w.n] = uint16(i+1), h
			w.n++
		}
	}
	return w.n
}

// Suffix looks up candidate i, 0 being the longest suffix, and gives where it
// starts in the name.
func (t *Table) Suffix(w *Names, name []byte, i int) (Ref, int) {
	k := w.n - 1 - i
	start := int(w.start[k])
	return t.find(w.hash[k], trails.Domain, name[start:], nil), start
}

// usedSlots counts the slots that are taken, for Verify.
func (t *Table) usedSlots() (n int) {
	for i := uint64(0); i < t.nslots; i++ {
		if le.Uint64(t.slots[i*slotSize:]) != 0 {
			n++
		}
	}
	return n
}

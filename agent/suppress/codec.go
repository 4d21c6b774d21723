package suppress

import (
	"encoding/binary"
	"math"
	"net/netip"
	"time"

	"trailhound/agent/event"
	"trailhound/trails"
)

// codec writes values into out, or reads them from in: one description of an
// event serves both ways, so they cannot differ. What it reads is bounded by
// what there is to read, and in memory by left. Once it is bad it stays so, and
// what it reads is nothing.
type codec struct {
	reading bool
	out, in []byte
	left    int // bytes of memory that what is read may still take
	bad     bool
}

// Bounds on lists that are not those of an Aggregate.
const (
	maxSources = 256
	maxURLs    = 64
	maxVLANs   = 16
	maxHosts   = 256
)

// number passes any whole number or flag.
func number[T ~uint8 | ~uint16 | ~uint32 | ~uint64](c *codec, p *T) {
	if !c.reading {
		c.out = binary.AppendUvarint(c.out, uint64(*p))
		return
	}
	v, n := binary.Uvarint(c.in)
	if n <= 0 || uint64(T(v)) != v {
		c.fail()
		return
	}
	c.in = c.in[n:]
	*p = T(v)
}

func (c *codec) flag(p *bool) {
	var v uint8
	if *p {
		v = 1
	}
	number(c, &v)
	c.check(v <= 1)
	*p = v == 1
}

func (c *codec) bytes(p []byte) {
	if !c.reading {
		c.out = append(c.out, p...)
		return
	}
	copy(p, c.take(len(p)))
}

// chars passes a text.
func chars[T ~string](c *codec, p *T) {
	n := uint64(len(*p))
	number(c, &n)
	if !c.reading {
		c.out = append(c.out, *p...)
		return
	}
	if n > uint64(len(c.in)) || !c.spend(int(n)) {
		c.fail()
		return
	}
	*p = T(c.take(int(n)))
}

// time passes a time in microseconds, UTC.
func (c *codec) time(p *time.Time) {
	set := !p.IsZero()
	c.flag(&set)
	if !set {
		return
	}
	us := uint64(p.UnixMicro())
	number(c, &us)
	if c.reading {
		*p = time.UnixMicro(int64(us)).UTC()
		c.check(!p.IsZero())
	}
}

// addr passes an address with 0, 4 or 16 bytes. An address of a packet has no
// zone.
func (c *codec) addr(p *netip.Addr) {
	b := p.AsSlice()
	n := uint8(len(b))
	number(c, &n)
	if !c.reading {
		c.out = append(c.out, b...)
		return
	}
	if n > 0 {
		var ok bool
		*p, ok = netip.AddrFromSlice(c.take(int(n)))
		c.check(ok)
	}
}

// list passes a list of at most most values, of about size bytes each.
func list[T any](c *codec, p *[]T, most, size int, each func(*T)) {
	n := uint64(min(len(*p), most))
	number(c, &n)
	if c.reading {
		// A value takes at least a byte.
		if n > uint64(most) || n > uint64(len(c.in)) || !c.spend(int(n)*size) {
			c.fail()
			return
		}
		if n > 0 {
			*p = make([]T, n)
		}
	}
	for i := range (*p)[:n] {
		each(&(*p)[i])
	}
}

func (c *codec) take(n int) []byte {
	if n > len(c.in) {
		c.fail()
		return nil
	}
	b := c.in[:n]
	c.in = c.in[n:]
	return b
}

func (c *codec) spend(n int) bool {
	c.left -= n
	return c.left >= 0
}

func (c *codec) check(ok bool) {
	if c.reading && !ok {
		c.fail()
	}
}

func (c *codec) fail() { c.bad, c.in = true, nil }

// event passes every field of an event.
func (c *codec) event(e *event.Event) {
	c.bytes(e.ID[:])
	number(c, &e.Epoch)
	number(c, &e.Seq)
	c.time(&e.Time)
	number(c, &e.Number)
	chars(c, &e.Type)
	chars(c, &e.Code)
	number(c, &e.Severity)
	c.check(e.Severity <= event.High)
	number(c, &e.Confidence)
	chars(c, &e.Direction)
	chars(c, &e.Observable)
	chars(c, &e.Indicator)
	number(c, &e.Kind)
	chars(c, &e.Trail)
	chars(c, &e.Info)
	chars(c, &e.Reference)
	list(c, &e.Sources, maxSources, 64, func(s *trails.Source) {
		chars(c, &s.Name)
		list(c, &s.URLs, maxURLs, 16, func(u *string) { chars(c, u) })
		c.time(&s.LastSeen)
	})
	c.addr(&e.Src)
	c.addr(&e.Dst)
	number(c, &e.SrcPort)
	number(c, &e.DstPort)
	chars(c, &e.Protocol)
	chars(c, &e.Forwarded)
	chars(c, &e.Application)
	chars(c, &e.CommunityID)
	chars(c, &e.SrcGroup)
	chars(c, &e.DstGroup)
	number(c, &e.Outcome)
	c.check(e.Outcome <= event.Refused)
	c.time(&e.Retro.First)
	c.time(&e.Retro.Last)
	list(c, &e.Retro.Hosts, maxHosts, 24, c.addr)
	chars(c, &e.DNS.Question)
	number(c, &e.DNS.Type)
	number(c, &e.DNS.Class)
	number(c, &e.DNS.RCode)
	c.flag(&e.DNS.HasRCode)
	list(c, &e.DNS.Answers, event.MaxAnswers, 16, func(a *string) { chars(c, a) })
	chars(c, &e.HTTP.Method)
	chars(c, &e.HTTP.Host)
	chars(c, &e.HTTP.Target)
	number(c, &e.HTTP.Status)
	chars(c, &e.HTTP.UserAgent)
	chars(c, &e.HTTP.ContentType)
	chars(c, &e.HTTP.Body)
	chars(c, &e.TLS.ServerName)
	chars(c, &e.TLS.SHA1)
	chars(c, &e.TLS.SHA256)
	chars(c, &e.TLS.JA3)
	chars(c, &e.TLS.JA4)
	chars(c, &e.Interface)
	chars(c, &e.Alias)
	list(c, &e.VLANs, maxVLANs, 2, func(v *uint16) { number(c, v) })
	c.aggregate(&e.Aggregate)
	chars(c, &e.Suppression.Rule)
	c.flag(&e.Suppression.Local)
	c.health(&e.Health)
}

func (c *codec) aggregate(a *event.Aggregate) {
	c.bytes(a.ID[:])
	c.flag(&a.Summary)
	number(c, &a.Count)
	c.time(&a.First)
	c.time(&a.Last)
	list(c, &a.SrcPorts, event.MaxValues, 2, func(p *uint16) { number(c, p) })
	list(c, &a.DstPorts, event.MaxValues, 2, func(p *uint16) { number(c, p) })
	list(c, &a.Dsts, event.MaxValues, 24, c.addr)
	number(c, &a.MoreSrcPorts)
	number(c, &a.MoreDstPorts)
	number(c, &a.MoreDsts)
	list(c, &a.Trails, event.MaxValues, 16, func(t *string) { chars(c, t) })
	number(c, &a.MoreTrails)
}

// health is here for completeness: what the sensor says of itself never enters
// a gate.
func (c *codec) health(h *event.HealthFacts) {
	chars(c, &h.State)
	c.time(&h.Since)
	chars(c, &h.Cause)
	list(c, &h.Measures, event.MaxMeasures, 40, func(m *event.Measure) {
		chars(c, &m.Name)
		bits := math.Float64bits(m.Value)
		number(c, &bits)
		m.Value = math.Float64frombits(bits)
		c.flag(&m.Share)
	})
}

package format

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"trailhound/agent/event"
)

// Longest values, in characters, that CEF gives its fields.
const (
	cefName    = 512
	cefCode    = 1023
	cefMessage = 1023 // msg, request
	cefCustom  = 4000 // cs1 to cs6
	cefText    = 1023 // the other texts
)

// AppendCEF appends the event in the Common Event Format, version 0, without a
// syslog header and without LF. A key is left out when there is no value;
// src, spt, dst and dpt hold one value each, lists stand in cs5, cs6 and
// flexString1.
func AppendCEF(dst []byte, e *event.Event, id *event.Identity) []byte {
	dst = append(dst, "CEF:0|"+Vendor+"|"+Product+"|"...)
	dst = append(appendCEFHeader(dst, id.Version, cefCode), '|')
	dst = append(appendCEFHeader(dst, string(e.Code), cefCode), '|')
	dst = append(appendCEFHeader(dst, e.Info, cefName), '|')
	dst = append(strconv.AppendInt(dst, int64(e.Severity.CEF()), 10), '|')

	x := extension{b: dst, start: len(dst)}
	agg := &e.Aggregate
	x.time("rt", e.Time)
	start, end := agg.First, agg.Last
	if e.Code.IsHealth() {
		start, end = healthSpan(e)
	}
	x.time("start", start)
	x.time("end", end)
	x.addr("src", e.Src)
	x.number("spt", uint64(e.SrcPort))
	x.addr("dst", e.Dst)
	x.number("dpt", uint64(e.DstPort))
	x.address6(e.Src, "c6a2", "Source IPv6 Address")
	x.address6(e.Dst, "c6a3", "Destination IPv6 Address")
	x.text("proto", e.Protocol, cefText)
	x.text("app", strings.ToUpper(e.Application), cefText)
	act := "alert"
	if e.Code.IsHealth() {
		act = string(e.Health.State)
	}
	x.text("act", act, cefText)
	x.text("cat", e.Code.Category(), cefText)
	x.number("cnt", max(agg.Count, 1))
	x.id("externalId", e.ID)
	x.text("deviceExternalId", id.Name, cefText)
	x.text("dvchost", id.Hostname, cefText)
	switch e.Direction {
	case event.Inbound:
		x.text("deviceDirection", "0", cefText)
	case event.Outbound:
		x.text("deviceDirection", "1", cefText)
	}
	x.text("deviceInboundInterface", e.Interface, cefText)
	x.request(e)
	if e.TLS.SHA1 != "" {
		x.text("fileHash", e.TLS.SHA1, cefText)
	} else {
		x.text("fileHash", e.TLS.SHA256, cefText)
	}
	x.custom("cs1", "trail", e.Trail)
	x.custom("cs2", "reference", e.Reference)
	x.custom("cs3", "trailType", string(e.Type))
	x.custom("cs4", "forwardedFor", e.Forwarded)
	if e.Code.IsHealth() {
		x.health(&e.Health)
	} else if len(agg.SrcPorts) > 0 {
		x.list("cs5", "sourcePorts")
		x.b = appendPortList(x.b, agg.SrcPorts)
	}
	if len(agg.Dsts) > 0 {
		x.list("cs6", "destinations")
		for i, a := range agg.Dsts {
			if i > 0 {
				x.b = append(x.b, ',')
			}
			x.b = a.AppendTo(x.b)
		}
	}
	if len(agg.DstPorts) > 0 {
		x.list("flexString1", "destinationPorts")
		x.b = appendPortList(x.b, agg.DstPorts)
	}
	if agg.ID != ([16]byte{}) {
		x.list("flexString2", "aggregateId")
		x.b = event.AppendID(x.b, agg.ID)
	}
	x.list("cn1", "confidence")
	x.b = strconv.AppendUint(x.b, uint64(e.Confidence), 10)
	x.text("msg", e.Info, cefMessage)
	return x.b
}

// An extension is the part of a CEF record behind the header: key=value with a
// single space between.
type extension struct {
	b     []byte
	start int
}

func (x *extension) key(name string) {
	if len(x.b) > x.start {
		x.b = append(x.b, ' ')
	}
	x.b = append(append(x.b, name...), '=')
}

func (x *extension) text(name, value string, limit int) {
	if value != "" {
		x.key(name)
		x.b = appendCEFValue(x.b, value, limit)
	}
}

func (x *extension) number(name string, n uint64) {
	if n != 0 {
		x.key(name)
		x.b = strconv.AppendUint(x.b, n, 10)
	}
}

func (x *extension) time(name string, t time.Time) {
	if !t.IsZero() {
		x.key(name)
		x.b = strconv.AppendInt(x.b, t.UnixMilli(), 10)
	}
}

func (x *extension) addr(name string, a netip.Addr) {
	if a.IsValid() {
		x.key(name)
		x.b = a.AppendTo(x.b)
	}
}

func (x *extension) id(name string, id [16]byte) {
	if id != ([16]byte{}) {
		x.key(name)
		x.b = event.AppendID(x.b, id)
	}
}

// list begins a custom field whose value the caller appends.
func (x *extension) list(name, label string) {
	x.key(name + "Label")
	x.b = append(x.b, label...)
	x.key(name)
}

func (x *extension) custom(name, label, value string) {
	if value != "" {
		x.list(name, label)
		x.b = appendCEFValue(x.b, value, cefCustom)
	}
}

// address6 repeats an IPv6 address in the field that the format has for it:
// src and dst are documented as IPv4, though receivers take both.
func (x *extension) address6(a netip.Addr, name, label string) {
	if a.Is6() {
		x.list(name, label)
		x.b = a.AppendTo(x.b)
	}
}

func (x *extension) request(e *event.Event) {
	name, atSource := serverName(e)
	if name == "" {
		name = e.DNS.Question
	}
	if atSource {
		x.text("shost", name, cefText)
	} else {
		x.text("dhost", name, cefText)
	}
	if e.HTTP.Target != "" {
		x.key("request")
		at := len(x.b)
		l := locate(e)
		if l.scheme != "" && l.host != "" && e.HTTP.Target[0] == '/' {
			x.b = append(append(x.b, l.scheme...), "://"...)
			x.b = appendCEFValue(x.b, e.HTTP.Host, cefText)
		}
		x.b = appendCEFValue(x.b, e.HTTP.Target, max(cefMessage-(len(x.b)-at), 0))
	}
	x.text("requestMethod", e.HTTP.Method, cefText)
	x.text("requestClientApplication", e.HTTP.UserAgent, cefText)
}

// appendCEFValue appends an extension value of at most limit characters:
// backslash and equals sign escaped, never the pipe; a line break is \n or \r.
func appendCEFValue(dst []byte, s string, limit int) []byte {
	return appendCEFText(dst, s, limit, '=', true)
}

// appendCEFHeader appends a header field of at most limit characters: backslash
// and pipe escaped, never the equals sign; a line break is a space.
func appendCEFHeader(dst []byte, s string, limit int) []byte {
	return appendCEFText(dst, s, limit, '|', false)
}

// appendCEFText leaves out controls other than line breaks and TAB (a space), and
// turns each invalid byte into U+FFFD.
func appendCEFText(dst []byte, s string, limit int, special byte, breaks bool) []byte {
	for i, n := 0, 0; i < len(s) && n < limit; {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			i += size
			if r >= 0xA0 {
				dst = utf8.AppendRune(dst, r)
				n++
			}
			continue
		}
		i++
		switch {
		case c == '\\' || c == special:
			dst = append(dst, '\\', c)
		case c == '\n' && breaks:
			dst = append(dst, '\\', 'n')
		case c == '\r' && breaks:
			dst = append(dst, '\\', 'r')
		case c == '\n' || c == '\r' || c == '\t':
			dst = append(dst, ' ')
		case c < 0x20 || c == 0x7F:
			continue
		default:
			dst = append(dst, c)
		}
		n++
	}
	return dst
}

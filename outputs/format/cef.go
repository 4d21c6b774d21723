package format

import (
	"math"
	"strconv"
	"strings"
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

// CEFOptions tell AppendCEFWith what differs between receivers. The zero value
// is AppendCEF.
type CEFOptions struct {
	Extra []CEFField // written behind the event's own keys
	Size  int        // longest record in bytes; 0: none
}

// A CEFField is a key of the operator's with its value.
type CEFField struct{ Key, Value string }

// AppendCEF appends the event in the Common Event Format, version 0, without a
// syslog header and without LF. A key is left out when there is no value;
// src, spt, dst and dpt hold one value each, lists stand in cs5, cs6 and
// flexString1. cn1 is the first 12 hex digits of the sensor's id as a number,
// cn2 and cn3 are the journal's epoch and the sequence number in it: cn fields
// are numbers, and readers with types drop what is none.
func AppendCEF(dst []byte, e *event.Event, id *event.Identity) []byte {
	return appendCEF(dst, e, id, nil, uncut, uncut)
}

// AppendCEFWith is AppendCEF with options. Where the record would be larger than
// Size, the values of the custom fields, request and msg are cut, the longest
// first, between characters and never within an escape, and when that is not
// enough the other texts; lists lose whole elements. cut says so. ok is false,
// and nothing appended, when the rest does not fit either.
func AppendCEFWith(dst []byte, e *event.Event, id *event.Identity, opt CEFOptions) (out []byte, cut, ok bool) {
	return within(dst, opt.Size, func(dst []byte, most, rest int) []byte {
		return appendCEF(dst, e, id, opt.Extra, most, rest)
	})
}

// appendCEF bounds the values that are cut first to most characters, the others
// to rest.
func appendCEF(dst []byte, e *event.Event, id *event.Identity, extra []CEFField, most, rest int) []byte {
	dst = append(dst, "CEF:0|"+Vendor+"|"+Product+"|"...)
	dst = append(appendCEFHeader(dst, id.Version, min(cefCode, rest)), '|')
	dst = append(appendCEFHeader(dst, string(e.Code), min(cefCode, max(rest, 64))), '|')
	dst = append(appendCEFHeader(dst, e.Info, min(cefName, rest)), '|')
	dst = append(strconv.AppendInt(dst, int64(e.Severity.CEF()), 10), '|')

	x := extension{b: dst, start: len(dst), most: most, rest: rest}
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
	x.text("app", upper(e.Application), cefText)
	act := "alert"
	if e.Code.IsHealth() {
		act = string(e.Health.State)
	}
	x.text("act", act, cefText)
	x.text("cat", e.Code.Category(), cefText)
	x.text("outcome", outcome(e), cefText)
	x.key("cnt")
	x.b = strconv.AppendUint(x.b, e.Detections(), 10)
	x.id("externalId", e.ID)
	x.text("deviceExternalId", id.Name, cefText)
	x.text("dvchost", id.Hostname, cefText)
	switch e.Direction {
	case event.Inbound:
		x.text("deviceDirection", "0", cefText)
	case event.Outbound:
		x.text("deviceDirection", "1", cefText)
	}
	if x.rest == uncut { // the keys of CEF know fewer words, and no outcome of attacks; a part of one says nothing
		x.text("trailhoundDirection", string(e.Direction), cefText)
		x.text("trailhoundOutcome", e.Outcome.String(), cefText)
	}
	x.text("deviceInboundInterface", e.Interface, cefText)
	x.request(e)
	if e.TLS.SHA1 != "" {
		x.text("fileHash", e.TLS.SHA1, cefText)
	} else {
		x.text("fileHash", e.TLS.SHA256, cefText)
	}
	x.custom("cs1", "trail", canonical(e, e.Trail))
	x.custom("cs2", "reference", e.Reference)
	x.custom("cs3", "trailType", string(e.Type))
	x.custom("cs4", "forwardedFor", e.Forwarded)
	switch {
	case e.Code.IsHealth():
		x.health(&e.Health)
	case len(agg.SrcPorts) > 0:
		x.ports("cs5", "sourcePorts", agg.SrcPorts)
	default:
		x.whole("cs5", "communityId", e.CommunityID)
	}
	x.addrs("cs6", "destinations", agg.Dsts)
	x.ports("flexString1", "destinationPorts", agg.DstPorts)
	if agg.ID != ([16]byte{}) {
		x.label("flexString2", "aggregateId")
		x.b = event.AppendID(x.b, agg.ID)
	}
	if n, ok := sensorNumber(id.ID); ok {
		x.label("cn1", "sensorId")
		x.b = strconv.AppendUint(x.b, n, 10)
	}
	if e.Seq != 0 {
		x.label("cn2", "epoch")
		x.b = strconv.AppendUint(x.b, e.Epoch&math.MaxInt64, 10) // what a long holds
		x.label("cn3", "sequence")
		x.b = strconv.AppendUint(x.b, e.Seq, 10)
	}
	x.label("flexNumber1", "confidence")
	x.b = strconv.AppendUint(x.b, uint64(e.Confidence), 10)
	if e.DNS.HasRCode {
		x.label("flexNumber2", "dnsResponseCode")
		x.b = strconv.AppendUint(x.b, uint64(e.DNS.RCode), 10)
	}
	x.date("deviceCustomDate1", "retroFirst", e.Retro.First)
	x.date("deviceCustomDate2", "retroLast", e.Retro.Last)
	for i := range extra {
		x.text(extra[i].Key, extra[i].Value, cefCustom)
	}
	x.long("msg", e.Info, cefMessage)
	return x.b
}

// upper is strings.ToUpper, without an allocation for what there is.
func upper(application string) string {
	switch application {
	case "dns":
		return "DNS"
	case "http":
		return "HTTP"
	case "tls":
		return "TLS"
	case "quic":
		return "QUIC"
	}
	return strings.ToUpper(application)
}

// sensorNumber is the first 12 hex digits of a UUID as a number, of 48 bits.
func sensorNumber(id string) (n uint64, ok bool) {
	digits := 0
	for i := 0; i < len(id) && digits < 12; i++ {
		c := id[i]
		switch {
		case c >= '0' && c <= '9':
			n = n<<4 | uint64(c-'0')
		case c >= 'a' && c <= 'f':
			n = n<<4 | uint64(c-'a'+10)
		case c == '-':
			continue
		default:
			return 0, false
		}
		digits++
	}
	return n, digits == 12
}

// CEFKeys lists the extension keys that AppendCEF writes, without the labels.
func CEFKeys() []string {
	return []string{"rt", "start", "end", "src", "spt", "dst", "dpt", "c6a2", "c6a3", "proto", "app", "act", "cat", "cnt", "externalId",
		"outcome", "deviceExternalId", "dvchost", "deviceDirection", "trailhoundDirection", "trailhoundOutcome", "deviceInboundInterface", "destinationDnsDomain", "shost", "dhost", "request", "requestMethod",
		"requestClientApplication", "fileHash", "cs1", "cs2", "cs3", "cs4", "cs5", "cs6", "flexString1", "flexString2", "cn1", "cn2", "cn3",
		"flexNumber1", "flexNumber2", "deviceCustomDate1", "deviceCustomDate2", "reason", "msg"}
}

func (x *extension) request(e *event.Event) {
	name, atSource := serverName(e)
	// The name that is asked for is that of neither side: readers with assets would
	// give it to the host whose address stands beside it.
	domain := e.DNS.Question
	if domain == "" {
		domain = loneName(e)
	}
	x.text("destinationDnsDomain", domain, cefText)
	if atSource {
		x.text("shost", name, cefText)
	} else {
		x.text("dhost", name, cefText)
	}
	if room := min(cefMessage, x.most); e.HTTP.Target != "" && room > 0 {
		l := locate(e)
		absolute := l.scheme != "" && l.host != "" && e.HTTP.Target[0] == '/'
		switch {
		case !absolute:
			x.key("request")
			x.b = appendCEFValue(x.b, e.HTTP.Target, room)
		case room > len(l.scheme)+len("://"):
			x.key("request")
			x.b = append(append(x.b, l.scheme...), "://"...)
			room -= len(l.scheme) + len("://")
			x.b = appendCEFValue(x.b, e.HTTP.Host, room)
			x.b = appendCEFValue(x.b, e.HTTP.Target, room-utf8.RuneCountInString(e.HTTP.Host))
		}
	}
	x.text("requestMethod", e.HTTP.Method, cefText)
	x.text("requestClientApplication", e.HTTP.UserAgent, cefText)
}

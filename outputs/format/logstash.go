package format

import (
	"net/netip"
	"strconv"

	"trailhound/agent/event"
)

// AppendLogstash appends the event as the JSON object that the reference sends
// to Logstash, byte for byte and without LF: twelve keys in a fixed order, a
// space behind each comma and colon, ASCII only, time in whole seconds. A port
// is a number, "-" where the protocol has none, or a text with commas where a
// summary saw several; the trail of type PORT is a number as well. sensor is
// the machine's host name. The reference knows neither health events nor
// follow-ups; they get keys of their own: type, code, state, cause, info,
// reference, measures; type (OUTCOME), code, outcome, src_ip, dst_ip, trail, info,
// reference. A retro event has retro_first and retro_last behind, in seconds.
func AppendLogstash(dst []byte, e *event.Event, id *event.Identity) []byte {
	o := plain{append(dst, `{"timestamp": `...)}
	o.b = strconv.AppendInt(o.b, e.Time.Unix(), 10)
	o.text("sensor", id.Hostname)
	o.text("severity", e.Severity.String())
	if e.Code.IsHealth() {
		return o.health(e)
	}
	if e.FollowUp() {
		return o.followUp(e)
	}
	o.key("src_ip")
	o.b = appendAddr(append(o.b, '"'), e.Src)
	if forwarded := e.ForwardedSource(); forwarded != "" {
		o.b = appendASCII(append(o.b, ','), forwarded)
	}
	o.b = append(o.b, '"')
	o.port("src_port", e.Aggregate.SrcPorts, e.SrcPort, e.Protocol)
	o.addrs("dst_ip", e.Aggregate.Dsts, e.Dst)
	o.port("dst_port", e.Aggregate.DstPorts, e.DstPort, e.Protocol)
	o.text("proto", e.Protocol)
	o.text("type", string(e.Type))
	if e.Type == event.PORT && isNumber(e.Trail) {
		o.key("trail")
		o.b = append(o.b, e.Trail...)
	} else {
		o.text("trail", e.Trail)
	}
	o.text("info", e.Info)
	o.text("reference", e.Reference)
	if e.IsRetro() {
		o.key("retro_first")
		o.b = strconv.AppendInt(o.b, e.Retro.First.Unix(), 10)
		o.key("retro_last")
		o.b = strconv.AppendInt(o.b, e.Retro.Last.Unix(), 10)
	}
	return append(o.b, '}')
}

// AppendLogstash appends the document of Append with "@version", which Logstash
// would add otherwise, and without LF.
func (f *ECS) AppendLogstash(dst []byte, e *event.Event) []byte {
	dst = append(dst, `{"@version":"1"`...)
	at := len(dst)
	dst = f.Append(dst, e)
	dst[at] = ',' // the document's opening bracket; it is never empty
	return dst
}

// plain is a JSON object in the spelling of the reference.
type plain struct{ b []byte }

func (o *plain) key(name string) {
	o.b = append(o.b, `, "`...)
	o.b = append(o.b, name...)
	o.b = append(o.b, `": `...)
}

func (o *plain) text(name, value string) {
	o.key(name)
	o.b = append(appendASCII(append(o.b, '"'), value), '"')
}

// port writes a port. The reference has the number 0 for a TCP or UDP port that
// is not known, and "-" for protocols without ports.
func (o *plain) port(name string, list []uint16, one uint16, protocol string) {
	o.key(name)
	if len(list) == 1 {
		one = list[0]
	}
	switch {
	case len(list) > 1:
		o.b = append(appendPortList(append(o.b, '"'), list), '"')
	case one == 0 && protocol != "TCP" && protocol != "UDP":
		o.b = append(o.b, `"-"`...)
	default:
		o.b = strconv.AppendUint(o.b, uint64(one), 10)
	}
}

func (o *plain) addrs(name string, list []netip.Addr, one netip.Addr) {
	o.key(name)
	o.b = append(o.b, '"')
	if len(list) > 0 {
		o.b = appendAddrList(o.b, list)
	} else {
		o.b = appendAddr(o.b, one)
	}
	o.b = append(o.b, '"')
}

// followUp ends the object of an event that stands for no detection.
func (o *plain) followUp(e *event.Event) []byte {
	o.text("type", "OUTCOME")
	o.text("code", string(e.Code))
	o.text("outcome", e.Outcome.String())
	o.addrs("src_ip", nil, e.Src)
	o.addrs("dst_ip", nil, e.Dst)
	o.text("trail", e.Trail)
	o.text("info", e.Info)
	o.text("reference", e.Reference)
	return append(o.b, '}')
}

// health ends the object of a health event. As with the reference's own events
// about logins, its keys are others: there are no addresses that could be "-".
func (o *plain) health(e *event.Event) []byte {
	o.text("type", string(e.Type))
	o.text("code", string(e.Code))
	o.text("state", string(e.Health.State))
	o.text("cause", e.Health.Cause)
	o.text("info", e.Info)
	o.text("reference", e.Reference)
	o.key("measures")
	o.b = append(o.b, '{')
	begun := false
	for i := range e.Health.Measures {
		if !hasMeasure(e.Health.Measures, i) {
			continue
		}
		m := &e.Health.Measures[i]
		if begun {
			o.b = append(o.b, ", "...)
		}
		begun = true
		o.b = append(append(append(o.b, '"'), m.Name...), `": `...)
		o.b = appendMeasure(o.b, m)
	}
	return append(o.b, '}', '}')
}

// isNumber says whether a text is a whole number as JSON has it.
func isNumber(s string) bool {
	if s == "" || len(s) > 10 || s[0] == '0' && len(s) > 1 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

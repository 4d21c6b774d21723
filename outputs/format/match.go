package format

import (
	"net/netip"
	"strings"

	"trailhound/agent/event"
	"trailhound/trails"
)

// aboutAddress says whether trail, indicator and observable of the event are
// addresses, which structured formats spell after RFC 5952.
func aboutAddress(e *event.Event) bool {
	switch e.Kind {
	case trails.Address, trails.AddressPort, trails.Network:
		return true
	}
	return e.Kind == trails.Invalid && (e.Type == event.IP || e.Type == event.IPORT)
}

func canonical(e *event.Event, text string) string {
	if aboutAddress(e) {
		return trails.Canonical(text)
	}
	return text
}

// indicatorName is the indicator without the prefix that lists give its kind.
func indicatorName(e *event.Event) string {
	switch e.Kind {
	case trails.JA3:
		return strings.TrimPrefix(e.Indicator, "ja3:")
	case trails.JA4:
		return strings.TrimPrefix(e.Indicator, "ja4:")
	case trails.UserAgent:
		return strings.TrimPrefix(e.Indicator, "ua:")
	case trails.Pattern:
		return strings.TrimPrefix(e.Indicator, "re:")
	}
	return canonical(e, e.Indicator)
}

// loneName is a listed name of which it is not known what spoke of it: it stands in
// no field of a protocol.
func loneName(e *event.Event) string {
	if e.Kind == trails.Domain && e.DNS.Question == "" && e.TLS.ServerName == "" && e.HTTP.Host == "" && e.HTTP.Target == "" {
		return e.Observable
	}
	return ""
}

// matched says which field of this document the trail matched, and what stands
// there, letter by letter: who joins by it finds the event.
func (d *document) matched(e *event.Event) {
	m := d.object("matched")
	field := matchedField(e)
	switch field {
	case "source.ip", "destination.ip", "dns.resolved_ip":
		d.string("atomic", withoutPort(e))
	case "tls.server.hash.sha1", "tls.server.hash.sha256":
		d.upper("atomic", e.Observable)
	case "tls.client.ja3":
		d.string("atomic", ja3(e))
	case "trailhound.tls.client.ja4":
		d.string("atomic", ja4(e))
	case "url.full":
		l := locate(e)
		d.fullURL("atomic", e, &l)
	case "url.original":
		d.string("atomic", e.HTTP.Target)
	default:
		d.string("atomic", e.Observable)
	}
	d.word("field", field)
	d.raw(`"type":"indicator_match_rule"`)
	d.close(m)
}

// withoutPort is the observable as a field for addresses holds it.
func withoutPort(e *event.Event) string {
	if strings.IndexByte(e.Observable, ':') < 0 { // to try would make an error of it
		return e.Observable
	}
	if a, err := netip.ParseAddrPort(e.Observable); err == nil {
		if a.Addr().Is4() {
			return e.Observable[:strings.IndexByte(e.Observable, ':')]
		}
		return a.Addr().String()
	}
	return trails.Canonical(e.Observable)
}

// matchedField names the field of this document that holds the observable.
func matchedField(e *event.Event) string {
	switch e.Code {
	case event.TrailIPAnswer:
		return "dns.resolved_ip"
	case event.TrailDNSAnswer:
		return "dns.answers.data"
	}
	switch e.Kind {
	case trails.Address, trails.AddressPort, trails.Network:
		a, _ := indicatorAddr(e)
		if e.Src.IsValid() && (a == e.Src || isText(e.Observable, e.Src)) {
			return "source.ip"
		}
		return "destination.ip"
	case trails.URL:
		l := locate(e)
		switch {
		case e.Type != event.URL || e.HTTP.Target == "": // in a body
			return "trailhound.observable"
		case l.scheme != "" && l.host != "":
			return "url.full"
		}
		return "url.original"
	case trails.UserAgent:
		return "user_agent.original"
	case trails.JA3:
		return "tls.client.ja3"
	case trails.JA4:
		return "trailhound.tls.client.ja4" // ECS has no field for it
	case trails.Certificate:
		if len(e.Observable) == 64 {
			return "tls.server.hash.sha256"
		}
		return "tls.server.hash.sha1"
	}
	switch {
	case e.DNS.Question != "":
		return "dns.question.name"
	case e.TLS.ServerName != "":
		return "tls.client.server_name"
	case loneName(e) != "":
		return "related.hosts"
	}
	return "url.domain"
}

// isText says whether a text is an address in RFC 5952 form or in that of trails.
func isText(text string, a netip.Addr) bool {
	var buf [64]byte
	return text == string(a.AppendTo(buf[:0])) || text == string(trails.AppendAddr(buf[:0], a))
}

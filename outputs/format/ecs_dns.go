package format

import (
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/publicsuffix"

	"trailhound/agent/event"
)

func (d *document) dns(e *event.Event) {
	if e.DNS.Question == "" && !e.DNS.HasRCode && len(e.DNS.Answers) == 0 {
		return
	}
	m := d.object("dns")
	if e.DNS.Question != "" {
		d.question(e)
	}
	if e.DNS.HasRCode {
		d.key("response_code")
		d.b = appendMnemonic(d.b, dnsRCode(e.DNS.RCode), "RCODE", uint16(e.DNS.RCode))
	}
	if len(e.DNS.Answers) > 0 {
		d.answers(e.DNS.Answers)
	}
	d.close(m)
}

// answers writes what a server answered: ECS wants at least the data of each
// record, and the addresses among them apart.
func (d *document) answers(list []string) {
	m := d.array("answers")
	for _, a := range list {
		if a != "" {
			d.raw(`{"data":`)
			d.b = append(appendQuoted(d.b, a), '}')
		}
	}
	d.close(m)
	d.addrs("resolved_ip", d.addresses[:d.resolved])
}

// resolve notes the distinct addresses among answers.
func (d *document) resolve(answers []string) {
	for _, text := range answers[:min(len(answers), len(d.addresses))] {
		if a := parseAddr(text); a.IsValid() && !slices.Contains(d.addresses[:d.resolved], a) {
			d.addresses[d.resolved] = a
			d.resolved++
		}
	}
}

func (d *document) question(e *event.Event) {
	q := d.object("question")
	name := e.DNS.Question
	d.string("name", name)
	if e.DNS.Type != 0 {
		d.key("type")
		d.b = appendMnemonic(d.b, dnsType(e.DNS.Type), "TYPE", e.DNS.Type)
	}
	if e.DNS.Class != 0 {
		d.key("class")
		d.b = appendMnemonic(d.b, dnsClass(e.DNS.Class), "CLASS", e.DNS.Class)
	}
	// The suffix list gives an answer for any text; only for a name with all
	// labels there does it mean something.
	if registered, err := publicsuffix.EffectiveTLDPlusOne(name); err == nil {
		d.string("registered_domain", registered)
		_, suffix, _ := strings.Cut(registered, ".")
		d.string("top_level_domain", suffix)
		d.string("subdomain", strings.TrimSuffix(strings.TrimSuffix(name, registered), "."))
	}
	d.close(q)
}

// appendMnemonic appends a quoted name, or prefix and number after RFC 3597.
func appendMnemonic(dst []byte, name, prefix string, n uint16) []byte {
	dst = append(dst, '"')
	if name != "" {
		return append(append(dst, name...), '"')
	}
	return append(strconv.AppendUint(append(dst, prefix...), uint64(n), 10), '"')
}

// dnsType names the types that are met on the wire (IANA dns-parameters).
func dnsType(t uint16) string {
	switch t {
	case 1:
		return "A"
	case 2:
		return "NS"
	case 5:
		return "CNAME"
	case 6:
		return "SOA"
	case 10:
		return "NULL"
	case 12:
		return "PTR"
	case 13:
		return "HINFO"
	case 15:
		return "MX"
	case 16:
		return "TXT"
	case 28:
		return "AAAA"
	case 33:
		return "SRV"
	case 35:
		return "NAPTR"
	case 43:
		return "DS"
	case 46:
		return "RRSIG"
	case 48:
		return "DNSKEY"
	case 52:
		return "TLSA"
	case 64:
		return "SVCB"
	case 65:
		return "HTTPS"
	case 252:
		return "AXFR"
	case 255:
		return "ANY"
	case 257:
		return "CAA"
	}
	return ""
}

func dnsClass(c uint16) string {
	switch c {
	case 1:
		return "IN"
	case 3:
		return "CH"
	case 4:
		return "HS"
	case 255:
		return "ANY"
	}
	return ""
}

// dnsRCode names the response codes that fit into a header (IANA dns-parameters).
func dnsRCode(c uint8) string {
	names := [...]string{"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE", "DSOTYPENI"}
	if int(c) < len(names) {
		return names[c]
	}
	return ""
}

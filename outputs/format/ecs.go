package format

import (
	"net/netip"
	"strings"

	"trailhound/agent/event"
	"trailhound/trails"
)

// ECSVersion is the schema that AppendECS writes. It is the oldest that holds
// every field used, so the documents fit any stack from 8.11 on.
const ECSVersion = "8.11.0"

// What the program calls itself in observer.*, agent.* and CEF headers.
const (
	Vendor  = "Trailhound"
	Product = "Trailhound"
)

// ECSOptions tell NewECS what differs between receivers.
type ECSOptions struct {
	Dataset       string // data_stream.dataset and event.dataset; empty: trailhound.event, or trailhound.health
	Namespace     string // data_stream.namespace; empty: default
	NoEnrichments bool   // leave out threat.enrichments, which is a nested field
}

// ECS writes the documents of one sensor. Several goroutines may use it.
type ECS struct {
	opt      ECSOptions
	observer []byte // how the object begins
	// What the sensor says of itself is the same in all documents but for the
	// dataset: made once, it is a sixth of the work less.
	sensor [2]stamp // of detections, of health events
}

// stamp is the end of every document of a dataset: host, agent, labels, data_stream.
type stamp struct {
	dataset string
	members []byte
}

// NewECS gives the encoder of documents of a sensor; id is not kept.
func NewECS(id *event.Identity, opt ECSOptions) *ECS {
	f := &ECS{opt: opt}
	d := document{b: []byte{'{'}}
	d.observer(id)
	f.observer = d.b[1:]
	for i, name := range []string{"trailhound.event", "trailhound.health"} {
		if opt.Dataset != "" {
			name = opt.Dataset
		}
		d := document{b: []byte{'{'}}
		d.sensor(id)
		d.labels(id.Labels)
		d.dataStream(name, opt.Namespace)
		f.sensor[i] = stamp{name, d.b[1:]}
	}
	return f
}

// AppendECS appends the event as one JSON object after ECS 8.11, without LF. Who
// writes many takes an ECS.
func AppendECS(dst []byte, e *event.Event, id *event.Identity) []byte {
	return NewECS(id, ECSOptions{}).Append(dst, e)
}

// Append appends the event as one JSON object after ECS 8.11, without LF.
// What has no home in ECS is under trailhound. Nothing is ever "-", addresses
// are in RFC 5952 form, numbers are numbers, and absent fields are left out.
func (f *ECS) Append(dst []byte, e *event.Event) []byte {
	by := &f.sensor[0]
	if e.Code.IsHealth() {
		by = &f.sensor[1]
	}
	d := document{b: append(dst, '{')}
	d.time("@timestamp", e.Time)
	d.raw(`"ecs":{"version":"` + ECSVersion + `"}`)
	d.event(e, by.dataset)
	d.message(e)
	name, atSource := serverName(e)
	if atSource {
		d.endpoint("source", e.Src, &d.src, e.SrcPort, name)
		d.endpoint("destination", e.Dst, &d.dst, e.DstPort, "")
	} else {
		d.endpoint("source", e.Src, &d.src, e.SrcPort, "")
		d.endpoint("destination", e.Dst, &d.dst, e.DstPort, name)
	}
	d.network(e)
	d.resolve(e.DNS.Answers)
	d.dns(e)
	d.http(e)
	d.tls(e)
	d.threat(e, f.opt)
	if !e.Code.IsHealth() {
		d.rule(e)
	}
	d.b = append(appendComma(d.b), f.observer...)
	d.ingress(e)
	d.b = append(d.b, '}')
	d.related(e, name)
	d.b = append(appendComma(d.b), by.members...)
	d.own(e)
	return append(d.b, '}')
}

func (d *document) event(e *event.Event, dataset string) {
	m := d.object("event")
	if e.Code.IsHealth() {
		d.eventOfHealth(e)
	} else {
		d.eventOfDetection(e)
	}
	if e.ID != ([16]byte{}) {
		d.key("id")
		d.b = append(event.AppendID(append(d.b, '"'), e.ID), '"')
	}
	d.number("severity", uint64(e.Severity.CEF()))
	if !e.Code.IsHealth() {
		d.number("risk_score", uint64(e.Severity.Risk()))
	}
	d.word("outcome", outcome(e))
	d.string("reason", e.Info)
	d.raw(`"module":"trailhound"`)
	d.string("dataset", dataset)
	d.raw(`"provider":"sensor"`)
	d.number("sequence", e.Seq)
	start, end := e.Aggregate.First, e.Aggregate.Last
	if e.Code.IsHealth() {
		start, end = healthSpan(e)
	}
	d.time("start", start)
	d.time("end", end)
	d.close(m)
}

// eventOfDetection says of what kind a detection is, in the words of ECS.
func (d *document) eventOfDetection(e *event.Event) {
	if e.Code.IsTrail() {
		d.raw(`"kind":"alert","action":"trail-match"`)
	} else {
		d.raw(`"kind":"alert","action":"heuristic-match"`)
	}
	d.string("code", string(e.Code))
	d.raw(`"category":["network","intrusion_detection"`)
	if strings.Contains(e.Info, "(malware)") {
		d.raw(`"malware"`)
	}
	if isWeb(e) {
		d.raw(`"web"`)
	}
	d.b = append(d.b, ']')
	d.raw(`"type":["info"`)
	if e.Src.IsValid() && e.Dst.IsValid() {
		d.raw(`"connection"`)
	}
	if e.Application != "" {
		d.raw(`"protocol"`)
	}
	d.b = append(d.b, ']')
}

// outcome is ECS event.outcome: whether the conversation with what is listed came
// about. Of attacks and scans it says nothing, for there "success" would be read as
// theirs, and an answer is not that: trailhound.outcome has it for all events.
func outcome(e *event.Event) string {
	if !e.Code.IsTrail() {
		return ""
	}
	switch e.Outcome {
	case event.Answered:
		return "success"
	case event.Refused:
		return "failure"
	case event.Attempted, event.OutcomeUnknown:
		return "unknown" // in the words of ECS, an attempt whose result is not known
	}
	return ""
}

func isWeb(e *event.Event) bool {
	switch e.Type {
	case event.URL, event.HTTP, event.UA, event.PATH:
		return true
	}
	return e.Application == "http"
}

// message is the event as one sentence.
func (d *document) message(e *event.Event) {
	d.key("message")
	d.b = append(d.b, '"')
	d.b = appendEscaped(d.b, e.Info)
	if e.Src.IsValid() {
		d.b = append(d.b, ": "...)
		d.ip(e.Src, &d.src)
	}
	if e.Dst.IsValid() {
		d.b = append(d.b, " -> "...)
		d.ip(e.Dst, &d.dst)
	}
	if e.Trail != "" && !e.Code.IsHealth() { // their info names it
		d.b = append(d.b, ' ')
		d.b = appendEscaped(d.b, canonical(e, e.Trail))
	}
	d.b = append(d.b, '"')
}

// endpoint writes one end. Whom a request was forwarded for is a claim of its sender
// and not in it: searches by address would miss the host.
func (d *document) endpoint(name string, a netip.Addr, t *text, port uint16, domain string) {
	m := d.object(name)
	if a.IsValid() {
		d.raw(`"ip":"`)
		d.ip(a, t)
		d.b = append(d.b, `","address":"`...)
		d.ip(a, t)
		d.b = append(d.b, '"')
	}
	d.number("port", uint64(port))
	d.string("domain", domain)
	d.close(m)
}

// addr writes an address in RFC 5952 form.
func (d *document) addr(name string, a netip.Addr) {
	if a.IsValid() {
		d.key(name)
		d.b = append(a.WithZone("").AppendTo(append(d.b, '"')), '"')
	}
}

// addrs writes addresses that are distinct already.
func (d *document) addrs(name string, list []netip.Addr) {
	m := d.array(name)
	for _, a := range list {
		d.addrElement(a)
	}
	d.close(m)
}

func (d *document) addrElement(a netip.Addr) {
	if a.IsValid() {
		d.comma()
		d.b = append(a.WithZone("").AppendTo(append(d.b, '"')), '"')
	}
}

// bare is a reference without the parentheses of "(static)" and its like.
func bare(reference string) string {
	if len(reference) > 2 && reference[0] == '(' && reference[len(reference)-1] == ')' {
		return reference[1 : len(reference)-1]
	}
	return reference
}

// publication is where one can read about the trail, if its source says so.
func publication(sources []trails.Source) string {
	if len(sources) > 0 && len(sources[0].URLs) > 0 {
		return sources[0].URLs[0]
	}
	return ""
}

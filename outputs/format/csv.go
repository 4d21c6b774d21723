package format

import (
	"bytes"
	"strconv"
	"time"

	"trailhound/agent/event"
)

// csvHeader names the columns. Columns are only ever added at the end.
const csvHeader = "time,sensor,src_ip,src_port,dst_ip,dst_port,protocol,type,trail,info,reference," +
	"severity,confidence,direction,code,count,first_seen,last_seen,event_id,epoch,seq," +
	"forwarded_ip,url,user_agent,dns_query," +
	"observable,indicator,application,tls_server_name,cert_sha1,interface,vlan,packet," +
	"summary,aggregate_id,src_ports,dst_ports,dst_ips," +
	"health_state,health_since,health_cause,health_measures," +
	"trails,suppress_rule,suppress_local,outcome,retro_first,retro_last"

// csvMore names the columns of csv-all behind those of csv.
const csvMore = ",community_id,src_group,dst_group,dns_rcode,dns_answers,content_type,http_body,ja3,ja4,technique," +
	"retro_hosts"

// AppendCSVHeader appends the line that names the columns, LF included.
func AppendCSVHeader(dst []byte) []byte {
	return append(append(dst, csvHeader...), '\n')
}

// AppendAllCSVHeader is AppendCSVHeader for AppendAllCSV.
func AppendAllCSVHeader(dst []byte) []byte {
	return append(append(append(dst, csvHeader...), csvMore...), '\n')
}

// AppendCSV appends the event as one CSV record (RFC 4180, but with LF). CR, LF
// and NUL are stripped from values, so a record is always one line. Times are
// RFC 3339 UTC with microseconds; an absent port or address is "-", anything
// else that is absent is empty.
func AppendCSV(dst []byte, e *event.Event, id *event.Identity) []byte {
	return appendCSV(dst, e, id, false, false)
}

// AppendAllCSV is AppendCSV with more columns; safe as in AppendSafeCSV.
func AppendAllCSV(dst []byte, e *event.Event, id *event.Identity, safe bool) []byte {
	return appendCSV(dst, e, id, safe, true)
}

// AppendSafeCSV is AppendCSV for files that are opened in a spreadsheet: a
// value of text that begins with = + - @ or a tab gets a ' in front, lest it
// be taken for a formula.
func AppendSafeCSV(dst []byte, e *event.Event, id *event.Identity) []byte {
	return appendCSV(dst, e, id, true, false)
}

func appendCSV(dst []byte, e *event.Event, id *event.Identity, safe, all bool) []byte {
	r := record{b: dst, safe: safe}
	agg := &e.Aggregate

	r.b = append(appendTime(r.b, e.Time), ',')
	r.text(id.Name)
	r.seal(appendSource(r.b, e.Src, e.ForwardedSource()), len(r.b))
	r.b = append(appendPort(r.b, e.SrcPort), ',')
	r.b = append(appendAddr(r.b, e.Dst), ',')
	r.b = append(appendPort(r.b, e.DstPort), ',')
	r.text(e.Protocol)
	r.text(string(e.Type))
	r.text(e.Trail)
	r.text(e.Info)
	r.text(e.Reference)

	r.text(e.Severity.String())
	r.b = append(strconv.AppendUint(r.b, uint64(e.Confidence), 10), ',')
	r.text(string(e.Direction))
	r.text(string(e.Code))
	r.b = append(strconv.AppendUint(r.b, e.Detections(), 10), ',')
	first, last := span(e)
	r.b = append(appendTime(r.b, first), ',')
	r.b = append(appendTime(r.b, last), ',')
	r.b = append(event.AppendID(r.b, e.ID), ',')
	r.b = append(appendEpoch(r.b, e.Epoch), ',')
	r.number(e.Seq)

	if a := parseAddr(e.Forwarded); a.IsValid() {
		r.b = appendAddr(r.b, a)
	}
	r.b = append(r.b, ',')
	r.seal(appendURL(r.b, e), len(r.b))
	r.text(e.HTTP.UserAgent)
	r.text(e.DNS.Question)

	r.text(e.Observable)
	r.text(e.Indicator)
	r.text(e.Application)
	r.text(e.TLS.ServerName)
	r.text(e.TLS.SHA1)
	r.text(e.Interface)
	at := len(r.b)
	for i, v := range e.VLANs {
		if i > 0 {
			r.b = append(r.b, ',')
		}
		r.b = strconv.AppendUint(r.b, uint64(v), 10)
	}
	r.seal(r.b, at)
	r.number(e.Number)

	if agg.Summary {
		r.b = append(r.b, "true"...)
	}
	r.b = append(r.b, ',')
	r.b = append(event.AppendID(r.b, agg.ID), ',')
	r.seal(appendPortList(r.b, agg.SrcPorts), len(r.b))
	r.seal(appendPortList(r.b, agg.DstPorts), len(r.b))
	r.seal(appendAddrList(r.b, agg.Dsts), len(r.b))

	r.text(string(e.Health.State))
	r.time(e.Health.Since)
	r.text(e.Health.Cause)
	r.seal(appendMeasures(r.b, e.Health.Measures, "="), len(r.b))

	r.texts(agg.Trails)
	r.text(e.Suppression.Rule)
	if e.Suppression.Local {
		r.b = append(r.b, "true"...)
	}
	r.b = append(r.b, ',')
	r.text(e.Outcome.String())
	r.time(e.Retro.First)
	r.time(e.Retro.Last)
	if all {
		r.more(e)
	}
	r.b[len(r.b)-1] = '\n'
	return r.b
}

// more writes the columns of csvMore.
func (r *record) more(e *event.Event) {
	r.text(e.CommunityID)
	r.text(e.SrcGroup)
	r.text(e.DstGroup)
	if e.DNS.HasRCode {
		if name := dnsRCode(e.DNS.RCode); name != "" {
			r.b = append(r.b, name...)
		} else {
			r.b = strconv.AppendUint(append(r.b, "RCODE"...), uint64(e.DNS.RCode), 10)
		}
	}
	r.b = append(r.b, ',')
	r.texts(e.DNS.Answers)
	r.text(e.HTTP.ContentType)
	r.text(e.HTTP.Body)
	r.text(ja3(e))
	r.text(ja4(e))
	r.text(e.Code.Technique().ID)
	r.seal(appendAddrList(r.b, e.Retro.Hosts), len(r.b))
}

// A record is a CSV record in the making.
type record struct {
	b    []byte
	safe bool
}

func (r *record) text(value string) {
	at := len(r.b)
	r.seal(append(r.b, value...), at)
}

// texts writes a list, parted by vertical bars.
func (r *record) texts(list []string) {
	at := len(r.b)
	for i, t := range list {
		if i > 0 {
			r.b = append(r.b, '|')
		}
		r.b = append(r.b, t...)
	}
	r.seal(r.b, at)
}

func (r *record) time(t time.Time) {
	if !t.IsZero() {
		r.b = appendTime(r.b, t)
	}
	r.b = append(r.b, ',')
}

func (r *record) number(n uint64) {
	if n != 0 {
		r.b = strconv.AppendUint(r.b, n, 10)
	}
	r.b = append(r.b, ',')
}

// seal makes b[at:] a value and appends the comma behind it.
func (r *record) seal(b []byte, at int) {
	if bytes.ContainsAny(b[at:], "\r\n\x00") {
		value := b[at:at]
		for _, c := range b[at:] {
			if c != '\r' && c != '\n' && c != 0 {
				value = append(value, c)
			}
		}
		b = b[:at+len(value)]
	}
	if value := b[at:]; r.safe && len(value) > 0 && isFormula(value) {
		b = append(b, 0)
		copy(b[at+1:], b[at:])
		b[at] = '\''
	}
	if value := b[at:]; len(value) > 0 && (value[0] == ' ' || value[len(value)-1] == ' ' || bytes.ContainsAny(value, `,"`)) {
		b = enclose(b, at)
	}
	r.b = append(b, ',')
}

// isFormula says whether a spreadsheet may take a value for a formula. "-" by
// itself is the absent address or port.
func isFormula(value []byte) bool {
	switch value[0] {
	case '=', '+', '@', '\t':
		return true
	case '-':
		return len(value) > 1
	}
	return false
}

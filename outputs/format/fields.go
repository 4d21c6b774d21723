package format

import "strings"

// A Field is a row of the contract with whoever reads events: how a value of
// the event is called in each format. Several ECS fields are parted by a space.
type Field struct {
	Name    string // path in event.Event or event.Identity
	Type    string // Go type
	Meaning string
	ECS     string
	CEF     string
	CSV     string
}

// Fields lists all values of an event. docs/fields.md is made from it, and a
// test holds it against the struct and against what the formats write.
func Fields() []Field {
	return []Field{
		{"ID", "[16]byte", "UUID of the event, version 7, in replay 8: the same on every delivery", "event.id", "externalId", "event_id"},
		{"Epoch", "uint64", "which journal the sequence number belongs to: 16 hex digits, in CEF a decimal number", "trailhound.epoch", "cn2", "epoch"},
		{"Seq", "uint64", "sequence number in the journal, from 1 without a gap", "event.sequence", "cn3", "seq"},
		{"Time", "time.Time", "when the packet was captured, UTC, microseconds", "@timestamp", "rt", "time"},
		{"Number", "uint64", "number of the packet in a replayed capture, from 1", "trailhound.packet", "", "packet"},
		{"Type", "Type", "DNS, IP, IPORT, URL, HTTP, UA, PATH, PORT or CERT; HEALTH for what the sensor says of itself", "trailhound.type", "cs3", "type"},
		{"Code", "Code", "stable name of what was detected; write rules against it", "event.code rule.id rule.category event.action", "header, cat", "code"},
		{"Severity", "Severity", "low, medium or high; as a number 3, 5, 8; info, 1, for health events that report no fault", "trailhound.severity event.severity event.risk_score", "header", "severity"},
		{"Confidence", "uint8", "0 to 100: how sure the source is; 100 in health events", "trailhound.confidence threat.indicator.confidence", "flexNumber1", "confidence"},
		{"Direction", "Direction", "inbound, outbound, internal, external or unknown, seen from the home networks; deviceDirection knows two of them, 0 and 1", "network.direction", "deviceDirection, trailhoundDirection", "direction"},
		{"Observable", "string", "what was on the wire; IPv6 addresses in ECS and CEF after RFC 5952, in CSV as the reference spells them", "trailhound.observable threat.enrichments.matched.atomic", "", "observable"},
		{"Indicator", "string", "the trail that it matched, bare: in CSV as lists hold it (`ja3:`, `ua:` and the like in front), in ECS without that; a certificate's digest as it is listed, in lower case", "threat.indicator.name threat.indicator.ip threat.indicator.port", "", "indicator"},
		{"Kind", "trails.Kind", "the indicator's kind; absent for a heuristic", "trailhound.kind threat.indicator.type", "", ""},
		{"Trail", "string", "the reference's display form, what is not the indicator in parentheses; in health events what they are about", "trailhound.trail", "cs1", "trail"},
		{"Info", "string", "why it is listed, or what the heuristic saw; in health events a sentence", "event.reason rule.name threat.indicator.description message", "header, msg", "info"},
		{"Reference", "string", "who lists it: a feed, (static), (custom), (heuristic); (health)", "trailhound.reference rule.ruleset threat.feed.name threat.indicator.provider", "cs2", "reference"},
		{"Sources", "[]trails.Source", "the files or feeds that hold the trail, and a publication on it", "trailhound.sources threat.feed.reference threat.indicator.reference rule.reference", "", ""},
		{"Src", "netip.Addr", "the packet's source; CSV appends what it was forwarded for", "source.ip source.address network.type related.ip", "src, c6a2", "src_ip"},
		{"Dst", "netip.Addr", "the packet's destination", "destination.ip destination.address related.ip", "dst, c6a3", "dst_ip"},
		{"SrcPort", "uint16", "source port; absent in ICMP and its like", "source.port", "spt", "src_port"},
		{"DstPort", "uint16", "destination port", "destination.port", "dpt", "dst_port"},
		{"Protocol", "string", "TCP, UDP, ICMP, ICMPV6, GRE ...", "network.transport trailhound.protocol", "proto", "protocol"},
		{"Forwarded", "string", "forwarded-for value of the request, as sent; as an address only when it is one", "trailhound.forwarded network.forwarded_ip", "cs4", "forwarded_ip"},
		{"Application", "string", "dns, http, tls or quic", "network.protocol", "app", "application"},
		{"CommunityID", "string", "Community ID of the flow, version 1, seed 0; absent where a port or an ICMP type is missing, and in summaries over several flows; in CEF not beside a list of source ports", "network.community_id", "cs5", "community_id"},
		{"SrcGroup", "string", "the home network that the source is in, by the operator's name", "trailhound.source.group", "", "src_group"},
		{"DstGroup", "string", "the same of the destination", "trailhound.destination.group", "", "dst_group"},
		{"Outcome", "Outcome", "answered, refused, attempted (no answer came) or unknown (the other direction is not seen, or not for long enough); event.outcome and outcome in CEF: of trails only, success, failure, unknown, unknown", "trailhound.outcome event.outcome", "trailhoundOutcome, outcome", "outcome"},
		{"Retro.First", "time.Time", "a new trail was found in earlier traffic: when it was first seen, to the minute; such events are never written as maltrail lines", "trailhound.retro.first", "deviceCustomDate1", "retro_first"},
		{"Retro.Last", "time.Time", "and when last", "trailhound.retro.last", "deviceCustomDate2", "retro_last"},
		{"Retro.Hosts", "[]netip.Addr", "the hosts that had to do with it, as far as they are remembered", "trailhound.retro.hosts related.ip", "", "retro_hosts"},
		{"DNS.Question", "string", "the name asked for, lower case", "dns.question.name dns.question.registered_domain dns.question.subdomain dns.question.top_level_domain related.hosts", "destinationDnsDomain", "dns_query"},
		{"DNS.Type", "uint16", "the type asked for", "dns.question.type", "", ""},
		{"DNS.Class", "uint16", "the class asked for", "dns.question.class", "", ""},
		{"DNS.RCode", "uint8", "response code: NOERROR, NXDOMAIN ...; in CEF the number", "dns.response_code", "flexNumber2", "dns_rcode"},
		{"DNS.HasRCode", "bool", "whether there is one", "dns.response_code", "flexNumber2", "dns_rcode"},
		{"DNS.Answers", "[]string", "addresses and names in the answer, at most 16; in CSV parted by a vertical bar", "dns.answers.data dns.resolved_ip related.ip related.hosts", "", "dns_answers"},
		{"HTTP.Method", "string", "request method", "http.request.method", "requestMethod", ""},
		{"HTTP.Host", "string", "Host header; the server's name, with that of TLS", "url.domain url.port destination.domain related.hosts", "dhost, shost", "url"},
		{"HTTP.Target", "string", "request target as sent", "url.original url.full url.scheme url.path url.query url.extension", "request", "url"},
		{"HTTP.Status", "uint16", "status of a response", "http.response.status_code", "", ""},
		{"HTTP.UserAgent", "string", "User-Agent header", "user_agent.original", "requestClientApplication", "user_agent"},
		{"HTTP.ContentType", "string", "Content-Type of a response; in ECS without parameters, as the server declares it", "http.response.mime_type", "", "content_type"},
		{"HTTP.Body", "string", "the first 256 bytes of a request's body that matched; secrets masked when event.redact is on", "http.request.body.content", "", "http_body"},
		{"TLS.ServerName", "string", "server name of a TLS or QUIC handshake", "tls.client.server_name", "dhost, shost", "tls_server_name"},
		{"TLS.SHA1", "string", "SHA-1 of the server's certificate", "tls.server.hash.sha1 related.hash", "fileHash", "cert_sha1"},
		{"TLS.SHA256", "string", "SHA-256 of the server's certificate", "tls.server.hash.sha256 related.hash", "fileHash", ""},
		{"TLS.JA3", "string", "JA3 of the client, of a ClientHello that was seen whole; else the indicator, when it is one", "tls.client.ja3 related.hash", "", "ja3"},
		{"TLS.JA4", "string", "JA4 of the client; ECS has no field for it", "trailhound.tls.client.ja4", "", "ja4"},
		{"Interface", "string", "capture interface", "observer.ingress.interface.name", "deviceInboundInterface", "interface"},
		{"Alias", "string", "what the operator calls it", "observer.ingress.interface.alias", "", ""},
		{"VLANs", "[]uint16", "VLAN ids, outermost first", "network.vlan.id observer.ingress.vlan.id trailhound.vlans", "", "vlan"},
		{"Aggregate.ID", "[16]byte", "what a first event and the summaries of its repeats share", "trailhound.aggregate.id", "flexString2", "aggregate_id"},
		{"Aggregate.Summary", "bool", "true: a summary of repeats", "trailhound.aggregate.summary", "", "summary"},
		{"Aggregate.Count", "uint64", "detections that the event stands for; 0 in a follow-up, a summary that tells only the outcome of the first event, and is never written as a maltrail line", "trailhound.aggregate.count", "cnt", "count"},
		{"Aggregate.First", "time.Time", "time of the first of them", "event.start", "start", "first_seen"},
		{"Aggregate.Last", "time.Time", "time of the last of them", "event.end", "end", "last_seen"},
		{"Aggregate.SrcPorts", "[]uint16", "distinct source ports among them, at most 32", "trailhound.aggregate.src_ports", "cs5", "src_ports"},
		{"Aggregate.DstPorts", "[]uint16", "distinct destination ports", "trailhound.aggregate.dst_ports", "flexString1", "dst_ports"},
		{"Aggregate.Dsts", "[]netip.Addr", "distinct destinations", "trailhound.aggregate.dst_ips related.ip", "cs6", "dst_ips"},
		{"Aggregate.MoreSrcPorts", "uint32", "source ports beyond those listed", "trailhound.aggregate.more_src_ports", "", ""},
		{"Aggregate.MoreDstPorts", "uint32", "destination ports beyond those listed", "trailhound.aggregate.more_dst_ports", "", ""},
		{"Aggregate.MoreDsts", "uint32", "destinations beyond those listed", "trailhound.aggregate.more_dst_ips", "", ""},
		{"Aggregate.Trails", "[]string", "distinct trails of a summary over several of them, in the order they came; in CSV parted by a vertical bar", "trailhound.aggregate.trails", "", "trails"},
		{"Aggregate.MoreTrails", "uint32", "events of trails beyond those listed", "trailhound.aggregate.more_trails", "", ""},
		{"Suppression.Rule", "string", "id of the suppression rule that kept the event local or lowered its severity", "trailhound.suppress.rule", "", "suppress_rule"},
		{"Suppression.Local", "bool", "true: that rule keeps it in the journal and local files, no receiver gets it", "trailhound.suppress.local", "", "suppress_local"},
		{"Health.State", "HealthState", "raised, reminded (hourly) or recovered; noted: it happened once; metric: figures", "trailhound.health.state", "act", "health_state"},
		{"Health.Since", "time.Time", "when the condition set in: the same in all events of one condition", "trailhound.health.since event.start", "start", "health_since"},
		{"Health.Cause", "string", "the interface or output it is about, or `trails`, with the code it says which condition this is; in heartbeats the output that the copy came by", "trailhound.health.cause", "reason", "health_cause"},
		{"Health.Measures", "[]event.Measure", "the figures behind it by name, at most 64 numbers; in CEF and CSV as name=number, parted by spaces", "trailhound.health.measures", "cs5", "health_measures"},
		{"Identity.Name", "string", "sensor.name", "observer.name agent.name", "deviceExternalId", "sensor"},
		{"Identity.ID", "string", "the sensor's id, stable over restarts", "agent.id", "cn1", ""},
		{"Identity.Hostname", "string", "the machine's host name", "observer.hostname host.name", "dvchost", ""},
		{"Identity.Version", "string", "the program's version", "observer.version agent.version", "header", ""},
		{"Identity.Labels", "map[string]string", "the operator's labels; dots in a name become underscores", "labels", "", ""},
	}
}

// derived are the ECS fields that say the same in every event or follow from
// several values.
func derived() []Field {
	return []Field{
		{ECS: "ecs.version", Meaning: "the schema: " + ECSVersion},
		{ECS: "event.kind", Meaning: "alert; metric or state in health events"},
		{ECS: "event.action", Meaning: "trail-match, heuristic-match or health"},
		{ECS: "event.category", Meaning: "network and intrusion_detection; malware when info says (malware); web for HTTP; host alone in health events"},
		{ECS: "event.type", Meaning: "info; connection with both addresses; protocol when the application is known"},
		{ECS: "event.module event.dataset event.provider", Meaning: "trailhound; trailhound.event, or trailhound.health; sensor"},
		{ECS: "event.end", Meaning: "in health events that report a recovery, its time"},
		{ECS: "observer.type observer.vendor observer.product agent.type", Meaning: "sensor, Trailhound, Trailhound, trailhound"},
		{ECS: "threat.indicator.url.domain", Meaning: "the indicator, when it is a name"},
		{ECS: "threat.indicator.url.original threat.indicator.url.port threat.indicator.url.path", Meaning: "the indicator, when it is a URL"},
		{ECS: "threat.enrichments threat.enrichments.indicator threat.enrichments.matched.field threat.enrichments.matched.type", Meaning: "the indicator once more, as the enrichment that ECS has for a match; which field of the document holds what matched, and that field's value letter by letter (a digest in upper case, an address without its port)"},
		{ECS: "source.domain", Meaning: "in place of destination.domain, when the server is the packet's source"},
		{ECS: "threat.framework threat.technique.id threat.technique.name threat.technique.subtechnique.id threat.technique.subtechnique.name", Meaning: "MITRE ATT&CK, and the technique that a heuristic points to, by its code; the id is in `technique` of csv-all, too"},
		{ECS: "data_stream.type data_stream.dataset data_stream.namespace", Meaning: "logs; trailhound.event, or trailhound.health; the output's namespace (default)"},
	}
}

// cefLabels are the keys of CEF that say what a custom key beside them holds.
func cefLabels() [][2]string {
	return [][2]string{
		{"cs1Label", "trail"}, {"cs2Label", "reference"}, {"cs3Label", "trailType"}, {"cs4Label", "forwardedFor"}, {"cs5Label", "sourcePorts; communityId without them; measures in health events"},
		{"cs6Label", "destinations"}, {"flexString1Label", "destinationPorts"}, {"flexString2Label", "aggregateId"}, {"flexNumber1Label", "confidence"}, {"flexNumber2Label", "dnsResponseCode"},
		{"cn1Label", "sensorId"}, {"cn2Label", "epoch"}, {"cn3Label", "sequence"},
		{"deviceCustomDate1Label", "retroFirst"}, {"deviceCustomDate2Label", "retroLast"},
		{"c6a2Label", "Source IPv6 Address"}, {"c6a3Label", "Destination IPv6 Address"},
	}
}

// AppendFieldsPage appends docs/fields.md.
func AppendFieldsPage(dst []byte) []byte {
	dst = append(dst, `# Fields

What is in an event, and what it is called in each format. Names are never changed and never reused; new ones are
added at the end. An absent value is left out of ECS and CEF, and is empty in CSV (a port or an address: `+"`-`"+`).
Events of heuristics have of `+"`threat.*`"+` the technique at most. Health events, whose codes begin with `+"`health.`"+`, have
neither `+"`threat.*`"+` nor `+"`rule.*`"+` nor a risk score, go to a data stream of their own, and are never written as maltrail lines.

This page is made from outputs/format/fields.go: edit that, then run `+"`go test ./outputs/format -update`"+`.

| value | type | meaning | ECS | CEF | CSV |
| --- | --- | --- | --- | --- | --- |
`...)
	for _, f := range Fields() {
		dst = append(dst, "| "+f.Name+" | "+f.Type+" | "+f.Meaning+" | "+listed(f.ECS)+" | "+listed(f.CEF)+" | "+listed(f.CSV)+" |\n"...)
	}
	dst = append(dst, "\nWhat ECS documents hold besides:\n\n| ECS | meaning |\n| --- | --- |\n"...)
	for _, f := range derived() {
		dst = append(dst, "| "+listed(f.ECS)+" | "+f.Meaning+" |\n"...)
	}
	dst = append(dst, "\nWhat CEF messages hold besides, beside the custom key of the same name:\n\n| CEF | value |\n| --- | --- |\n"...)
	for _, l := range cefLabels() {
		dst = append(dst, "| `"+l[0]+"` | "+l[1]+" |\n"...)
	}
	dst = append(dst, "\nThe CSV columns, in their order:\n\n```\n"...)
	dst = append(AppendCSVHeader(dst), "```\n\nThe format `csv-all` has these behind them:\n\n```\n"...)
	return append(append(dst, csvMore[1:]...), "\n```\n"...)
}

// listed sets field names in code style, parted by commas.
func listed(names string) string {
	if names == "" || names == "header" {
		return names
	}
	fields := strings.FieldsFunc(names, func(r rune) bool { return r == ' ' || r == ',' })
	for i, f := range fields {
		if f != "header" {
			fields[i] = "`" + f + "`"
		}
	}
	return strings.Join(fields, ", ")
}

package elasticsearch

import "strings"

// kind is how a field is mapped, before it is known which types the node has.
type kind uint8

const (
	keyword      kind = iota
	constant          // constant_keyword without a value, else keyword
	wildcard          // wildcard, else keyword
	wildcardText      // with a field .text beside it, as ECS has for URLs
	keywordText       // the same for a keyword
	text              // match_only_text, else text
	query             // keyword; ECS allows 2083 characters
	ip
	long
	float
	boolean
	date
	timestamp // the date that a data stream needs
	nested
)

// What Elasticsearch finds of a keyword that is longer stays in the document
// but is not searchable. 8,191 is the most that fits into a term of Lucene
// (32,766 bytes) whatever the characters.
const (
	ignoreAbove     = 1024
	ignoreAboveURL  = 8191
	ignoreAboveLong = 2083
)

// A mapping says how fields are mapped: several names below one path.
type mapping struct {
	kind  kind
	path  string // with its dot; empty: at the top
	names string // separated by spaces
}

// mappings lists every field that format.ECS can write; a test walks
// all kinds of events to see that.
func mappings() []mapping {
	list := []mapping{
		{timestamp, "", "@timestamp"},
		{text, "", "message"},
		{keyword, "", "ecs.version"},
		{constant, "data_stream.", "namespace"}, // the other two have values, in the index templates
		{keyword, "event.", "kind category type action code id outcome reason module dataset provider"},
		{long, "event.", "severity sequence"},
		{float, "event.", "risk_score"},
		{date, "event.", "start end"},
		{keyword, "network.", "transport type protocol direction community_id vlan.id"},
		{ip, "network.", "forwarded_ip"},
		{keyword, "dns.question.", "name type class registered_domain top_level_domain subdomain"},
		{keyword, "dns.", "response_code answers.data"},
		{ip, "dns.", "resolved_ip"},
		{wildcardText, "url.", "original full"},
		{wildcard, "url.", "path"},
		{query, "url.", "query"},
		{keyword, "url.", "scheme domain extension"},
		{long, "url.", "port"},
		{keyword, "http.request.", "method"},
		{wildcardText, "http.request.", "body.content"},
		{long, "http.response.", "status_code"},
		{keyword, "http.response.", "mime_type"},
		{keywordText, "user_agent.", "original"},
		{keyword, "tls.", "client.server_name client.ja3 server.hash.sha1 server.hash.sha256"},
		{keyword, "threat.feed.", "name reference"},
		{keyword, "threat.", "framework technique.id technique.name technique.subtechnique.id technique.subtechnique.name"},
		{nested, "threat.", "enrichments"},
		{keyword, "threat.enrichments.matched.", "atomic field type"},
		{keyword, "rule.", "name id category ruleset reference"},
		{keyword, "observer.", "name hostname type vendor product version ingress.interface.name ingress.interface.alias ingress.vlan.id"},
		{keyword, "host.", "name"},
		{keyword, "agent.", "type name id version"},
		{ip, "related.", "ip"},
		{keyword, "related.", "hosts hash"},
		{keyword, "trailhound.", "type severity kind protocol forwarded reference sources epoch outcome source.group destination.group tls.client.ja4"},
		{wildcard, "trailhound.", "trail observable"},
		{long, "trailhound.", "confidence vlans packet"},
		{keyword, "trailhound.aggregate.", "id"},
		{wildcard, "trailhound.aggregate.", "trails"},
		{boolean, "trailhound.aggregate.", "summary"},
		{long, "trailhound.aggregate.", "count src_ports dst_ports more_src_ports more_dst_ports more_dst_ips more_trails"},
		{ip, "trailhound.aggregate.", "dst_ips"},
		{date, "trailhound.retro.", "first last"},
		{ip, "trailhound.retro.", "hosts"},
		{keyword, "trailhound.suppress.", "rule"},
		{boolean, "trailhound.suppress.", "local"},
		{keyword, "trailhound.health.", "state cause"},
		{date, "trailhound.health.", "since"},
	}
	for _, end := range []string{"source.", "destination."} {
		list = append(list, mapping{ip, end, "ip"}, mapping{keyword, end, "address domain"}, mapping{long, end, "port"})
	}
	for _, indicator := range []string{"threat.indicator.", "threat.enrichments.indicator."} {
		list = append(list,
			mapping{keyword, indicator, "type name description provider reference confidence url.domain"},
			mapping{ip, indicator, "ip"}, mapping{long, indicator, "port url.port"},
			mapping{wildcard, indicator, "url.path"}, mapping{wildcardText, indicator, "url.original"})
	}
	return list
}

// open lists the objects whose members are not known beforehand, with what
// becomes of those: the operator's labels, the figures of health events.
func open() []openObject {
	return []openObject{
		{"labels", "string", map[string]any{"type": "keyword", "ignore_above": ignoreAbove}},
		// A count is exact up to 2^53, which is what a double holds.
		{"trailhound.health.measures", "*", map[string]any{"type": "double"}},
	}
}

type openObject struct {
	path  string
	match string // match_mapping_type
	field map[string]any
}

// types says which types the node has.
type types struct {
	wildcard, constant, matchOnly bool
	// later: constant_keyword takes its value from the first document. OpenSearch
	// wants it in the mapping.
	later bool
}

// allTypes is what a stock node of the last years has.
func allTypes(opensearch bool) types { return types{true, true, true, !opensearch} }

// field gives the mapping of one field.
func (t types) field(k kind) map[string]any {
	keyword := func(n int) map[string]any { return map[string]any{"type": "keyword", "ignore_above": n} }
	words := map[string]any{"type": "text"}
	if t.matchOnly {
		words["type"] = "match_only_text"
	}
	plain := func(name string) map[string]any { return map[string]any{"type": name} }
	switch k {
	case constant:
		if t.constant && t.later {
			return plain("constant_keyword")
		}
	case wildcard, wildcardText:
		f := keyword(ignoreAboveURL)
		if t.wildcard {
			f = plain("wildcard")
		}
		if k == wildcardText {
			f["fields"] = map[string]any{"text": words}
		}
		return f
	case keywordText:
		f := keyword(ignoreAbove)
		f["fields"] = map[string]any{"text": words}
		return f
	case text:
		return words
	case query:
		return keyword(ignoreAboveLong)
	case ip:
		return plain("ip")
	case long:
		return plain("long")
	case float:
		return plain("float")
	case boolean:
		return plain("boolean")
	case date:
		return plain("date")
	case timestamp:
		// A data stream takes no other @timestamp than one that is right.
		return map[string]any{"type": "date", "ignore_malformed": false}
	case nested:
		return plain("nested")
	}
	return keyword(ignoreAbove)
}

// properties gives the mapping of all fields as Elasticsearch wants it.
func (t types) properties() map[string]any {
	root := map[string]any{}
	for _, m := range mappings() {
		for _, name := range strings.Fields(m.names) {
			path := m.path + name
			put(root, path, t.field(m.kind))
		}
	}
	for _, o := range open() {
		put(root, o.path, map[string]any{"type": "object", "dynamic": true})
	}
	return root
}

// put puts a field at its place in the tree, next to what is there already.
func put(root map[string]any, path string, field map[string]any) {
	name, rest, deeper := strings.Cut(path, ".")
	child, _ := root[name].(map[string]any)
	if child == nil {
		child = map[string]any{}
		root[name] = child
	}
	if deeper {
		inner, _ := child["properties"].(map[string]any)
		if inner == nil {
			inner = map[string]any{}
			child["properties"] = inner
		}
		put(inner, rest, field)
		return
	}
	for k, v := range field {
		child[k] = v
	}
}

// dynamic gives the dynamic templates: the open objects, and for what a newer
// sensor may write, keywords as ECS has them by default.
func dynamic() []any {
	var list []any
	for _, o := range open() {
		list = append(list, map[string]any{strings.ReplaceAll(o.path, ".", "_"): map[string]any{
			"path_match": o.path + ".*", "match_mapping_type": o.match, "mapping": o.field}})
	}
	return append(list, map[string]any{"strings": map[string]any{
		"match_mapping_type": "string", "mapping": map[string]any{"type": "keyword", "ignore_above": ignoreAbove}}})
}

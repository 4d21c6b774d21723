package detect

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"

	"trailhound/agent/event"
	"trailhound/agent/heuristic"
	"trailhound/agent/protocol/attack"
	"trailhound/agent/protocol/dns"
	"trailhound/agent/protocol/http"
	"trailhound/agent/protocol/tls"
)

// question notes a question of DNS. Reply says that it stands in a response.
func (t *Trace) question(m *dns.Message, q *dns.Question, reply bool) {
	if t != nil {
		t.questionRead(m, q, reply)
	}
}

func (t *Trace) questionRead(m *dns.Message, q *dns.Question, reply bool) {
	what := "dns question"
	text := fmt.Sprintf("%s %s %s", t.clean(q.Name), typeText(q.Type), classText(q.Class))
	if m.Questions == 0 {
		text = "without a question"
	}
	if reply {
		what = "dns response"
		text += ": " + rcodeText(m.RCode())
	}
	t.add(Step{What: what, Text: text, Result: ResultRead})
}

// record notes a record of an answer.
func (t *Trace) record(m *dns.Message, r *dns.Record) {
	if t != nil {
		t.recordRead(m, r)
	}
}

func (t *Trace) recordRead(m *dns.Message, r *dns.Record) {
	text := t.clean(m.Owner(r)) + " " + typeText(r.Type)
	if a, ok := r.Addr(); ok {
		text += " " + a.String()
	} else if target := m.Target(r); len(target) > 0 {
		text += " " + t.clean(target)
	}
	t.add(Step{What: "dns answer", Text: text, Result: ResultRead})
}

// request notes a request of HTTP with the headers that are used.
func (t *Trace) request(r *http.Request) {
	if t != nil {
		t.requestRead(r)
	}
}

func (t *Trace) requestRead(r *http.Request) {
	t.step("http request", append(append(append([]byte(nil), r.Method...), ' '), r.Target...), ResultRead, "")
	switch {
	case r.HostCut:
		t.add(Step{What: "http host", Result: ResultRead, Why: "the segment ends within it"})
	case r.HasHost:
		t.step("http host", r.Host, ResultRead, "")
	default:
		t.add(Step{What: "http host", Result: ResultRead, Why: "there is none: the destination's address stands for it"})
	}
	for _, h := range [...]struct {
		what string
		text []byte
	}{{"http user agent", r.UserAgent}, {"http forwarded for", r.Forwarded}, {"http body", r.Body}} {
		if len(h.text) > 0 {
			t.step(h.what, h.text, ResultRead, "")
		}
	}
}

// response notes an answer of HTTP, with what is looked for in it.
func (t *Trace) response(r *http.Response, whole []byte) {
	if t != nil {
		t.responseRead(r, whole)
	}
}

func (t *Trace) responseRead(r *http.Response, whole []byte) {
	t.add(Step{What: "http response", Text: strconv.Itoa(int(r.Status)), Result: ResultRead})
	sinkhole, found := attack.Sinkhole(whole)
	t.search("sinkhole's response", sinkhole, found, "")
	if !found {
		title, seized := attack.Seized(whole)
		t.search("seized domain's page", title, seized, "")
	}
	if len(r.ContentType) > 0 {
		_, found := attack.ContentType(r.ContentType)
		t.search("http content type", r.ContentType, found, "browsers run it")
	}
}

// download notes what is looked for in the path of a request that is no attack.
func (t *Trace) download(w *Worker, path []byte) {
	if t != nil {
		t.downloadSearched(w, path)
	}
}

func (t *Trace) downloadSearched(w *Worker, path []byte) {
	f := attack.FileOf(path, true)
	ext, found := f.Download()
	t.search("direct download", path, found, ext)
	if found && w.local(w.p.Dst) {
		t.holdBack("the server is at home")
	}
	info, found := f.ScanFile()
	t.search("scanners' file", path, found, info)
}

// passed notes why a name is not looked up.
func (t *Trace) passed(name []byte) {
	switch {
	case t == nil:
	case bytes.IndexByte(name, '.') < 0:
		t.step("name", name, ResultMiss, "it has no dot: it is not looked up")
	default:
		t.whiteName(name)
	}
}

// expected notes why the absence of a name says nothing.
func (t *Trace) expected(w *Worker, name []byte) {
	if t != nil {
		t.absenceExpected(w, name)
	}
}

func (t *Trace) absenceExpected(w *Worker, name []byte) {
	why := "its trail, or one above it, is listed: servers of such names were taken down"
	switch {
	case !validName(name):
		why = "the name is of no form that a domain has"
	case homely(name):
		why = "networks make up such names for themselves"
	case numbered(name), blockList(name):
		why = "it asks for an address, as of a block list"
	case w.rules.whiteName(name):
		t.whiteName(name)
		why = "the name is whitelisted"
	}
	t.noted("no evidence", why)
}

// counted notes why a question, or its long label, counts for no heuristic.
func (t *Trace) counted(w *Worker, name []byte, c class, listed bool) {
	if t != nil && c&(classAsked|classLong) != classAsked|classLong {
		t.uncounted(w, name, c, listed)
	}
}

func (t *Trace) uncounted(w *Worker, name []byte, c class, listed bool) {
	o, label := &w.rules.opt, bytes.IndexByte(name, '.')
	long := label > w.rules.longHead()
	switch {
	case c&classAsked != 0 && !long, label < 0:
	case homely(name):
		t.noted("no evidence", "networks make up names of this zone for themselves, or it is for examples")
	case !validName(name) && !validName(heuristic.BaseDomain(name)):
		t.noted("no evidence", "the domain is of no form that a domain has")
	case c&classAsked == 0 && heuristic.DashedQuad(name):
		t.noted("no evidence", "the label is an address with dashes, as of a dial-up line")
	case w.rules.whiteName(heuristic.BaseDomain(name)):
		t.noted("no evidence", "the domain is whitelisted")
	case !long:
	case !o.Heuristics:
		t.noted("no evidence of dns.long", whySwitchedOff)
	case o.Disabled[event.DNSLong]:
		t.noted("no evidence of dns.long", whyDisabled)
	case listed:
		t.noted("no evidence of dns.long", "a trail matches the name")
	case bytes.IndexByte(name[:label], '-') >= 0:
		t.noted("no evidence of dns.long", "the label has a hyphen")
	}
}

// server notes the server name of a handshake.
func (t *Trace) server(app string, name []byte) {
	if t != nil {
		t.step(app+" server name", name, ResultRead, "")
	}
}

// certificate notes a certificate by its digests.
func (t *Trace) certificate(sha1, sha256 []byte) {
	if t != nil {
		t.certificateRead(sha1, sha256)
	}
}

func (t *Trace) certificateRead(sha1, sha256 []byte) {
	t.add(Step{What: "tls certificate", Text: "sha1 " + hex.EncodeToString(sha1) + ", sha256 " + hex.EncodeToString(sha256), Result: ResultRead})
}

// hello notes what of a ClientHello its JA3 is the digest of.
func (t *Trace) hello(text []byte) {
	if t != nil {
		t.step("tls client", text, ResultRead, "")
	}
}

// unprinted notes why a ClientHello has no fingerprint of a kind.
func (t *Trace) unprinted(kind string, h *tls.Hello) {
	if t != nil {
		t.fingerprintless(kind, h)
	}
}

func (t *Trace) fingerprintless(kind string, h *tls.Hello) {
	why := "the lists of the ClientHello are not sound, or too long"
	if !h.Complete {
		why = "the ClientHello is not in this packet as a whole"
	}
	t.noted(kind, why+": it has no fingerprint")
}

// typeText is the mnemonic of a record type.
func typeText(n uint16) string {
	names := [...]struct {
		n    uint16
		name string
	}{{1, "A"}, {2, "NS"}, {5, "CNAME"}, {6, "SOA"}, {12, "PTR"}, {15, "MX"}, {16, "TXT"}, {28, "AAAA"}, {33, "SRV"}, {39, "DNAME"}, {64, "SVCB"}, {65, "HTTPS"}, {255, "ANY"}}
	for _, t := range names {
		if t.n == n {
			return t.name
		}
	}
	return "TYPE" + strconv.Itoa(int(n)) // RFC 3597 5
}

func classText(n uint16) string {
	if n == 1 {
		return "IN"
	}
	return "CLASS" + strconv.Itoa(int(n)) // RFC 3597 5
}

func rcodeText(n uint8) string {
	names := [...]string{"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"}
	if int(n) < len(names) {
		return names[n]
	}
	return "RCODE" + strconv.Itoa(int(n))
}

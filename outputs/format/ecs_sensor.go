package format

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"trailhound/agent/event"
	"trailhound/trails"
)

func (d *document) rule(e *event.Event) {
	m := d.object("rule")
	d.string("name", e.Info)
	d.string("id", string(e.Code))
	d.string("category", e.Code.Category())
	d.string("ruleset", bare(e.Reference))
	d.string("reference", publication(e.Sources))
	d.close(m)
}

// observer begins the object of that name; ingress goes on with it.
func (d *document) observer(id *event.Identity) {
	d.object("observer")
	d.string("name", id.Name)
	d.string("hostname", id.Hostname)
	d.raw(`"type":"sensor","vendor":"` + Vendor + `","product":"` + Product + `"`)
	d.string("version", id.Version)
}

// ingress says where the packet came in.
func (d *document) ingress(e *event.Event) {
	if e.Interface != "" || e.Alias != "" || len(e.VLANs) > 0 {
		in := d.object("ingress")
		i := d.object("interface")
		d.string("name", e.Interface)
		d.string("alias", e.Alias)
		d.close(i)
		d.vlan(e)
		d.close(in)
	}
}

func (d *document) sensor(id *event.Identity) {
	m := d.object("host")
	d.string("name", id.Hostname)
	d.close(m)

	m = d.object("agent")
	d.raw(`"type":"trailhound"`)
	d.string("name", id.Name)
	d.string("id", id.ID)
	d.string("version", id.Version)
	d.close(m)
}

func (d *document) dataStream(dataset, namespace string) {
	if namespace == "" {
		namespace = "default"
	}
	m := d.object("data_stream")
	d.raw(`"type":"logs"`)
	d.string("dataset", dataset)
	d.string("namespace", namespace)
	d.close(m)
}

// related gathers every address, name and digest, so that one search finds
// whatever has to do with a host.
func (d *document) related(e *event.Event, server string) {
	m := d.object("related")
	list := d.array("ip")
	indicator, _ := indicatorAddr(e)
	ends := [...]*text{&d.src, &d.dst}
	fixed := [...]netip.Addr{e.Src, e.Dst, parseAddr(e.Forwarded), indicator}
	for i, a := range fixed {
		switch {
		case !a.IsValid() || slices.Contains(fixed[:i], a):
		case i < len(ends):
			d.raw(`"`)
			d.ip(a, ends[i])
			d.b = append(d.b, '"')
		default:
			d.addrElement(a)
		}
	}
	for _, a := range e.Aggregate.Dsts {
		if !slices.Contains(fixed[:], a) {
			d.addrElement(a)
		}
	}
	for i, a := range e.Retro.Hosts {
		if !slices.Contains(fixed[:], a) && !slices.Contains(e.Aggregate.Dsts, a) && !slices.Contains(e.Retro.Hosts[:i], a) {
			d.addrElement(a)
		}
	}
	for _, a := range d.addresses[:d.resolved] {
		if !slices.Contains(fixed[:], a) && !slices.Contains(e.Aggregate.Dsts, a) && !slices.Contains(e.Retro.Hosts, a) {
			d.addrElement(a)
		}
	}
	d.close(list)
	list = d.array("hosts")
	if e.DNS.Question != "" {
		d.element(e.DNS.Question)
	}
	if server != "" && server != e.DNS.Question {
		d.element(server)
	}
	if name := loneName(e); name != "" {
		d.element(name)
	}
	for i, name := range e.DNS.Answers {
		if name != "" && name != e.DNS.Question && name != server && !slices.Contains(e.DNS.Answers[:i], name) && !parseAddr(name).IsValid() {
			d.element(name)
		}
	}
	d.close(list)
	list = d.array("hash")
	d.upperElement(e.TLS.SHA1)
	d.upperElement(e.TLS.SHA256)
	if hash := ja3(e); hash != "" {
		d.element(hash)
	}
	d.close(list)
	d.close(m)
}

// labels writes the operator's labels in the order of their names. ECS wants
// them flat, so a dot becomes an underscore; a name that is taken by then is
// left out, for a duplicate key makes the whole document malformed.
func (d *document) labels(labels map[string]string) {
	if len(labels) == 0 {
		return
	}
	type label struct{ name, key, value string }
	var few [8]label
	list := few[:0]
	for key, value := range labels {
		l := label{key, key, value}
		if !utf8.ValidString(key) {
			l.name = strings.ToValidUTF8(key, "\uFFFD")
		}
		// Into its place: by the name, and among those of one name by the key.
		i := len(list)
		list = append(list, l)
		for ; i > 0; i-- {
			if c := compareFlat(list[i-1].name, l.name); c < 0 || c == 0 && list[i-1].key <= l.key {
				break
			}
			list[i] = list[i-1]
		}
		list[i] = l
	}
	m := d.object("labels")
	for i, l := range list {
		if i > 0 && compareFlat(l.name, list[i-1].name) == 0 {
			continue
		}
		d.comma()
		at := len(d.b)
		d.b = appendQuoted(d.b, l.name)
		for i, c := range d.b[at:] {
			d.b[at+i] = flat(c)
		}
		d.b = append(d.b, ':')
		d.b = appendQuoted(d.b, l.value)
	}
	d.close(m)
}

// compareFlat compares the names of labels as they are written.
func compareFlat(a, b string) int {
	for i := range min(len(a), len(b)) {
		if x, y := flat(a[i]), flat(b[i]); x != y {
			return int(x) - int(y)
		}
	}
	return len(a) - len(b)
}

func flat(c byte) byte {
	if c == '.' {
		return '_'
	}
	return c
}

// own writes what ECS has no field for.
func (d *document) own(e *event.Event) {
	m := d.object("trailhound")
	d.string("type", string(e.Type))
	d.word("severity", e.Severity.String())
	d.key("confidence")
	d.b = strconv.AppendUint(d.b, uint64(e.Confidence), 10)
	d.string("trail", canonical(e, e.Trail))
	d.string("observable", canonical(e, e.Observable))
	d.string("reference", e.Reference)
	if e.Kind != trails.Invalid {
		d.word("kind", e.Kind.String())
	}
	d.string("protocol", e.Protocol)
	d.string("forwarded", e.Forwarded)
	d.word("outcome", e.Outcome.String())
	d.group("source", e.SrcGroup)
	d.group("destination", e.DstGroup)
	d.fingerprint(e)
	d.retro(&e.Retro)
	list := d.array("sources")
	for i := range e.Sources {
		if name := e.Sources[i].Name; name != "" {
			d.element(name)
		}
	}
	d.close(list)
	if len(e.VLANs) > 1 {
		d.ports("vlans", e.VLANs)
	}
	d.number("packet", e.Number)
	if e.Epoch != 0 {
		d.key("epoch")
		d.b = append(appendEpoch(append(d.b, '"'), e.Epoch), '"')
	}
	if e.Aggregate.ID != ([16]byte{}) {
		d.aggregate(e)
	}
	if s := &e.Suppression; s.Rule != "" {
		d.suppress(s)
	}
	d.health(&e.Health)
	d.close(m)
}

// group writes which of the operator's home networks an end is in.
func (d *document) group(end, name string) {
	if name != "" {
		m := d.object(end)
		d.string("group", name)
		d.close(m)
	}
}

func (d *document) fingerprint(e *event.Event) {
	if text := ja4(e); text != "" {
		m := d.object("tls")
		c := d.object("client")
		d.string("ja4", text)
		d.close(c)
		d.close(m)
	}
}

func (d *document) retro(r *event.Retro) {
	if r.First.IsZero() && r.Last.IsZero() && len(r.Hosts) == 0 {
		return
	}
	m := d.object("retro")
	d.time("first", r.First)
	d.time("last", r.Last)
	d.addrs("hosts", r.Hosts)
	d.close(m)
}

func (d *document) aggregate(e *event.Event) {
	agg := &e.Aggregate
	m := d.object("aggregate")
	d.key("id")
	d.b = append(event.AppendID(append(d.b, '"'), agg.ID), '"')
	d.key("summary")
	d.b = strconv.AppendBool(d.b, agg.Summary)
	d.key("count")
	d.b = strconv.AppendUint(d.b, e.Detections(), 10)
	d.ports("src_ports", agg.SrcPorts)
	d.ports("dst_ports", agg.DstPorts)
	d.addrs("dst_ips", agg.Dsts)
	d.number("more_src_ports", uint64(agg.MoreSrcPorts))
	d.number("more_dst_ports", uint64(agg.MoreDstPorts))
	d.number("more_dst_ips", uint64(agg.MoreDsts))
	list := d.array("trails")
	for _, t := range agg.Trails {
		d.element(trails.Canonical(t))
	}
	d.close(list)
	d.number("more_trails", uint64(agg.MoreTrails))
	d.close(m)
}

func (d *document) suppress(s *event.Suppression) {
	m := d.object("suppress")
	d.string("rule", s.Rule)
	d.key("local")
	d.b = strconv.AppendBool(d.b, s.Local)
	d.close(m)
}

func (d *document) ports(name string, list []uint16) {
	m := d.array(name)
	for _, p := range list {
		d.comma()
		d.b = strconv.AppendUint(d.b, uint64(p), 10)
	}
	d.close(m)
}

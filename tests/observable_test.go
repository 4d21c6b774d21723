package tests

import (
	"bufio"
	"encoding/json"
	"net/netip"
	"os"
	"strings"
	"testing"

	"trailhound/agent/event"
	"trailhound/trails"
	"trailhound/trails/table"
)

// observable is a line of observables.jsonl: what an independent dissector saw
// in a capture.
type observable struct {
	Capture   string
	Frame     *int
	Kind      string
	Value     string
	Transport string
	Tunnelled bool
	Segments  int
	Fragments int
}

func observables(t *testing.T, path string) map[string][]observable {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string][]observable{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var o observable
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			t.Fatal(err)
		}
		all[o.Capture] = append(all[o.Capture], o)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// goal is what a kind of observable must reach.
type goal struct {
	name  string
	kind  string
	over  string // transport; "": any
	least float64
}

// goals are those of the issue; kinds without one are found as they come.
var goals = []goal{
	{"DNS over UDP", "dns_query", "udp", 0.99},
	{"DNS over TCP", "dns_query", "tcp", 0.95},
	{"HTTP hosts", "http_host", "", 0.97},
	{"TLS names", "tls_sni", "", 0.97},
	{"QUIC names", "quic_sni", "", 0.85},
	{"SYN destinations", "syn_dst", "", 0.99},
	{"mDNS names", "mdns_query", "", 0},
	{"LLMNR names", "llmnr_query", "", 0},
}

func (o *observable) goal() int {
	for i, g := range goals {
		if g.kind == o.Kind && (g.over == "" || g.over == o.Transport) {
			return i
		}
	}
	return -1
}

// leftOut says why an observable is none that single-packet matching can be
// asked for: what is tunnelled or comes in pieces, and what no rule of the
// reference takes for a name (D 10.1: a dot, and letters, digits, '-', '_').
func (o *observable) leftOut() string {
	switch {
	case o.Tunnelled:
		return "tunnelled"
	case o.Segments > 0:
		return "in several segments"
	case o.Fragments > 0:
		return "in several fragments"
	}
	name, isAddress := o.name()
	if o.Kind == "syn_dst" || isAddress {
		return ""
	}
	if !strings.Contains(name, ".") {
		return "no name: a single label or empty"
	}
	if listable(name) == "" {
		return "no name: no part of it can be a trail"
	}
	return ""
}

// listable gives the longest end of a name that can be a trail. Tunnels put
// bytes in front of their domain that no name of a host has.
func listable(name string) string {
	for strings.Contains(name, ".") {
		if kind, _, err := trails.AppendKey(nil, []byte(name)); err == nil && kind == trails.Domain {
			return name
		}
		_, name, _ = strings.Cut(name, ".")
	}
	return ""
}

// name is the value as events show it: lower case, without port and last dot.
func (o *observable) name() (name string, isAddress bool) {
	name = strings.ToLower(strings.TrimSpace(o.Value))
	if o.Kind == "http_host" {
		if i := strings.LastIndexByte(name, ':'); i >= 0 && !strings.HasSuffix(name, "]") {
			name = name[:i]
		}
	}
	name = strings.TrimSuffix(name, ".")
	_, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return name, err == nil
}

// trail adds the trail that stands for the observable: the name, the address;
// for a Host header that is an address, that address with every path.
func (o *observable) trail(b *table.Builder) {
	name, isAddress := o.name()
	if o.Kind == "http_host" && isAddress {
		name = "http://" + name + "/"
	}
	if !isAddress {
		name = listable(name)
	}
	kind, key, err := trails.AppendKey(nil, []byte(name))
	if err == nil {
		b.Add(kind, key, b.Provenance(trails.Provenance{Info: "recall (test)", Reference: trails.ReferenceStatic}))
	}
}

// in says whether an event is the observable: by the same protocol, not merely
// the same text.
func (o *observable) in(events []event.Event) bool {
	name, isAddress := o.name()
	for i := range events {
		e := &events[i]
		same := e.Type == event.DNS && e.Observable == name
		switch o.Kind {
		case "dns_query", "mdns_query", "llmnr_query":
			same = same && e.Application == "dns" && strings.EqualFold(e.Protocol, o.Transport)
		case "http_host":
			if isAddress {
				same = e.Type == event.URL && (strings.HasPrefix(e.Observable, name+"/") || strings.HasPrefix(e.Observable, name+":"))
			}
			same = same && e.Application == "http"
		case "tls_sni":
			same = same && e.Application == "tls"
		case "quic_sni":
			same = same && e.Application == "quic"
		case "syn_dst":
			a, err := netip.ParseAddr(o.Value)
			same = err == nil && e.Type == event.IP && e.Protocol == "TCP" && e.Dst == a
		}
		if same {
			return true
		}
	}
	return false
}

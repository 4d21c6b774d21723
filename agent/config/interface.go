package config

import (
	"path"
	"strings"
	"time"
)

// Interface is one entry of capture.interfaces: a name or glob alone, or a map.
type Interface struct {
	Name     string `key:"name" take:"reload" required:"yes" doc:"name of the interface, a glob such as eth*, or any"`
	Alias    string `key:"alias" default:"" take:"reload" check:"name" doc:"what events call it"`
	Group    string `key:"group" default:"" take:"restart" check:"name" doc:"interfaces of one group share workers, so that both sides of a tap are seen together; empty: a group of its own"`
	Optional bool   `key:"optional" default:"false" take:"reload" doc:"start without it when it is not there"`
	Outgoing *bool  `key:"outgoing" default:"auto" take:"reload" doc:"see what this host sends, too; auto: yes, except on loopback, where everything passes twice"`
}

// Any is the interface name that stands for every interface.
const Any = "any"

// Glob says whether the name is a pattern.
func (i Interface) Glob() bool { return strings.ContainsAny(i.Name, "*?[") }

// maxIfName is IFNAMSIZ of linux/if.h without the terminating NUL.
const maxIfName = 15

func (i *Interface) fromNode(d *decoder, at string, n *node, _ field) {
	switch n.kind {
	case scalar:
		n = &node{kind: mapping, at: n.at, keys: []key{{"name", n.at}}, items: []*node{n}}
	case list:
		d.errs.add(n.at, at, "want a name or a map with a name, got a list", "")
		return
	}
	d.structure(at, n, valueOf(i))
	if name := n.get("name"); name != nil && name.kind == scalar && !name.null && !name.bad {
		if problem := ifNameProblem(i.Name, i.Glob()); problem != "" {
			d.errs.add(name.at, at, name.shown()+" "+problem, "")
		}
	}
}

// ifNameProblem follows dev_valid_name of the kernel's net/core/dev.c.
func ifNameProblem(name string, glob bool) string {
	switch {
	case name == "" || name == "." || name == "..":
		return "is not an interface name"
	case strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == '/' || r == ':' || r == 0x7F }):
		return "is not an interface name: it holds a space, slash, colon or control character"
	case glob:
		if _, err := path.Match(name, ""); err != nil || len(name) > 64 {
			return "is not a glob"
		}
	case len(name) > maxIfName:
		return "is not an interface name: the kernel allows 15 bytes"
	}
	return ""
}

// Silence says after how long without a frame an interface counts as silent.
type Silence struct {
	Default time.Duration            // 0: off
	By      map[string]time.Duration // by interface name; 0: off
}

// For gives the time for an interface; 0: never.
func (s Silence) For(name string) time.Duration {
	if d, ok := s.By[name]; ok {
		return d
	}
	return s.Default
}

// builtinSilence holds where a map leaves out "default".
const builtinSilence = 5 * time.Minute

func (s *Silence) fromNode(d *decoder, at string, n *node, _ field) {
	*s = Silence{Default: builtinSilence}
	switch n.kind {
	case scalar:
		s.Default = silenceTime(d, at, n)
	case list:
		d.errs.add(n.at, at, "want a duration, off, or a map of them by interface, got a list", "")
	case mapping:
		for i, k := range n.keys {
			item, at := n.items[i], join(at, k.text)
			if item.null || item.bad {
				continue
			}
			d.origin[at] = item.at
			if item.template != "" {
				d.masked[at] = item.template
			}
			if k.text == "default" {
				s.Default = silenceTime(d, at, item)
				continue
			}
			if problem := ifNameProblem(k.text, false); problem != "" {
				d.errs.add(k.at, at, "the key "+problem, "")
			}
			if s.By == nil {
				s.By = map[string]time.Duration{}
			}
			s.By[k.text] = silenceTime(d, at, item)
		}
	}
}

func silenceTime(d *decoder, at string, n *node) time.Duration {
	if n.kind == scalar && n.text == "off" {
		return 0
	}
	t, hint, err := time.Duration(0), "", error(nil)
	if n.kind == scalar {
		t, hint, err = parseDuration(n.text)
	}
	if n.kind != scalar || err != nil {
		if n.template != "" {
			hint = ""
		}
		d.errs.add(n.at, at, n.shown()+" is not off or a duration such as 5m", hint)
		return 0
	}
	if t != 0 && t < time.Second {
		d.errs.add(n.at, at, n.shown()+" is out of range: want at least 1s, or off", "")
	}
	return t
}

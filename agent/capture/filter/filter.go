// Package filter compiles the pcap filter language (pcap-filter(7)) to classic
// BPF programs for packet sockets.
//
// The language that sensors need is compiled here. What lies outside of it is
// handed to tcpdump, if there is one, and what comes back is checked like any
// other input. One word is never handed over: vlan. On a live socket the
// kernel has taken the outer tag out of the frame, which a compiler that looks
// at bytes only cannot know.
//
// An expression without vlan sees each frame as the socket delivers it, as with
// tcpdump on a live interface: a tag that the kernel has taken out is not
// there, one that is still in the frame hides what is behind it.
package filter

import (
	"fmt"
	"math"
	"strings"
	"time"

	"golang.org/x/net/bpf"

	"trailhound/agent/packet"
)

const (
	// MaxExpression is the length of the longest expression, in bytes.
	MaxExpression = 64 << 10
	// MaxInstructions is the length of the longest program: BPF_MAXINSNS of
	// linux/bpf_common.h.
	MaxInstructions = 4096
)

// Options say what New may use.
type Options struct {
	// Tcpdump is the path of tcpdump, for expressions outside our own language;
	// "": look for it in PATH, /usr/sbin, /usr/bin and /sbin; "-": never.
	Tcpdump string
	// Timeout is how long tcpdump may take for one link type; 0: five seconds.
	Timeout time.Duration
}

// A Filter is a compiled expression. It does not change: any number of
// goroutines may use it.
type Filter struct {
	expression string
	// tree is the expression in our own language; nil: accept everything, or
	// tcpdump's.
	tree *expr
	// foreign holds tcpdump's programs by link type; nil: our own language.
	foreign map[packet.LinkType]foreignProgram
}

// foreignProgram is what tcpdump made of an expression for one link type.
type foreignProgram struct {
	code []bpf.RawInstruction
	err  error // why there is no code
}

// links are the link types that there are programs for.
var links = [...]packet.LinkType{packet.LinkEthernet, packet.LinkRaw}

// New compiles an expression; "" accepts all frames. It fails with an *Error if
// the expression is wrong, if it makes sense for no link type, or if it needs a
// tcpdump that is not there. Host names are never resolved: they are errors.
//
// Words of the link layer (ether, arp, vlan) are true of no frame without a link
// header, so our own language makes sense for every link type.
func New(expression string, opt Options) (*Filter, error) {
	f := &Filter{expression: expression}
	if len(expression) > MaxExpression {
		return nil, &Error{Expression: expression, Problem: fmt.Sprintf("%d bytes are more than %d", len(expression), MaxExpression)}
	}
	if strings.Trim(expression, blanks) == "" {
		return f, nil
	}
	list, err := tokens(expression)
	if err != nil {
		return nil, err
	}
	tree, wrong, out := parse(expression, list)
	switch {
	case wrong != nil:
		return nil, wrong
	case out != nil:
		if f.foreign, err = compileForeign(expression, list, *out, opt); err != nil {
			return nil, err
		}
		return f, nil
	}
	f.tree = tree
	for _, link := range links {
		if _, err := f.Program(link, 0); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// Program gives the program for frames of a link type, packet.LinkEthernet or
// packet.LinkRaw. It accepts the first snaplen bytes of a frame; 0: all.
//
// It fails with an *Error if the expression makes no sense for the link type,
// which only one that tcpdump compiled may do.
func (f *Filter) Program(link packet.LinkType, snaplen uint32) ([]bpf.RawInstruction, error) {
	if link != packet.LinkEthernet && link != packet.LinkRaw {
		return nil, fmt.Errorf("capture filter %s: there are no programs for link type %d", shorten(f.expression), link)
	}
	if f.foreign != nil {
		p := f.foreign[link]
		return accepting(p.code, snaplen), p.err
	}
	g := newGraph()
	return f.assemble(g, g.frames(f.tree, link), snaplen)
}

// AnyProgram gives the program for a socket that is bound to no interface: the
// one for packet.LinkEthernet for frames of Ethernet and loopback devices, else
// the one for packet.LinkRaw. The kernel tells them apart by the device's
// hardware type (SKF_AD_HATYPE).
func (f *Filter) AnyProgram(snaplen uint32) ([]bpf.RawInstruction, error) {
	if f.tree == nil && f.foreign == nil {
		return f.Program(packet.LinkEthernet, snaplen)
	}
	if f.foreign != nil {
		ethernet, err := f.Program(packet.LinkEthernet, snaplen)
		if err != nil {
			return nil, err
		}
		raw, err := f.Program(packet.LinkRaw, snaplen)
		if err != nil {
			return nil, err
		}
		if n := 4 + len(ethernet) + len(raw); n > MaxInstructions {
			return nil, f.tooLong()
		}
		return byHardware(ethernet, raw), nil
	}
	g := newGraph()
	root := g.frames(f.tree, packet.LinkRaw)
	ethernet := g.frames(f.tree, packet.LinkEthernet)
	for _, hardware := range etherHardware {
		root = g.add(test{load: load{from: ancillary, offset: adHatype, size: 4}, op: equal, value: hardware}, ethernet, root)
	}
	return f.assemble(g, root, snaplen)
}

// assemble makes the graph from root on a program.
func (f *Filter) assemble(g *graph, root int, snaplen uint32) ([]bpf.RawInstruction, error) {
	if snaplen == 0 {
		snaplen = math.MaxUint32
	}
	code, ok := g.assemble(root, snaplen)
	if !ok {
		return nil, f.tooLong()
	}
	// The kernel would refuse a wrong program; a wrong one that the kernel takes
	// is what this is for.
	if err := Check(code); err != nil {
		return nil, &Error{Expression: f.expression, Problem: err.Error()}
	}
	return code, nil
}

func (f *Filter) tooLong() error {
	return &Error{Expression: f.expression, Problem: fmt.Sprintf("it needs more than %d instructions, which is what the kernel takes", MaxInstructions)}
}

// Compiler says who compiled the expression: "built-in" or "tcpdump".
func (f *Filter) Compiler() string {
	if f.foreign != nil {
		return "tcpdump"
	}
	return "built-in"
}

// String gives the expression.
func (f *Filter) String() string { return f.expression }

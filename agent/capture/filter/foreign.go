package filter

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/bpf"

	"trailhound/agent/packet"
)

// tcpdumpTime is how long tcpdump may take for one link type.
const tcpdumpTime = 5 * time.Second

// dataLinks are tcpdump's names of the link types.
var dataLinks = map[packet.LinkType]string{packet.LinkEthernet: "EN10MB", packet.LinkRaw: "RAW"}

// compileForeign has tcpdump compile what our own language does not know. It
// fails if that works for no link type.
func compileForeign(expression string, list []token, out outside, opt Options) (map[packet.LinkType]foreignProgram, error) {
	fail := func(at token, format string, args ...any) error {
		return &Error{expression, at.column, fmt.Sprintf(format, args...)}
	}
	for _, t := range list {
		if t.is("vlan") {
			return nil, fail(out.at, "%s, and an expression with vlan is not handed to tcpdump, which looks for tags where the kernel has taken them out", out.what)
		}
	}
	if err := checkNames(expression, list); err != nil {
		return nil, err
	}
	path, err := findTcpdump(opt.Tcpdump)
	if err != nil {
		return nil, fail(out.at, "%s; it is outside of the built-in language, and %v", out.what, err)
	}
	timeout := opt.Timeout
	if timeout <= 0 {
		timeout = tcpdumpTime
	}
	programs := map[packet.LinkType]foreignProgram{}
	var firstErr error
	compiled := false
	for _, link := range links {
		p := foreignProgram{}
		text, err := runTcpdump(path, dataLinks[link], expression, timeout)
		if err == nil {
			p.code, err = parseProgram(text)
		}
		if err != nil {
			p.err = fail(out.at, "%s; it is outside of the built-in language, and for %s frames %v", out.what, dataLinks[link], err)
			if firstErr == nil {
				firstErr = p.err
			}
		}
		compiled = compiled || err == nil
		programs[link] = p
	}
	if !compiled {
		return nil, firstErr
	}
	return programs, nil
}

// checkNames refuses names that tcpdump would ask the resolver for, which is
// what it does with all that stand behind no word that takes other names. What
// is in parentheses does not change what is behind them.
func checkNames(expression string, list []token) error {
	const (
		none    = iota // no word that takes names
		address        // one that takes hosts and networks
		other
	)
	now := none
	var outer []int
	for _, t := range list {
		switch {
		case t.is("("):
			outer = append(outer, now)
		case t.is(")") && len(outer) > 0:
			now, outer = outer[len(outer)-1], outer[:len(outer)-1]
		case t.isOneOf("port", "portrange", "proto", "protochain", "type", "subtype", "dir", "direction", "llc",
			"on", "ifname", "rset", "ruleset", "reason", "action", "batadv"):
			now = other
		case t.isOneOf("host", "net", "gateway", "src", "dst"):
			now = address
		case t.isOneOf("and", "or", "not"):
		case t.kind == keyword:
			now = none
		case t.kind == name && now == none:
			return &Error{expression, t.column, strconv.Quote(t.text) + " is no word of the filter language"}
		case t.kind == name && now == address:
			return &Error{expression, t.column, strconv.Quote(t.text) + notResolved}
		}
	}
	return nil
}

// notResolved is what is wrong with the name of a host.
const notResolved = " is a name; names are not resolved, give the address"

// parseProgram reads what tcpdump -ddd prints: the number of instructions, and
// each instruction as four numbers. The program is checked: tcpdump may be
// anything that lies in the path.
func parseProgram(text string) ([]bpf.RawInstruction, error) {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	n, err := strconv.Atoi(lines[0])
	if err != nil || n != len(lines)-1 {
		return nil, errors.New("tcpdump's answer is no program")
	}
	code := make([]bpf.RawInstruction, 0, n)
	for _, line := range lines[1:] {
		var v [4]uint64
		fields := strings.Fields(line)
		if len(fields) != len(v) {
			return nil, errors.New("tcpdump's answer is no program")
		}
		for i, bits := range [...]int{16, 8, 8, 32} {
			if v[i], err = strconv.ParseUint(fields[i], 10, bits); err != nil {
				return nil, errors.New("tcpdump's answer is no program")
			}
		}
		code = append(code, bpf.RawInstruction{Op: uint16(v[0]), Jt: uint8(v[1]), Jf: uint8(v[2]), K: uint32(v[3])})
	}
	if err := Check(code); err != nil {
		return nil, fmt.Errorf("tcpdump's program is not fit for use: %w", err)
	}
	return code, nil
}

// accepting gives a copy of a program that accepts snaplen bytes; 0: all.
func accepting(code []bpf.RawInstruction, snaplen uint32) []bpf.RawInstruction {
	if snaplen == 0 {
		snaplen = ^uint32(0)
	}
	code = append([]bpf.RawInstruction(nil), code...)
	for i := range code {
		if code[i].Op == returnConstant && code[i].K != 0 {
			code[i].K = snaplen
		}
	}
	return code
}

// byHardware puts two programs behind a choice by the device's hardware type.
func byHardware(ethernet, raw []bpf.RawInstruction) []bpf.RawInstruction {
	code := []bpf.RawInstruction{
		{Op: classLoad | sizeWord | modeAbsolute, K: adOffset + adHatype},
		{Op: jumpEqual, K: etherHardware[0], Jt: 2},
		{Op: jumpEqual, K: etherHardware[1], Jt: 1},
		{Op: jumpAlways, K: uint32(len(ethernet))},
	}
	return append(append(code, ethernet...), raw...)
}

package main

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/bpf"

	"trailhound/agent/capture/filter"
	"trailhound/agent/config"
	"trailhound/agent/packet"
)

// filterFacts is what became of capture.filter.
type filterFacts struct {
	compiler     string
	instructions int
	program      string // in the kernel's words, if asked for
	optmem       int    // net.core.optmem_max; 0: unknown
	err          error
}

func readFilter(c *config.Config, verbose bool) (f filterFacts) {
	compiled, err := filter.New(c.Capture.Filter, filter.Options{})
	if err != nil {
		return filterFacts{err: err}
	}
	var code []bpf.RawInstruction
	if slices.ContainsFunc(c.Capture.Interfaces, func(i config.Interface) bool { return i.Name == config.Any }) {
		code, err = compiled.AnyProgram(uint32(c.Capture.Snaplen))
	} else {
		code, err = compiled.Program(packet.LinkEthernet, uint32(c.Capture.Snaplen))
	}
	f = filterFacts{compiler: compiled.Compiler(), instructions: len(code), optmem: readKernel().optmem, err: err}
	if verbose && err == nil {
		f.program = listing(code)
	}
	return f
}

// listing writes a program the way `tcpdump -d` counts it, on one line.
func listing(code []bpf.RawInstruction) string {
	lines := make([]string, len(code))
	for i, c := range code {
		lines[i] = fmt.Sprintf("(%03d) %v", i, c.Disassemble())
	}
	return strings.Join(lines, "; ")
}

// checkFilter judges the filter. The kernel charges a program to the socket's
// option memory: sock_filter is 8 bytes, struct bpf_prog less than 128
// (__sk_attach_prog in net/core/filter.c).
func checkFilter(c *config.Config, facts filterFacts) finding {
	f := finding{Check: "capture filter", Status: statusOK}
	switch need := facts.instructions*8 + 128; {
	case facts.err != nil:
		f.Status, f.Detail = statusFail, facts.err.Error()
		f.Action = "correct capture.filter; for an expression outside the built-in language install tcpdump"
		return f
	case facts.optmem > 0 && need > facts.optmem:
		f.Status = statusFail
		f.Action = fmt.Sprintf("sysctl -w net.core.optmem_max=%d", max(need, 20480))
		f.Detail = fmt.Sprintf("%q takes %d bytes and the kernel allows %d (net.core.optmem_max)", c.Capture.Filter, need, facts.optmem)
	case strings.TrimSpace(c.Capture.Filter) == "":
		f.Detail = "none: every frame is looked at"
	default:
		f.Detail = fmt.Sprintf("%q: %s, compiler %s", c.Capture.Filter, count(uint64(facts.instructions), "instruction"), facts.compiler)
	}
	if facts.program != "" {
		f.Detail += ": " + facts.program
	}
	return f
}

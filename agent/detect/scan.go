package detect

import (
	"trailhound/agent/heuristic"
	"trailhound/agent/packet"
)

// probeTCP gives evidence of a SYN, and of the probes that no stack sends: no
// flag at all, FIN alone, and FIN, PSH and URG (D 7.1, 7.2).
func (w *Worker) probeTCP(p *packet.Packet) {
	var f heuristic.Flags
	switch p.Flags {
	case 0, packet.FlagFIN, packet.FlagFIN | packet.FlagPSH | packet.FlagURG:
		f = heuristic.Stealth
	default:
		if !isSyn(p.Flags) {
			return
		}
	}
	if !w.rules.opt.Heuristics {
		w.rules.trace.noted("no evidence of scans", whySwitchedOff)
		return
	}
	if w.Evidence != nil && !localhost(p.Dst) {
		w.Evidence.Probe(heuristic.ProbeTCP, f, p)
	}
}

// probeUDP gives evidence of a datagram that is not to or from DNS's port (D 9).
func (w *Worker) probeUDP(p *packet.Packet) {
	if !w.rules.opt.Heuristics {
		w.rules.trace.noted("no evidence of scans", whySwitchedOff)
		return
	}
	if w.Evidence != nil && p.SrcPort != 53 && p.DstPort != 53 && !localhost(p.Dst) {
		w.Evidence.Probe(heuristic.ProbeUDP, 0, p)
	}
}

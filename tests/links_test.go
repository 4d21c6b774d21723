package tests

import (
	"fmt"
	"testing"
	"time"

	"trailhound/agent/packet"
	. "trailhound/tests/corpus"
)

// TestWorkersAgreeOnLinks: a flow whose packets come in frames of several kinds, as
// where one file holds several interfaces, is one worker's all the same: it raises
// one event in a second.
func TestWorkersAgreeOnLinks(t *testing.T) {
	s := sequenceRules(t)
	seq := sequence{}
	const hosts = 24
	for host := range hosts {
		p := IP(fmt.Sprintf("10.0.1.%d", host), "66.66.66.66", UDP(40000, 4444, "not DNS, but longer than its header"))
		plain := p.Ethernet()
		for i, f := range []Frame{plain, {Link: uint16(packet.LinkTokenRing), Data: plain.Data}, p.MPLS(5).Ethernet(), p.VLAN(3).VLAN(2).QinQ(1).Ethernet()} {
			seq.frames = append(seq.frames, Stamped{Time: Start.Add(time.Duration(host)*time.Second + time.Duration(i)*time.Millisecond), Frame: f})
		}
	}
	files := seq.files(t)
	for _, workers := range []int{1, 2, 4, 8} {
		s.workers = workers
		if events, _ := counted(t, s, files); len(events) != hosts {
			t.Errorf("%d workers: %d events of %d flows", workers, len(events), hosts)
		}
	}
}

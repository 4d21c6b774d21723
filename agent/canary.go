package agent

import (
	"encoding/binary"
	"sync"
	"time"

	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/packet"
	"trailhound/trails"
	"trailhound/trails/table"
)

// CanaryName is the name that a canary asks for. It cannot exist (RFC 6761 6.4).
const CanaryName = "canary.trailhound.invalid"

// canaryRules list the name alone, so that no trail set has to.
var canaryRules = sync.OnceValue(func() *detect.Rules {
	b := table.NewBuilder(table.Options{})
	b.Add(trails.Domain, []byte(CanaryName), b.Provenance(trails.Provenance{Info: "canary (test)", Reference: event.ReferenceHealth}))
	t, err := b.Memory()
	if err != nil {
		panic("BUG: a table of one trail cannot be built: " + err.Error())
	}
	return detect.NewRules(t, nil, detect.Options{})
})

// canaryFrame is the question for the name on Ethernet, from and to addresses
// for documentation (RFC 5737).
var canaryFrame = sync.OnceValue(func() []byte {
	var query []byte
	query = append(query, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0) // id 1, recursion desired, one question
	label := 0
	for i := 0; i <= len(CanaryName); i++ {
		if i == len(CanaryName) || CanaryName[i] == '.' {
			query = append(append(query, byte(i-label)), CanaryName[label:i]...)
			label = i + 1
		}
	}
	query = append(query, 0, 0, 1, 0, 1) // A, IN
	frame := make([]byte, 14+20+8, 14+20+8+len(query))
	frame[12] = 0x08 // IPv4
	ip, udp := frame[14:], frame[34:]
	ip[0], ip[8], ip[9] = 0x45, 64, packet.ProtoUDP
	binary.BigEndian.PutUint16(ip[2:], uint16(20+8+len(query)))
	copy(ip[12:], []byte{192, 0, 2, 1, 192, 0, 2, 53})
	binary.BigEndian.PutUint16(udp, 53535)
	binary.BigEndian.PutUint16(udp[2:], 53)
	binary.BigEndian.PutUint16(udp[4:], uint16(8+len(query)))
	return append(frame, query...)
})

// sing takes the canary's frame through the worker as if it had come from a
// ring, but matched against the canary's own rules. It leaves no trace in the
// counts of the traffic.
func (w *watcher) sing() {
	before := w.worker.Stats
	w.test = true
	w.worker.SetRules(canaryRules())
	w.worker.Tag = 0
	w.worker.Notes = nil
	w.worker.Evidence, w.worker.Await = nil, 0 // the loop sets it anew
	w.worker.Frame(packet.LinkEthernet, canaryFrame(), time.Now(), 0)
	w.worker.SetRules(w.rules)
	w.test = false
	w.worker.Evidence, w.worker.Notes = w.evidence, w.notes
	w.worker.Stats = before
}

// asCanary makes the canary's detection what it is: the sensor's own word. The
// question stays in it, so that it can be found again at the receiver.
func asCanary(e event.Event) event.Event {
	h := event.NewHealth(e.Time, event.HealthCanary, "a test detection came through", event.HealthFacts{State: event.Noted})
	h.Trail, h.Observable, h.Indicator = e.Trail, e.Observable, e.Indicator
	h.Src, h.Dst, h.SrcPort, h.DstPort, h.Protocol = e.Src, e.Dst, e.SrcPort, e.DstPort, e.Protocol
	h.Application, h.DNS = e.Application, e.DNS
	return h
}

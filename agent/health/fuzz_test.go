package health

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"trailhound/agent/event"
)

// said is what was said of a condition.
type said struct {
	told bool
	at   []time.Duration
}

// history holds a monitor to what its package comment promises.
type history map[key]*said

func (h history) add(t *testing.T, m *Monitor, list []event.Event) {
	t.Helper()
	for _, e := range list {
		k := key{e.Code, e.Health.Cause}
		s := h[k]
		if s == nil {
			s = new(said)
			h[k] = s
		}
		if (e.Health.State == event.Raised) == s.told {
			t.Fatalf("%s %s: %s while raised is %v", k.code, k.cause, e.Health.State, s.told)
		}
		s.told = e.Health.State != event.Recovered
		s.at = append(s.at, m.clock.at)
		if n := len(s.at); n > 3 && s.at[n-1]-s.at[n-4] < hour {
			t.Fatalf("%s %s: four events in %v", k.code, k.cause, s.at[n-1]-s.at[n-4])
		}
		if e.Info == "" || e.Health.Since.IsZero() || e.ID == ([16]byte{}) || e.Type != event.HEALTH {
			t.Fatalf("%+v", e)
		}
		for _, v := range e.Health.Measures {
			if !event.ValidMeasure(v.Name) || math.IsNaN(v.Value) || math.IsInf(v.Value, 0) || v.Value < 0 || v.Share && v.Value > 1 {
				t.Fatalf("measure %+v", v)
			}
		}
	}
	told := 0
	for _, s := range h {
		if s.told {
			told++
		}
	}
	if n := len(m.States()); n != told {
		t.Fatalf("%d states, %d were raised", n, told)
	}
}

// FuzzObserve runs a monitor by a program: each byte does one thing to the
// counters, to the clock, or to what others report, for some seconds.
func FuzzObserve(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x00\x10\x20\x30\x40\x50\x60\x70\x80\x90\xa0\xb0\xc0\xd0\xe0\xf0"))
	f.Add([]byte{0x0F, 0x0F, 0x0F, 0x0F, 0xE0, 0xEF, 0x9F, 0x0F, 0xEF, 0xEF, 0x0F})
	f.Add([]byte{0x1F, 0x3F, 0x1F, 0x3F, 0x2F, 0x5F, 0x4F, 0x6F, 0xDF, 0x1F, 0xEF, 0xEF, 0xEF, 0x1F})
	f.Add([]byte{0xD0, 0x21, 0xDF, 0x0F, 0xD3, 0xEF}) // more cut than read
	f.Add([]byte{0xA1, 0xB1, 0xA1, 0xB1, 0xA1, 0xEF, 0xB1, 0xEF, 0xEF, 0x81, 0x8F, 0x71, 0x7F, 0xC5, 0x01, 0xFF})
	f.Fuzz(func(t *testing.T, program []byte) {
		if len(program) > 200 {
			return
		}
		m := New(Options{Silence: five, SilenceBy: map[string]time.Duration{"eth1": time.Minute}})
		h := make(history)
		now := time.Unix(1771234567, 0)
		in := []Interface{{Name: "eth0", Up: true}, {Name: "eth1"}, {Name: "eth0"}, {Name: ""}}
		hidden := 0
		for n, op := range program {
			i := &in[n%len(in)]
			arg := uint64(op&15) + 1
			seconds := 20 * int(arg)
			switch op >> 4 {
			case 7:
				now = now.Add(steps[n%len(steps)])
			case 8:
				*i = Interface{Name: i.Name}
			case 9:
				hidden = n % (len(in) + 1)
			case 10, 11:
				h.add(t, m, m.Set(now, event.HealthOutputDown, string(rune('a'+arg)), op>>4 == 10, "siem", event.Count("pending", arg)))
				continue
			case 12:
				i.RestartNeeded = !i.RestartNeeded
			case 13: // noise in all numbers
				var b [8]byte
				for k, to := range []*uint64{&i.Packets, &i.KernelDrops, &i.KernelPackets, &i.Truncated, &i.Host, &i.TCPSyn, &i.TCPSynAck, &i.TCPData} {
					copy(b[:], program[(n+k)%len(program):])
					*to = binary.LittleEndian.Uint64(b[:])
				}
			case 15:
				m.Configure(Options{Silence: time.Duration(arg) * time.Minute, SilenceBy: map[string]time.Duration{"eth0": time.Duration(op&3) * time.Minute}})
			}
			for range seconds {
				switch op >> 4 {
				case 0:
					unicast(arg)(i)
				case 1:
					groups(arg)(i)
				case 2:
					lossyTraffic(1000*arg, 2*arg, arg)(i)
				case 3:
					tcp(arg, 0, 20*arg)(i)
				case 4:
					tcp(arg, arg, 20*arg)(i)
				case 5, 6:
					lossyTraffic(1000, 100, 0)(i)
				case 14:
					now = now.Add(9 * time.Second)
				}
				now = now.Add(time.Second)
				h.add(t, m, m.Observe(now, Sample{in[:len(in)-min(hidden, len(in))]}))
			}
		}
		if len(m.links) > MaxInterfaces || len(m.conditions) > MaxConditions {
			t.Fatalf("%d links, %d conditions", len(m.links), len(m.conditions))
		}
	})
}

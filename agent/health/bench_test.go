package health

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkObserve is one second of a sensor with the most interfaces.
func BenchmarkObserve(b *testing.B) {
	m := New(Options{Silence: 5 * time.Minute})
	now := time.Unix(1771234567, 0)
	s := Sample{Interfaces: make([]Interface, MaxInterfaces)}
	for i := range s.Interfaces {
		s.Interfaces[i].Name = fmt.Sprintf("veth%d", i)
	}
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Second)
		for i := range s.Interfaces {
			s.Interfaces[i].Packets += 1000
			s.Interfaces[i].Host += 1000
		}
		m.Observe(now, s)
	}
}

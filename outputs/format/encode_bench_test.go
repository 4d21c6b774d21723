package format

import (
	"syscall"
	"testing"
	"time"

	"trailhound/agent/event"
)

// cpuTime is what this process has used: beside other work, time alone says nothing.
func cpuTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkEncode is ECS and CEF for events of all kinds, with a sensor that has
// an id and labels.
func BenchmarkEncode(b *testing.B) {
	id := fullIdentity()
	id.ID = "0198c3f2-a1b0-7c10-8000-0000000000aa"
	for _, f := range []struct {
		name   string
		append func([]byte, *event.Event) []byte
	}{{"ECS", NewECS(id, ECSOptions{}).Append}, {"CEF", func(dst []byte, e *event.Event) []byte { return AppendCEF(dst, e, id) }}} {
		for _, e := range []struct {
			name string
			make func() *event.Event
		}{{"dns", dnsEvent}, {"http", httpEvent}, {"icmp", icmpEvent}, {"cert", certEvent}, {"scan", scanEvent}, {"summary", summaryEvent}, {"health", healthEvent}} {
			b.Run(f.name+"/"+e.name, func(b *testing.B) {
				e := e.make()
				e.Epoch, e.Seq = 0xFEDCBA9876543210, 123456
				var buf []byte
				b.ReportAllocs()
				used := cpuTime()
				for b.Loop() {
					buf = f.append(buf[:0], e)
				}
				b.ReportMetric(float64((cpuTime()-used).Nanoseconds())/float64(b.N), "cpu-ns/op")
				b.SetBytes(int64(len(buf)))
			})
		}
	}
}

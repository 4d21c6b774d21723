package status

import (
	"fmt"
	"time"

	"trailhound/agent/event"
)

var noon = time.Date(2025, 11, 21, 12, 0, 0, 0, time.UTC)

// healthy is a sensor at work that nothing is wrong with.
func healthy() Snapshot {
	return Snapshot{
		Time:      noon,
		Version:   Version{"1.2.3", "0123456789ab", "go1.26"},
		Sensor:    Sensor{Name: "edge-7", ID: "5f0c", Labels: map[string]string{"site": "hq"}},
		Config:    Config{Hash: "abc", LoadedAt: noon.Add(-time.Hour), LastReload: Reload{OK: true, At: noon.Add(-time.Hour)}, RestartPending: []string{"capture.workers"}},
		StartedAt: noon.Add(-time.Hour),
		State:     Running,
		Trails: Trails{Source: "/var/lib/trailhound/trails.thd", Generation: 3, Count: 1630214, SizeBytes: 26 << 20,
			CreatedAt: noon.Add(-4 * time.Hour), MaxAgeSeconds: 72 * 3600, Reloads: Reloads{OK: 2, Failed: 1, Rejected: 0}},
		Capture: Capture{
			Workers: []Worker{{Group: "eth0", Worker: 0, Packets: 100, Bytes: 9000, Loops: 50, LastLoop: noon}},
			Rings: []Ring{{Group: "eth0", Interface: "eth0", Alias: "dmz", Blocks: 64, BlockBytes: 1 << 20, Bytes: 64 << 20, WantedBytes: 128 << 20,
				KernelPackets: 103, KernelDrops: 3, Freezes: 1}},
			Interfaces: []Interface{{Name: "eth0", Alias: "dmz", Group: "eth0", Up: true, Promiscuous: true, Packets: 100, Bytes: 9000, Truncated: 2,
				Host: 10, Broadcast: 20, Multicast: 30, OtherHost: 35, Outgoing: 5, Drops: 3, LastPacketAt: noon,
				Decode: map[string]uint64{"ok": 90, "not_ip": 10, "short_link": 0}, Kinds: map[string]uint64{"tcp": 50, "dns": 40, "quic": 0}}},
			SpareSockets: 16,
			Filter:       CaptureFilter{"not port 9200", "own"},
		},
		Detection: Detection{Packets: 100, Bytes: 9000, Events: 9, Repeats: 1, Dropped: 1, Queued: 1,
			Findings: []Finding{{event.DNS, "high", "trail", 6}, {event.PORT, "medium", "heuristic", 1}}},
		Gate: Gate{Detected: 7, Suppressed: 1, Folded: 2, Passed: 4, Summaries: 1, Keys: 2, Whitelisted: 1, Local: 3, Lowered: 2},
		Suppress: Suppress{Active: 1, Expired: 1, Refused: 1, Problems: []string{"suppression rule \"x\": reason: missing"},
			Rules: []Rule{{ID: "lab-scanner", Action: "drop", Reason: "own scans", Owner: "secops", State: "active", Hits: 12, LastHit: noon},
				{ID: "old", Action: "local", Reason: "trial", Expires: "2025-01-01", State: "expired"}}},
		Outputs: []Output{{Name: "local", Type: "csv", Guarantee: "acknowledged", StartSeq: 2, LastSeq: 8, Delivered: 5, Queued: 1, OldestAt: noon,
			LastSuccessAt: noon, Healthy: true, Errors: 3, ErrorsByClass: map[string]uint64{"disk": 3, "other": 0}, DeadLost: 1, DeadResent: 2, Remade: 4,
			LastErrors: []OutputError{{FirstAt: noon, LastAt: noon, Times: 3, Class: "disk", Text: "no space left on device"}},
			Counters:   map[string]uint64{"bytes": 900, "rotations": 0},
			Delays:     Histogram{Bounds: []float64{0.5, 1}, Counts: []uint64{3, 0, 2}, Sum: 7.5}}},
		Memory: Memory{RSSBytes: 60 << 20, HeapBytes: 20 << 20, Bounds: []Bound{{"gate", 1 << 20, 64 << 20}}},
	}
}

// large is a sensor with many interfaces, each with its workers.
func large(interfaces, workers int) Snapshot {
	s := healthy()
	one := s.Capture.Interfaces[0]
	one.Decode, one.Kinds = map[string]uint64{}, map[string]uint64{}
	for i, name := range []string{"ok", "short_link", "not_ip", "unknown_link", "short_ip_header", "bad_ip_header", "too_many_headers", "later_fragment", "short_transport", "unknown_transport"} {
		one.Decode[name] = uint64(1000 * i)
	}
	for i, name := range []string{"other", "tcp", "udp", "icmp", "dns", "http", "tls", "quic"} {
		one.Kinds[name] = uint64(1000 * i)
	}
	ring := s.Capture.Rings[0]
	s.Capture = Capture{}
	for i := range interfaces {
		name := fmt.Sprintf("eth%d", i)
		one.Name, one.Group = name, name
		s.Capture.Interfaces = append(s.Capture.Interfaces, one)
		for w := range workers {
			s.Capture.Workers = append(s.Capture.Workers, Worker{Group: name, Worker: w, Packets: 12345678, Bytes: 1234567890, Loops: 1234, LastLoop: noon})
			ring.Group, ring.Interface, ring.Worker = name, name, w
			s.Capture.Rings = append(s.Capture.Rings, ring)
		}
	}
	return s
}

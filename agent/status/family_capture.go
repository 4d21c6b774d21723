package status

import (
	"maps"
	"slices"
	"strconv"
)

// interfaceFamily is one value per interface.
func interfaceFamily(of func(name, help, labels string, read func(*Snapshot, put)) family, name, help string, value func(*Interface) float64) family {
	return of(name, help, "interface", func(s *Snapshot, put put) {
		for i := range s.Capture.Interfaces {
			n := &s.Capture.Interfaces[i]
			put(value(n), n.Name)
		}
	})
}

func captureFamilies() []family {
	return []family{
		interfaceFamily(counter, "capture_packets_total", "Frames seen.", func(n *Interface) float64 { return float64(n.Packets) }),
		interfaceFamily(counter, "capture_bytes_total", "Bytes of the frames seen, as long as they were on the wire.", func(n *Interface) float64 { return float64(n.Bytes) }),
		interfaceFamily(counter, "capture_truncated_packets_total", "Frames that were cut to snaplen.", func(n *Interface) float64 { return float64(n.Truncated) }),
		interfaceFamily(counter, "capture_skipped_packets_total", "Frames passed over because a lower interface showed them.", func(n *Interface) float64 { return float64(n.Skipped) }),
		counter("capture_packets_by_type_total", "Frames by whom they were for, as the kernel tells.", "interface type", func(s *Snapshot, put put) {
			for i := range s.Capture.Interfaces {
				n := &s.Capture.Interfaces[i]
				put(float64(n.Host), n.Name, "host")
				put(float64(n.Broadcast), n.Name, "broadcast")
				put(float64(n.Multicast), n.Name, "multicast")
				put(float64(n.OtherHost), n.Name, "other_host")
				put(float64(n.Outgoing), n.Name, "outgoing")
			}
		}),
		counter("capture_packets_by_kind_total", "Frames that were decoded, each of one kind.", "interface kind", func(s *Snapshot, put put) {
			for i := range s.Capture.Interfaces {
				n := &s.Capture.Interfaces[i]
				for _, kind := range slices.Sorted(maps.Keys(n.Kinds)) {
					put(float64(n.Kinds[kind]), n.Name, kind)
				}
			}
		}),
		counter("capture_sides_sampled_total", "Packets by whether they have a side in detection.home_networks, of those looked at: at most 64 per worker in each tenth of a second.", "interface side", func(s *Snapshot, put put) {
			for i := range s.Capture.Interfaces {
				n := &s.Capture.Interfaces[i]
				put(float64(n.Home), n.Name, "home")
				put(float64(n.Foreign), n.Name, "foreign")
			}
		}),
		counter("decode_errors_total", "Frames that were not matched, by reason; not_ip and later_fragment are no damage.", "interface reason", func(s *Snapshot, put put) {
			for i := range s.Capture.Interfaces {
				n := &s.Capture.Interfaces[i]
				for _, reason := range slices.Sorted(maps.Keys(n.Decode)) {
					if reason != decoded {
						put(float64(n.Decode[reason]), n.Name, reason)
					}
				}
			}
		}),
		interfaceFamily(gauge, "capture_last_packet_timestamp_seconds", "When the last frame came; 0: none did.", func(n *Interface) float64 { return instant(n.LastPacketAt) }),
		interfaceFamily(gauge, "capture_interface_up", "Whether the interface is up.", func(n *Interface) float64 { return truth(n.Up) }),
		interfaceFamily(gauge, "capture_interface_promiscuous", "Whether the interface shows the frames of others.", func(n *Interface) float64 { return truth(n.Promiscuous) }),
		gauge("capture_interface_info", "What the operator calls an interface, constant 1.", "interface alias group", func(s *Snapshot, put put) {
			for i := range s.Capture.Interfaces {
				n := &s.Capture.Interfaces[i]
				put(1, n.Name, n.Alias, n.Group)
			}
		}),
		number("capture_closed_ring_drops_total", "Frames without room in a ring that is closed by now.", func(s *Snapshot) uint64 { return s.Capture.ClosedDrops }),
		number("capture_former_packets_total", "Frames seen of interfaces that are gone.", func(s *Snapshot) uint64 { return s.Capture.FormerPackets }),
		number("capture_damaged_packets_total", "Frames that could not be read from a ring.", func(s *Snapshot) uint64 { return s.Capture.Damaged }),
		number("capture_lost_packets_total", "Frames that the kernel counted and no ring held.", func(s *Snapshot) uint64 { return s.Capture.Lost }),
		gauge("capture_spare_sockets", "Sockets left for interfaces that appear.", "",
			one(func(s *Snapshot) float64 { return float64(s.Capture.SpareSockets) })),
		gauge("capture_restart_needed_interfaces", "Interfaces that only a restart can capture on.", "",
			one(func(s *Snapshot) float64 { return float64(len(s.Capture.RestartNeeded)) })),
	}
}

// ringFamily is one value per ring.
func ringFamily(of func(name, help, labels string, read func(*Snapshot, put)) family, name, help string, value func(*Ring) float64) family {
	return of(name, help, "group worker interface", func(s *Snapshot, put put) {
		for i := range s.Capture.Rings {
			r := &s.Capture.Rings[i]
			put(value(r), r.Group, strconv.Itoa(r.Worker), r.Interface)
		}
	})
}

// workerFamily is one value per worker.
func workerFamily(of func(name, help, labels string, read func(*Snapshot, put)) family, name, help string, value func(*Worker) float64) family {
	return of(name, help, "group worker", func(s *Snapshot, put put) {
		for i := range s.Capture.Workers {
			w := &s.Capture.Workers[i]
			put(value(w), w.Group, strconv.Itoa(w.Worker))
		}
	})
}

func ringFamilies() []family {
	return []family{
		// One number per interface for alerts; ring is the one cause that the
		// sensor itself can tell.
		counter("capture_drops_total", "Frames never seen, by cause; ring: there was no room in the ring.", "interface cause", func(s *Snapshot, put put) {
			for i := range s.Capture.Rings {
				r := &s.Capture.Rings[i]
				put(float64(r.KernelDrops), r.Interface, "ring")
			}
		}),
		ringFamily(counter, "capture_ring_packets_total", "Frames that the kernel had for a ring, those without room included.", func(r *Ring) float64 { return float64(r.KernelPackets) }),
		ringFamily(counter, "capture_ring_drops_total", "Frames without room in a ring.", func(r *Ring) float64 { return float64(r.KernelDrops) }),
		ringFamily(counter, "capture_ring_freezes_total", "Times a ring was full.", func(r *Ring) float64 { return float64(r.Freezes) }),
		ringFamily(gauge, "capture_ring_size_bytes", "Memory of a ring as the kernel gave it.", func(r *Ring) float64 { return float64(r.Bytes) }),
		ringFamily(gauge, "capture_ring_wanted_bytes", "Memory of a ring as it was asked for first.", func(r *Ring) float64 { return float64(r.WantedBytes) }),

		gauge("capture_workers", "Workers.", "",
			one(func(s *Snapshot) float64 { return float64(len(s.Capture.Workers)) })),
		gauge("capture_workers_running", "Workers that go round their loop.", "",
			one(func(s *Snapshot) float64 { return float64(s.Capture.running(s.Time)) })),
		workerFamily(counter, "worker_packets_total", "Frames that a worker took.", func(w *Worker) float64 { return float64(w.Packets) }),
		workerFamily(counter, "worker_bytes_total", "Bytes of the frames that a worker took.", func(w *Worker) float64 { return float64(w.Bytes) }),
		workerFamily(counter, "worker_loops_total", "Turns of a worker's loop, idle ones included.", func(w *Worker) float64 { return float64(w.Loops) }),
		workerFamily(gauge, "worker_last_loop_timestamp_seconds", "When a worker last went round its loop.", func(w *Worker) float64 { return instant(w.LastLoop) }),
	}
}

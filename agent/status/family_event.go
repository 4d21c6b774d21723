package status

import (
	"slices"

	"trailhound/agent/event"
)

// number is a family with one counter of a snapshot.
func number(name, help string, value func(s *Snapshot) uint64) family {
	return counter(name, help, "", one(func(s *Snapshot) float64 { return float64(value(s)) }))
}

// findingTypes are the types that a detection can have.
func findingTypes() []event.Type {
	return []event.Type{event.DNS, event.IP, event.IPORT, event.URL, event.HTTP, event.UA, event.PATH, event.PORT, event.CERT}
}

// healthCodes are the codes of conditions, which last.
func healthCodes() []event.Code {
	return slices.DeleteFunc(event.HealthCodes(), func(c event.Code) bool {
		return c == event.HealthSuppressExpired || c == event.HealthConfigChanged || c == event.HealthHeartbeat || c == event.HealthCanary
	})
}

func eventFamilies() []family {
	return []family{
		number("detection_packets_total", "Frames that the workers took.", func(s *Snapshot) uint64 { return s.Detection.Packets }),
		number("detection_bytes_total", "Bytes of the frames that the workers took.", func(s *Snapshot) uint64 { return s.Detection.Bytes }),
		number("detection_repeated_messages_total", "DNS messages seen before in the same second.", func(s *Snapshot) uint64 { return s.Detection.Repeats }),
		number("detection_self_packets_total", "Packets of the sensor's own flows, which raise nothing.", func(s *Snapshot) uint64 { return s.Detection.Self }),
		number("detection_crowded_events_total", "Events not raised because their packet had raised the most a packet may.", func(s *Snapshot) uint64 { return s.Detection.Crowded }),
		number("events_raised_total", "Events that the workers raised: dropped at the queue, queued or detected.", func(s *Snapshot) uint64 { return s.Detection.Events }),
		gauge("events_queued", "Events between the workers and the gate.", "",
			one(func(s *Snapshot) float64 { return float64(s.Detection.Queued) })),
		counter("events_detected_total", "Events that came to the gate, by type, severity and what found them.", "type severity source", func(s *Snapshot, put put) {
			for _, t := range findingTypes() {
				for severity := event.Low; severity <= event.High; severity++ {
					put(0, string(t), severity.String(), "trail")
					put(0, string(t), severity.String(), "heuristic")
				}
			}
			for i := range s.Detection.Findings {
				f := &s.Detection.Findings[i]
				put(float64(f.Count), string(f.Type), f.Severity, f.Source)
			}
		}),
		counter("events_suppressed_total", "Events that were taken out, by reason.", "reason", func(s *Snapshot, put put) {
			put(float64(s.Gate.Ignored), "ignore")
			put(float64(s.Gate.Ruled), "rule")
			put(float64(s.Gate.Whitelisted), "whitelist")
		}),
		number("events_local_total", "Events that a rule kept in the journal and local files.", func(s *Snapshot) uint64 { return s.Gate.Local }),
		number("events_lowered_total", "Events of which a rule lowered the severity.", func(s *Snapshot) uint64 { return s.Gate.Lowered }),
		number("events_restored_total", "Repeats that a checkpoint of the run before brought.", func(s *Snapshot) uint64 { return s.Gate.Restored }),
		gauge("suppression_rules", "Suppression rules by state.", "state", func(s *Snapshot, put put) {
			put(float64(s.Suppress.Active), "active")
			put(float64(s.Suppress.Waiting), "waiting")
			put(float64(s.Suppress.Expired), "expired")
			put(float64(s.Suppress.Elsewhere), "elsewhere")
			put(float64(s.Suppress.Refused), "refused")
		}),
		number("events_folded_total", "Repeats that became part of a summary.", func(s *Snapshot) uint64 { return s.Gate.Folded }),
		number("events_passed_total", "Events that went out by themselves.", func(s *Snapshot) uint64 { return s.Gate.Passed }),
		number("events_unkeyed_total", "Events that went out by themselves because the gate's memory was at its bound.", func(s *Snapshot) uint64 { return s.Gate.Unkeyed }),
		number("event_summaries_total", "Summaries of repeats that went out.", func(s *Snapshot) uint64 { return s.Gate.Summaries }),
		counter("events_dropped_total", "Events that were lost: at a worker's full queue, or after the gate.", "reason", func(s *Snapshot, put put) {
			put(float64(s.Detection.Dropped), "queue")
			put(float64(s.Gate.Dropped), "gate")
		}),
		gauge("gate_keys", "Keys whose repeats the gate follows.", "",
			one(func(s *Snapshot) float64 { return float64(s.Gate.Keys) })),
		number("health_events_total", "Events that the sensor raised of itself.", func(s *Snapshot) uint64 { return s.Detection.Health }),
		gauge("health_raised", "Causes of which a health condition holds.", "code", func(s *Snapshot, put put) {
			raised := make(map[event.Code]int)
			for _, code := range healthCodes() {
				put(0, string(code))
			}
			for i := range s.Health {
				if h := &s.Health[i]; h.State != Recovered {
					raised[h.Code]++
				}
			}
			for code, n := range raised {
				put(float64(n), string(code))
			}
		}),
	}
}

// outputFamily is one value per output.
func outputFamily(of func(name, help, labels string, read func(*Snapshot, put)) family, name, help string, value func(*Output) float64) family {
	return of(name, help, "output", func(s *Snapshot, put put) {
		for i := range s.Outputs {
			put(value(&s.Outputs[i]), s.Outputs[i].Name)
		}
	})
}

func outputFamilies() []family {
	return []family{
		number("journal_events_total", "Events written to the journal.", func(s *Snapshot) uint64 { return s.Journal.Appended }),
		counter("journal_lost_events_total", "Events that the journal gave up or lost, by reason.", "reason", func(s *Snapshot, put put) {
			put(float64(s.Journal.Evicted), "evicted")
			put(float64(s.Journal.Quarantined), "quarantined")
			put(float64(s.Journal.Missing), "missing")
			put(float64(s.Journal.Lost), "lost")
		}),
		gauge("journal_bytes", "Size of the journal.", "", one(func(s *Snapshot) float64 { return float64(s.Journal.Bytes) })),
		gauge("journal_max_bytes", "What it may grow to.", "", one(func(s *Snapshot) float64 { return float64(s.Journal.MaxBytes) })),
		gauge("journal_degraded", "Whether events are kept in memory only.", "", one(func(s *Snapshot) float64 { return truth(s.Journal.Degraded != "") })),
		gauge("journal_full", "Whether there is no room for the journal.", "", one(func(s *Snapshot) float64 { return truth(s.Journal.Full) })),
		gauge("output_info", "What kind of destination an output is, constant 1.", "output type guarantee", func(s *Snapshot, put put) {
			for i := range s.Outputs {
				o := &s.Outputs[i]
				put(1, o.Name, o.Type, o.Guarantee)
			}
		}),
		// What was acknowledged and what was only sent are never one number.
		counter("output_events_total", "Events by what became of them, over the life of the output's place in the journal.", "output result", func(s *Snapshot, put put) {
			for i := range s.Outputs {
				o := &s.Outputs[i]
				delivered := o.Guarantee
				if delivered == "" {
					delivered = "sent"
				}
				put(float64(o.Delivered), o.Name, delivered)
				put(float64(o.Rejected), o.Name, "rejected")
				put(float64(o.Filtered), o.Name, "filtered")
				put(float64(o.Evicted), o.Name, "evicted")
				put(float64(o.Quarantined), o.Name, "quarantined")
			}
		}),
		outputFamily(counter, "output_retries_total", "Batches that were sent again.", func(o *Output) float64 { return float64(o.Retries) }),
		outputFamily(counter, "output_errors_total", "Attempts that failed.", func(o *Output) float64 { return float64(o.Errors) }),
		outputFamily(gauge, "output_queue_events", "Events that wait for the output in the journal.", func(o *Output) float64 { return float64(o.Queued) }),
		outputFamily(gauge, "output_queue_bytes", "About how large they are.", func(o *Output) float64 { return float64(o.QueuedBytes) }),
		outputFamily(gauge, "output_queue_oldest_timestamp_seconds", "About when the first of them was written; 0: none waits.", func(o *Output) float64 { return instant(o.OldestAt) }),
		outputFamily(gauge, "output_delivery_delay_seconds", "From the time of the event delivered last to its delivery.", func(o *Output) float64 { return o.DelaySeconds }),
		outputFamily(gauge, "output_last_success_timestamp_seconds", "When something was last delivered; 0: nothing was.", func(o *Output) float64 { return instant(o.LastSuccessAt) }),
		outputFamily(gauge, "output_healthy", "Whether the output delivers.", func(o *Output) float64 { return truth(o.Healthy) }),
	}
}

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
		number("event_follow_ups_total", "Events that went out to tell the outcome of an earlier one and stand for no detection.", func(s *Snapshot) uint64 { return s.Gate.FollowUps }),
		number("event_follow_ups_withheld_total", "Follow-ups that did not go out, since there were too many from a source or in all.", func(s *Snapshot) uint64 { return s.Gate.Withheld }),
		counter("event_outcomes_total", "Events, summaries and follow-ups that went out with an outcome.", "outcome", func(s *Snapshot, put put) {
			put(float64(s.Gate.Outcomes.Unknown), "unknown")
			put(float64(s.Gate.Outcomes.Attempted), "attempted")
			put(float64(s.Gate.Outcomes.Answered), "answered")
			put(float64(s.Gate.Outcomes.Refused), "refused")
		}),
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

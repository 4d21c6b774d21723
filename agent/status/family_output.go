package status

// outputFamily is one value per output.
func outputFamily(of func(name, help, labels string, read func(*Snapshot, put)) family, name, help string, value func(*Output) float64) family {
	return of(name, help, "output", func(s *Snapshot, put put) {
		for i := range s.Outputs {
			put(value(&s.Outputs[i]), s.Outputs[i].Name)
		}
	})
}

func outputFamilies() []family {
	return append([]family{
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
		outputFamily(counter, "output_offered_events_total", "Events written to the journal since the output's place in it began: those of output_events_total and those that wait.",
			func(o *Output) float64 { return float64(o.LastSeq - min(o.StartSeq, o.LastSeq)) }),
		outputFamily(counter, "output_retries_total", "Batches that were sent again.", func(o *Output) float64 { return float64(o.Retries) }),
		counter("output_errors_total", "Attempts that failed, by the kind of failure.", "output class", func(s *Snapshot, put put) {
			for i := range s.Outputs {
				for class, n := range s.Outputs[i].ErrorsByClass {
					put(float64(n), s.Outputs[i].Name, class)
				}
			}
		}),
		outputFamily(gauge, "output_queue_events", "Events that wait for the output in the journal.", func(o *Output) float64 { return float64(o.Queued) }),
		outputFamily(gauge, "output_queue_bytes", "About how large they are.", func(o *Output) float64 { return float64(o.QueuedBytes) }),
		outputFamily(gauge, "output_queue_oldest_timestamp_seconds", "About when the first of them was written; 0: none waits.", func(o *Output) float64 { return instant(o.OldestAt) }),
		histogram("output_delivery_delay_seconds", "From the time of an event to its delivery.", func(o *Output) *Histogram { return &o.Delays }),
		histogram("output_request_duration_seconds", "How long it took to hand over a batch, failures included.", func(o *Output) *Histogram { return &o.Sends }),
		outputFamily(gauge, "output_last_delay_seconds", "From the time of the event delivered last to its delivery.", func(o *Output) float64 { return o.DelaySeconds }),
		outputFamily(gauge, "output_last_success_timestamp_seconds", "When something was last delivered; 0: nothing was.", func(o *Output) float64 { return instant(o.LastSuccessAt) }),
		outputFamily(counter, "output_dead_letters_lost_total", "Refused events that could not be kept as dead letters.", func(o *Output) float64 { return float64(o.DeadLost) }),
		outputFamily(counter, "output_dead_letters_resent_total", "Dead letters that were delivered after all.", func(o *Output) float64 { return float64(o.DeadResent) }),
		outputFamily(counter, "output_remade_total", "Times that the output was made anew with other credentials.", func(o *Output) float64 { return float64(o.Remade) }),
		outputFamily(gauge, "output_healthy", "Whether the output delivers.", func(o *Output) float64 { return truth(o.Healthy) }),
	}, ownFamilies()...)
}

// OutputCounters lists what an output may count itself, by the names that
// Output.Counters has. An output has only those that mean something for its type.
func OutputCounters() (names []string) {
	for _, c := range ownCounters {
		names = append(names, c.name)
	}
	return names
}

// ownCounters are the metrics for them.
var ownCounters = [...]struct{ name, metric, help string }{
	{"bytes", "output_bytes_total", "Bytes written to the receiver or the file, before TLS."},
	{"requests", "output_requests_total", "Requests that were answered, or windows that were sent."},
	{"truncated", "output_truncated_events_total", "Events that were cut to fit."},
	{"skipped", "output_skipped_events_total", "Events that the receiver has no form for; they count as delivered."},
	{"duplicates", "output_duplicate_events_total", "Events that the receiver had already."},
	{"diverted", "output_diverted_events_total", "Events that the receiver put aside, into a failure store."},
	{"deferred", "output_deferred_events_total", "Times that an event was put off."},
	{"splits", "output_split_requests_total", "Requests that were cut in half because they were refused."},
	{"resent", "output_resent_events_total", "Events sent once more over a new connection."},
	{"reconnects", "output_reconnects_total", "Connections beyond the first."},
	{"connect_failures", "output_connect_failures_total", "Attempts to connect that failed."},
	{"losses", "output_lost_connections_total", "Connections that the other side ended."},
	{"keepalives", "output_keepalives_total", "Answers that the receiver is busy."},
	{"rotations", "output_rotations_total", "Times that the file was rotated."},
	{"torn", "output_torn_lines_total", "Torn last lines that were cut off the file."},
	{"emptied", "output_emptied_files_total", "Times that another program emptied the file, and the last records were written once more."},
}

func ownFamilies() (all []family) {
	for _, c := range ownCounters {
		all = append(all, counter(c.metric, c.help, "output", func(s *Snapshot, put put) {
			for i := range s.Outputs {
				if n, ok := s.Outputs[i].Counters[c.name]; ok {
					put(float64(n), s.Outputs[i].Name)
				}
			}
		}))
	}
	return all
}

package event

// healthEntries describe what the sensor says of itself. What to do then is in
// docs/running.md.
func healthEntries() []Entry {
	said := func(code Code, severity, cause, info, meaning, tuned string) Entry {
		return Entry{Code: code, Types: []Type{HEALTH}, Meaning: meaning, Needs: tuned,
			Example: "2026-11-21 19:54:26 " + severity + " - -> - HEALTH " + cause + " " + info + " (health)"}
	}
	return []Entry{
		said(HealthCaptureSilent, "medium", "v4", "no frame on v4 for 10s",
			"an interface that had traffic has none any more", "capture.silence"),
		said(HealthCaptureDrops, "medium", "eth1", "the kernel drops 0.25 % of the packets on eth1: 1250 of 500000 in the last minute",
			"the kernel dropped frames that nobody looked at", "capture.ring_total, capture.workers"),
		said(HealthCaptureOneway, "medium", "v0", "only one direction of the traffic on v0 is seen: 5609 SYN and 0 SYN-ACK in five minutes",
			"one direction of the conversations is missing", ""),
		said(HealthCaptureBroadcast, "medium", "v2", "v2 sees broadcast and multicast only, no unicast frame in five minutes: is anything mirrored to it?",
			"the mirror port mirrors nothing", ""),
		said(HealthCaptureTruncated, "medium", "v0", "31.7 % of the frames on v0 are cut: 40 of 126 in the last minute are longer than capture.snaplen",
			"frames are longer than what is kept of them", "capture.snaplen"),
		said(HealthCaptureRestartNeeded, "medium", "w0", "w0 cannot be captured before a restart: no socket is left that was opened with the privilege",
			"an interface that only a restart can open", "capture.spare_sockets"),
		said(HealthTrailsFault, "medium", "trails", `cannot open trail table "/var/lib/trailhound/trails.thd": no such file or directory; the starter set is used, which is no protection by itself`,
			"the table could not be read", "trails.table"),
		said(HealthTrailsRejected, "medium", "trails", `cannot open trail table "/var/lib/trailhound/trails.thd": not a trail table`,
			"a new table was refused, the old one stays", "trails.min_ratio"),
		said(HealthTrailsStale, "medium", "trails", "the trails are 96h0m0s old, trails.max_age is 72h0m0s",
			"the trails are older than they should be", "trails.max_age"),
		said(HealthTrailsStarter, "medium", "trails", "no trail table: the starter set is used, which is no protection by itself",
			"only the starter set is loaded", "trails.table"),
		said(HealthDetectionHome, "medium", "v0", "100.0 % of the packets on v0 have no side in detection.home_networks: are all of one's own networks listed there?",
			"most of the traffic is not of the home networks, so directions are wrong", "detection.home_networks"),
		said(HealthOutputDown, "medium", "siem", "output siem has not delivered for 30s",
			"an output does not deliver", ""),
		said(HealthOutputSlow, "medium", "siem", "output siem is 5m1s behind",
			"an output is behind", ""),
		said(HealthOutputEvicted, "medium", "siem", "output siem has lost 1200 events that it had not delivered",
			"events were given up before they were delivered", "journal.max_size, journal.max_age"),
		said(HealthJournalFull, "medium", "journal", "no room for the journal: it goes on in what is reserved, then by giving up its oldest events",
			"the journal has no room or cannot be written", "journal.max_size, journal.min_free"),
		said(HealthJournalCorrupt, "medium", "journal", "a part of the journal is damaged, and put aside",
			"a part of the journal is damaged or missing", ""),
		said(HealthConfigRefused, "medium", "configuration", `the configuration was refused, the one before stays in use: conf.d/x.yaml:1:14: log.level: "nonsense" is not one of debug, info, warn, error`,
			"a reload found the configuration wrong", ""),
		said(HealthSuppressRefused, "medium", "rules", "refused, and not in force: wrong",
			"suppression rules that are wrong", "suppress.rules, suppress.files"),
		said(HealthSuppressExpired, "info", "old", "suppression rule old (over, owner secops) is expired: drop; 0 hits",
			"the time of a suppression rule is over", "suppress.rules"),
		said(HealthConfigChanged, "info", "configuration", "configuration 6b85be461a11cb9b, was 53fcd51a6d3004e5: log.level",
			"another configuration, version, table or whitelist is in use", ""),
		said(HealthHeartbeat, "info", "sensor", "trailhound 0.1.0 runs, configuration 6b85be461a11cb9b, trails generation 1",
			"the sensor lives: figures of its work", "health.heartbeat"),
		{
			Code: HealthCanary, Types: []Type{HEALTH}, Needs: "health.canary",
			Meaning: "a test detection came the whole way",
			Example: "2026-11-21 19:53:47 info 192.0.2.1:53535 -> 192.0.2.53:53 UDP HEALTH canary.trailhound.invalid a test detection came through (health)",
		},
	}
}

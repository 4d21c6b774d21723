package config

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"trailhound/agent/event"
)

const maltrailPage = "../../docs/from-maltrail.md"

// directives are the options of the reference's sensor that change what it
// detects, captures or sends.
var directives = []string{
	"USE_HEURISTICS", "DISABLED_HEURISTICS", "SCAN_WINDOW", "CHECK_HOST_DOMAINS", "CHECK_MISSING_HOST", "CHECK_TLS_CERTIFICATES",
	"USE_FAST_PREFILTER", "FAST_FLOW_CUTOFF", "FAST_ADMIT_LEVEL", "FAST_ADMIT_ADAPTIVE", "USE_CAPTURE_AFFINITY",
	"CAPTURE_FILTER", "CAPTURE_SNAPLEN", "CAPTURE_BUFFER", "CAPTURE_WORKERS", "CAPTURE_FANOUT", "CAPTURE_FANOUT_MODE", "CAPTURE_FANOUT_DEFRAG",
	"CAPTURE_FANOUT_GROUP", "MONITOR_INTERFACE", "OFFLINE_TIMESTAMPS", "USER_WHITELIST", "USER_IGNORELIST", "IGNORE_EVENTS_REGEX",
	"EVENT_THROTTLE_MODE", "EVENT_THROTTLE_WINDOW", "EVENT_THROTTLE_BURST", "EVENT_THROTTLE_MAX_KEYS", "DOMAIN_CACHE_ENTRIES",
	"TRAILS_FILE", "ALLOW_EMPTY_TRAILS", "TRAIL_RELOAD_MIN_RATIO", "REPAIR_TRUNCATED_TRAILS", "UPDATE_PERIOD", "DISABLE_TRAIL_UPDATES",
	"UPDATE_SERVER", "USE_FEED_UPDATES", "DISABLED_FEEDS", "IP_MINIMUM_FEEDS", "DISABLED_TRAILS_INFO_REGEX", "CUSTOM_TRAILS_DIR",
	"CUSTOM_TRAILS_URL", "PROCESS_COUNT", "REMOTE_SEVERITY_REGEX", "USE_CONDENSED_STORAGE",
	"SENSOR_NAME", "LOG_DIR", "LOG_SERVER", "SYSLOG_SERVER", "LOGSTASH_SERVER", "STATS_ADDRESS",
}

// meant says more of a directive than the key that its tag names.
var meant = map[string]string{
	"USE_HEURISTICS":             "the shipped value of Maltrail is this default",
	"DISABLED_HEURISTICS":        "by code, see [heuristics](#heuristics); any of them, not six",
	"SCAN_WINDOW":                "by code; it slides, so a scan over its border is seen",
	"CHECK_HOST_DOMAINS":         "on by default",
	"CHECK_MISSING_HOST":         "off by default, as there",
	"CAPTURE_FILTER":             "empty by default: everything is seen. The syntax is the same",
	"CAPTURE_SNAPLEN":            "66 KiB by default, so that merged frames are whole; in a replay, too",
	"CAPTURE_BUFFER":             "of all rings together",
	"CAPTURE_WORKERS":            "any number gives the same events",
	"CAPTURE_FANOUT":             "as `CAPTURE_WORKERS`",
	"PROCESS_COUNT":              "as `CAPTURE_WORKERS`",
	"MONITOR_INTERFACE":          "a list, with globs; interfaces may come and go",
	"USER_WHITELIST":             "files, read as they are",
	"USER_IGNORELIST":            "files, read as they are; new entries are better [rules](suppression.md)",
	"IGNORE_EVENTS_REGEX":        "over the same text",
	"EVENT_THROTTLE_MODE":        "`summarize` is the only mode; `0s` is `off`",
	"EVENT_THROTTLE_WINDOW":      "",
	"EVENT_THROTTLE_BURST":       "the burst is one: the first event at once, the others in summaries",
	"TRAILS_FILE":                "a compiled table; `trails build` makes it of the same file",
	"ALLOW_EMPTY_TRAILS":         "0 allows it; without a table the starter set is used, and `health.trails.starter` raised",
	"TRAIL_RELOAD_MIN_RATIO":     "",
	"UPDATE_PERIOD":              "not in this version: a job runs `trails build`",
	"DISABLE_TRAIL_UPDATES":      "not in this version, so always",
	"UPDATE_SERVER":              "not in this version: copy the table, or the list, and rename it into place",
	"USE_FEED_UPDATES":           "not in this version: feeds are files that `trails build` is given",
	"DISABLED_FEEDS":             "leave the file out of `trails build`",
	"IP_MINIMUM_FEEDS":           "not in this version: the merged list of Maltrail has it done",
	"DISABLED_TRAILS_INFO_REGEX": "not in this version; a [rule](suppression.md) with `info` does it at the gate",
	"CUSTOM_TRAILS_DIR":          "give the directory to `trails build`",
	"CUSTOM_TRAILS_URL":          "fetch the file, then `trails build`",
	"REMOTE_SEVERITY_REGEX":      "the severity is in the event; `filter.severity` of an output",
	"LOG_DIR":                    "an output of type `csv`",
	"LOG_SERVER":                 "an output of type `maltrail`",
	"SYSLOG_SERVER":              "an output of type `syslog`; UDP, TCP or TLS",
	"LOGSTASH_SERVER":            "an output of type `logstash`",
	"STATS_ADDRESS":              "status and Prometheus metrics under other names",
	"SENSOR_NAME":                "",
}

// replaced are the directives without a key: what does their work, and why there
// is nothing to set.
var replaced = map[string]string{
	"CHECK_TLS_CERTIFICATES":  "`detection.disable: [trail.cert]` switches it off: every code can be",
	"USE_FAST_PREFILTER":      "names in TLS and QUIC are always read: it costs too little to be an option",
	"FAST_FLOW_CUTOFF":        "as `USE_FAST_PREFILTER`",
	"FAST_ADMIT_LEVEL":        "of Maltrail's former sensor; nothing is passed over to save time",
	"FAST_ADMIT_ADAPTIVE":     "as `FAST_ADMIT_LEVEL`",
	"USE_CAPTURE_AFFINITY":    "the service manager's `CPUAffinity=`",
	"CAPTURE_FANOUT_MODE":     "the kernel always deals out packets by the pair of hosts, so that one worker sees both directions",
	"CAPTURE_FANOUT_DEFRAG":   "all fragments of a datagram have its pair of hosts, so it is not needed",
	"CAPTURE_FANOUT_GROUP":    "chosen by itself. To capture the two outputs of a tap as one, give both interfaces the same `group`",
	"OFFLINE_TIMESTAMPS":      "the capture's, always: a replay gives what the wire gave",
	"EVENT_THROTTLE_MAX_KEYS": "bounded by bytes, not configurable; what had to give way is counted (`unkeyed` in status)",
	"DOMAIN_CACHE_ENTRIES":    "the cache of clean names is small, of fixed size, and belongs to one table of trails",
	"REPAIR_TRUNCATED_TRAILS": "always; `trails lint` names what cannot be repaired. The option does nothing in Maltrail either",
	"USE_CONDENSED_STORAGE":   "there is no store of what was observed. `retro.memory` is meant for looking back with new trails",
}

// writeOptions writes the table of both names.
func writeOptions(t *testing.T) string {
	keys := make(map[string]string)
	for _, k := range Keys() {
		for _, d := range k.Maltrail {
			keys[d] = k.Path
		}
	}
	var b strings.Builder
	b.WriteString("| Maltrail | Trailhound | |\n| --- | --- | --- |\n")
	for _, d := range slices.Sorted(slices.Values(directives)) {
		key, tagged := keys[d]
		instead, without := replaced[d]
		note, known := meant[d]
		delete(keys, d)
		switch {
		case tagged && without, !tagged && !without:
			t.Errorf("%s: it has the key %q, and is replaced by %q", d, key, instead)
		case tagged && !known:
			t.Errorf("%s: nothing is said of it", d)
		case tagged:
			fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", d, key, capital(note))
		default:
			fmt.Fprintf(&b, "| `%s` | | %s |\n", d, capital(instead))
		}
	}
	for d, key := range keys {
		t.Errorf("%s is named by the tag of %s, and no option of the list", d, key)
	}
	return b.String()
}

// TestFromMaltrail: docs/from-maltrail.md has every option of the reference, and
// every heuristic.
func TestFromMaltrail(t *testing.T) {
	const begin, end = "<!-- options: go test ./agent/config -run FromMaltrail -update -->\n", "<!-- end of options -->\n"
	table := writeOptions(t)
	text, err := os.ReadFile(maltrailPage)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), begin)
	have, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table of options", maltrailPage)
	}
	if *update {
		if err := os.WriteFile(maltrailPage, []byte(head+begin+table+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		have = table
	}
	if have != table {
		t.Errorf("%s has other options than there are: go test ./agent/config -run FromMaltrail -update", maltrailPage)
	}
	for _, c := range event.Heuristics() {
		if !strings.Contains(tail, "` | `"+string(c)+"` |\n") {
			t.Errorf("%s does not know %s", maltrailPage, c)
		}
	}
	for _, name := range []string{"port_scanning", "udp_scanning", "infection", "web_scanning", "dns_exhaustion", "long_domain"} {
		if !strings.Contains(tail, "| `"+name+"` | `") {
			t.Errorf("%s does not know the heuristic %s", maltrailPage, name)
		}
	}
}

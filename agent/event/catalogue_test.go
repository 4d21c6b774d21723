package event

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite docs/detections.md")

const cataloguePage = "../../docs/detections.md"

// TestCatalogue: every code is there once, with everything that belongs to it.
func TestCatalogue(t *testing.T) {
	var codes []Code
	for _, e := range Catalogue() {
		if slices.Contains(codes, e.Code) {
			t.Errorf("%s is there twice", e.Code)
		}
		codes = append(codes, e.Code)
		if e.Meaning == "" || e.Example == "" || len(e.Types) == 0 || !e.Code.IsHealth() && (e.Benign == "" || e.Rule == "") {
			t.Errorf("%s: something is missing in %+v", e.Code, e)
		}
		if _, _, ok := e.Code.Threshold(); ok != (e.Counts != "") {
			t.Errorf("%s: a threshold is %v, it counts %q", e.Code, ok, e.Counts)
		}
		for _, text := range []string{e.Meaning, e.Example, e.Benign, e.Needs, e.Rule, e.Counts} {
			if strings.ContainsAny(text, "\n") || strings.TrimSpace(text) != text {
				t.Errorf("%s: %q is not one line", e.Code, text)
			}
		}
		if !e.Code.IsHealth() && !strings.Contains(e.Rule, "code: [") {
			t.Errorf("%s: its rule names no code: %s", e.Code, e.Rule)
		}
	}
	if want := slices.Concat(Trails(), Heuristics(), HealthCodes()); !slices.Equal(codes, want) {
		for _, c := range want {
			if !slices.Contains(codes, c) {
				t.Errorf("%s is missing", c)
			}
		}
		t.Errorf("the order is\n%v, want\n%v", codes, want)
	}
}

// TestCataloguePage: docs/detections.md is what the catalogue says.
func TestCataloguePage(t *testing.T) {
	var b bytes.Buffer
	writeCatalogue(&b)
	if *update {
		if err := os.WriteFile(cataloguePage, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(cataloguePage)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, b.Bytes()) {
		t.Errorf("%s is not what the catalogue says: go test ./agent/event -run Catalogue -update", cataloguePage)
	}
}

const catalogueIntro = `# Detections

<!-- Made from agent/event/catalogue*.go: go test ./agent/event -run Catalogue -update -->

Every event has a code, which never changes its meaning and is never renamed: write SIEM rules against it. This page lists all of them.

- [At a glance](#at-a-glance), [Severity and confidence](#severity-and-confidence), [Tuning](#tuning)
- [Trails](#trails), [Scans](#scans), [Names and DNS](#names-and-dns), [Web](#web), [Attacks on web servers](#attacks-on-web-servers)
- [The sensor itself](#the-sensor-itself)

The examples are lines of ` + "`trailhound replay --every --format table`" + ` (time, severity, source and destination, protocol, type, trail, info, reference), with one blank between
columns. In a trail, what stands in parentheses is not the indicator. The fields of an event are in [fields.md](fields.md), what is different from Maltrail in
[differences.md](differences.md).
`

const catalogueTuning = `
## Severity and confidence

- **Trails** get their severity from what the list says of them. High: one's own lists, malware, ransomware, IoT malware. Medium: sites that distribute malware,
  certificates of command and control, everything that the list does not qualify. Low: mass scanners, reputation lists, attackers, spammers, crawlers. Confidence is 90
  for the static set and one's own lists, 50 for other feeds.
- **Heuristics** have the severity in the table, and a confidence of 30: they are guesses. Three are high: the host talks to a
  sinkhole, or is told of one, or fetches what botnets of small devices fetch.
- **Direction** (` + "`inbound`, `outbound`, `internal`, `external`, `unknown`" + `) goes by ` + "`detection.home_networks`" + `, seen from the client. It tells more than the severity: an inbound scan is the
  weather, an outbound call to a listed server is an incident. The names of the home networks of both sides are in the event; addresses of the sensor's own interfaces are at home, too, as
  group ` + "`sensor`" + ` where no network holds them. So are addresses that no router passes on: loopback, the limited broadcast (255.255.255.255), multicast on the
  link (224.0.0.0/24, ff02::/16) and the unspecified address; a network's own broadcast is as its network, other multicast is not at home. ` + "`unknown`" + `: no home network is
  configured, or an address is not known.

## Tuning

From the narrowest to the widest:

1. **A suppression rule** takes out one thing for one host and says why; it is counted and can expire. Each code below has an example, which goes below
   ` + "`suppress.rules`" + ` of the configuration or ` + "`rules`" + ` of a rule file. ` + "`trailhound suppress from-event ID`" + ` writes the rule for an event, ` + "`trailhound suppress test`" + ` tells what a rule would
   have taken out ([suppression.md](suppression.md)).
2. **The whitelist** (` + "`trails.whitelist`" + `) keeps names, addresses and networks out of everything, trails included.
3. **Roles** tell what a host is for. A role mutes only what such a host does by nature, never a trail; what was muted is counted by role.
4. **Thresholds and windows** by code. A heuristic is raised above its threshold. Lower ones find more, and raise more that is nothing.
5. **Switched off**: ` + "`detection.disable`" + ` by code, ` + "`detection.heuristics: false`" + ` for all heuristics but those marked "always".

` + "```yaml" + `
detection:
  home_networks:
    office: [10.0.0.0/8]
    servers: [10.20.0.0/16, 2001:db8:20::/48]     # the smallest network that holds an address names it
  roles:
    resolver: [10.20.0.53]
    scanner: [10.20.0.15]
  thresholds: {scan.port: 20, dns.dga.entropy: 3.8}
  windows: {scan.port: 60s, dns.nxdomain: 30m}
  disable: [http.download, trail.ip.answer]
` + "```" + `

A change is taken on reload. The memory of everything that counts over time is bounded by ` + "`detection.memory`" + `; what had to give way is counted.
Amid a flood of invented sources a slow scanner gives way, too: it is found as long as the time between two of its probes, times the sources that come in
between each second, is below about 65,536 at 64 MiB. At 10,000 invented sources a second that is a probe every six seconds. Four times the memory is four times that.
`

func writeCatalogue(b *bytes.Buffer) {
	b.WriteString(catalogueIntro)
	entries := Catalogue()
	b.WriteString("\n## At a glance\n\n| code | type | severity | threshold | window | ATT&CK |\n| --- | --- | --- | --- | --- | --- |\n")
	for i := range entries {
		e := &entries[i]
		if e.Code.IsHealth() {
			continue
		}
		fmt.Fprintf(b, "| [`%s`](#%s) | %s | %s | %s | %s | %s |\n", e.Code, anchor(e.Code), typesOf(e), severityOf(e), thresholdOf(e.Code), windowOf(e.Code), e.Code.Technique().ID)
	}
	b.WriteString(catalogueTuning)
	for _, part := range []struct {
		title   string
		entries []Entry
	}{{"Trails", trailEntries()}, {"Scans", scanEntries()}, {"Names and DNS", nameEntries()}, {"Web", webEntries()}, {"Attacks on web servers", attackEntries()}} {
		fmt.Fprintf(b, "\n## %s\n", part.title)
		for i := range part.entries {
			writeEntry(b, &part.entries[i])
		}
	}
	b.WriteString("\n## The sensor itself\n\nEvents of type `HEALTH`. A condition is `medium` while it lasts and `info` when it is over; the rest is `info`. They pass no gate and cannot be suppressed; an output without\n" +
		"them has `health: false`. When each is raised, and what to do then, is in [running.md](running.md#health).\n\n| code | meaning | keys | trail (cause) | info, as it reads |\n| --- | --- | --- | --- | --- |\n")
	for _, e := range healthEntries() {
		keys := ""
		if e.Needs != "" {
			keys = "`" + strings.ReplaceAll(e.Needs, ", ", "`, `") + "`"
		}
		_, text, _ := strings.Cut(e.Example, "HEALTH ")
		cause, text, _ := strings.Cut(strings.TrimSuffix(text, " (health)"), " ")
		fmt.Fprintf(b, "| `%s` | %s | %s | `%s` | %s |\n", e.Code, e.Meaning, keys, cause, text)
	}
}

func writeEntry(b *bytes.Buffer, e *Entry) {
	fmt.Fprintf(b, "\n### `%s`\n\n%s\n\n    %s\n\n", e.Code, e.Meaning, e.Example)
	facts := []string{"type " + typesOf(e), "severity " + severityOf(e)}
	confidence := "30"
	if e.Code.IsTrail() {
		confidence = "90 or 50"
	}
	facts = append(facts, "confidence "+confidence)
	if tech := e.Code.Technique(); tech.ID != "" {
		facts = append(facts, "ATT&CK "+tech.ID+" "+tech.Name)
	}
	fmt.Fprintf(b, "- %s\n", strings.Join(facts, " · "))
	var tune []string
	if v, _, ok := e.Code.Threshold(); ok {
		tune = append(tune, fmt.Sprintf("`thresholds: {%s: %s}` (%s)", e.Code, strconv.FormatFloat(v, 'g', -1, 64), e.Counts))
	}
	if w := windowOf(e.Code); w != "" {
		tune = append(tune, fmt.Sprintf("`windows: {%s: %s}`", e.Code, w))
	}
	if roles := e.Code.Excused(); len(roles) > 0 {
		var names []string
		for _, r := range roles {
			names = append(names, "`"+r.String()+"`")
		}
		tune = append(tune, "not raised for the roles "+strings.Join(names, ", "))
	}
	switch {
	case e.Needs != "":
		tune = append(tune, "only with `"+e.Needs+"`")
	case e.Always:
		tune = append(tune, "always: `heuristics: false` does not switch it off")
	}
	tune = append(tune, fmt.Sprintf("`disable: [%s]`", e.Code))
	fmt.Fprintf(b, "- Tune: %s\n- False positives: %s\n- Suppress: `%s`\n", strings.Join(tune, "; "), e.Benign, e.Rule)
}

func typesOf(e *Entry) string {
	var names []string
	for _, t := range e.Types {
		names = append(names, string(t))
	}
	return strings.Join(names, ", ")
}

func severityOf(e *Entry) string {
	least, most := e.Severities()
	if least == most {
		return least.String()
	}
	return least.String() + " to " + most.String()
}

func thresholdOf(c Code) string {
	v, _, ok := c.Threshold()
	if !ok {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// windowOf writes a window as the configuration does.
func windowOf(c Code) string {
	w, ok := c.Window()
	switch {
	case !ok:
		return ""
	case w%time.Hour == 0:
		return fmt.Sprintf("%dh", w/time.Hour)
	}
	return fmt.Sprintf("%ds", w/time.Second)
}

// anchor is what a heading of a code is reached by.
func anchor(c Code) string { return strings.ReplaceAll(string(c), ".", "") }

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"trailhound/agent/status"
	"trailhound/outputs/journal"
	"trailhound/tests/corpus"
)

// picky is an Elasticsearch that refuses about one document of a hundred for
// good, the same ones each time, and keeps the ids of the others.
type picky struct {
	mu               sync.Mutex
	accepted, denied map[string]bool
}

func newPicky() *picky { return &picky{accepted: map[string]bool{}, denied: map[string]bool{}} }

var bulkID = regexp.MustCompile(`^\{"create":\{.*"_id":"[^"]*([0-9a-f]{2})"`)

func (p *picky) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	w.Header().Set("X-Elastic-Product", "Elasticsearch")
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var answer bytes.Buffer
	for line := range bytes.Lines(body) {
		m := bulkID.FindSubmatch(line)
		if m == nil {
			continue
		}
		if answer.Len() > 0 {
			answer.WriteByte(',')
		}
		id := string(m[0])
		switch last, _ := strconv.ParseUint(string(m[1]), 16, 8); {
		case last < 3:
			p.denied[id] = true
			answer.WriteString(`{"create":{"status":400,"error":{"type":"document_parsing_exception","reason":"no"}}}`)
		case p.accepted[id]:
			answer.WriteString(`{"create":{"status":409,"error":{"type":"version_conflict_engine_exception"}}}`)
		default:
			p.accepted[id] = true
			answer.WriteString(`{"create":{"status":201}}`)
		}
	}
	fmt.Fprintf(w, `{"errors":true,"items":[%s]}`, answer.Bytes())
}

func (p *picky) counts() (accepted, denied uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return uint64(len(p.accepted)), uint64(len(p.denied))
}

// accountingOutputs are the ways that an output can go: all, some, some refused,
// none at all.
const accountingOutputs = `  - {name: all, type: csv, path: "%[1]s/all.csv", max_rate: 0}
  - {name: some, type: csv, path: "%[1]s/some.csv", filter: {networks: [10.98.0.2/32]}, health: false, max_rate: 0}
  - {name: picky, type: elasticsearch, addresses: ["%[2]s"], flavor: elasticsearch, gzip: 0, max_rate: 0, retry: {first: 10ms, most: 100ms}}
  - {name: dead, type: logstash, addresses: ["127.0.0.1:1"], max_rate: 0, retry: {first: 10ms, most: 100ms}}
`

// queriesOf are frames with a query each: every name twice from one host, half a
// minute apart, so that the second is a repeat.
func queriesOf(n int) (frames []corpus.Stamped) {
	for i := range 2 * n {
		name, from := i%n, "10.98.0.2"
		if name%2 == 1 {
			from = "10.98.0.3"
		}
		p := corpus.IP(from, "10.98.0.1", corpus.UDP(40000, 53, corpus.Query(corpus.Ask(fmt.Sprintf("%d.example", name)))))
		frames = append(frames, corpus.At(i/n*30, p.Ethernet()))
	}
	return frames
}

// TestAccountingOfReplay: what a replay finds is all accounted for, at the gate,
// in the journal, and for each output, whatever became of it there.
func TestAccountingOfReplay(t *testing.T) {
	r, p := newReplayed(t), newPicky()
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	const names = 6000
	table := filepath.Join(r.dir, "many.thd")
	tableOf(t, table, names)
	file := writeTest(t, filepath.Join(r.dir, "a.pcap"), string(corpus.Pcap(queriesOf(names))))
	r.configure(t, fmt.Sprintf(accountingOutputs, r.dir, server.URL)+
		"suppress: {rules: [{name: tens, reason: r, owner: o, action: drop, trail: [\"10.example\", \"20.example\", \"30.example\"]}]}\n")
	dir := filepath.Join(r.dir, "kept")
	code, out, errs := trailsRun(t, r.dir, "replay", "--trails", table, "--deliver", "--journal", dir, "--wait", "2s", "--set", "journal.max_size=1MiB",
		"--set", "detection.heuristics=false", file)
	if code != exitFailed || out != "" {
		t.Fatalf("code %d\n%s%s", code, out, errs)
	}
	m := regexp.MustCompile(`events +(\d+) detected, 0 whitelisted, (\d+) dropped by rules, (\d+) folded into (\d+) summaries, (\d+) shown`).FindStringSubmatch(errs)
	if m == nil {
		t.Fatalf("no summary in\n%s", errs)
	}
	n := func(i int) uint64 { v, _ := strconv.ParseUint(m[i], 10, 64); return v }
	detected, ruled, folded, summaries, shown := n(1), n(2), n(3), n(4), n(5)
	if detected != 2*names || ruled != 6 || folded == 0 || detected != ruled+folded+shown-summaries {
		t.Errorf("%s", m[0])
	}
	v, err := journal.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	states := make(map[string]journal.CursorState)
	for _, c := range v.Cursors() {
		states[c.Name] = c
		if sum := c.Delivered + c.Filtered + c.DeadLettered + c.Evicted + c.Quarantined + c.Pending; c.LastSeq-c.StartSeq != sum || c.LastSeq != shown {
			t.Errorf("%s: %d numbers, %d accounted for, %d events: %+v", c.Name, c.LastSeq-c.StartSeq, sum, shown, c)
		}
		if line := fmt.Sprintf(" %s: %d delivered", c.Name, c.Delivered); !strings.Contains(errs, line) {
			t.Errorf("no %q in\n%s", line, errs)
		}
	}
	accepted, denied := p.counts()
	// On a busy machine it may not have got everything in time.
	if s := states["picky"]; denied == 0 || s.Pending == 0 && (s.Delivered != accepted || s.DeadLettered != denied) {
		t.Errorf("%d accepted, %d refused: %+v", accepted, denied, s)
	}
	if s := states["all"]; s.Delivered == 0 || uint64(len(rowsOf(t, filepath.Join(r.dir, "all.csv")))) != s.Delivered {
		t.Errorf("%+v", s)
	}
	if s := states["some"]; s.Filtered == 0 || s.Delivered == 0 || uint64(len(rowsOf(t, filepath.Join(r.dir, "some.csv")))) != s.Delivered {
		t.Errorf("%+v", s)
	}
	if s := states["dead"]; s.Delivered != 0 || s.Evicted == 0 || s.Pending == 0 {
		t.Errorf("%+v", s)
	}
}

// flood has the other side send a query for each name, from each of the ports.
func (c *clinic) flood(t *testing.T, names int, ports ...int) {
	t.Helper()
	if err := c.in(c.there, func() error {
		var conns []*net.UDPConn
		for _, port := range ports {
			conn, err := net.ListenUDP("udp4", &net.UDPAddr{Port: port})
			if err != nil {
				return err
			}
			defer conn.Close()
			conns = append(conns, conn)
		}
		for i := range names {
			q := corpus.Query(corpus.Ask(fmt.Sprintf("%d.example", i)))
			for _, conn := range conns {
				if _, err := conn.WriteTo([]byte(q), &net.UDPAddr{IP: net.IPv4(10, 98, 0, 1), Port: 53}); err != nil {
					return err
				}
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// metricsOf gives the series of a sensor by their text.
func metricsOf(t *testing.T, socket string) map[string]float64 {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}
	r, err := client.Get("http://localhost/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	series := make(map[string]float64)
	for in := bufio.NewScanner(r.Body); in.Scan(); {
		if name, value, ok := strings.Cut(in.Text(), " "); ok && strings.HasPrefix(name, "trailhound_output_") || strings.HasPrefix(name, "trailhound_event") ||
			strings.HasPrefix(name, "trailhound_journal_") || strings.HasPrefix(name, "trailhound_health_events") {
			series[name], _ = strconv.ParseFloat(value, 64)
		}
	}
	return series
}

// sumOf adds up all series whose text begins so.
func sumOf(series map[string]float64, prefix string) (sum float64) {
	for name, v := range series {
		if strings.HasPrefix(name, "trailhound_"+prefix) {
			sum += v
		}
	}
	return sum
}

// TestAccountingOfService: the same for a running sensor, by what its status
// endpoint and its metrics say, before and after it was killed.
func TestAccountingOfService(t *testing.T) {
	c := newClinic(t)
	_, _, dir := c.nobody(t)
	p := newPicky()
	server := httptest.NewUnstartedServer(p)
	server.Listener.Close()
	if err := c.in(c.here, func() (err error) { server.Listener, err = net.Listen("tcp4", "127.0.0.1:0"); return err }); err != nil {
		t.Fatal(err)
	}
	server.Start()
	t.Cleanup(server.Close)
	const names = 6000
	tableOf(t, filepath.Join(dir, tableFile), names)
	config, socket := filepath.Join(c.dir, "accounting.yaml"), filepath.Join(dir, "status.sock")
	configure(t, config, "state: %s\nstatus: {listen: \"unix:%s\"}\njournal: {max_size: 1MiB, min_free: 0}\noutputs:\n%s"+
		"suppress: {aggregate: 1s, rules: [{name: tens, reason: r, owner: o, action: drop, trail: [\"10.example\", \"20.example\"]}]}\n",
		dir, socket, fmt.Sprintf(accountingOutputs, dir, server.URL))
	client, err := status.NewClient("unix:" + socket)
	if err != nil {
		t.Fatal(err)
	}

	// settled is the state once nothing is on its way any more, but to the dead one.
	settled := func(found uint64) (now status.Snapshot) {
		t.Helper()
		eventually(t, func() string { return fmt.Sprintf("settled: %+v %+v %+v", now.Detection, now.Gate, now.Outputs) }, func() bool {
			s, _, err := client.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			now = *s
			done := now.Detection.Events >= found && now.Detection.Queued == 0 && len(now.Outputs) == 4 && now.Gate.Keys == 0
			for _, o := range now.Outputs {
				done = done && (o.Name == "dead" && o.Errors > 0 || o.Queued == 0)
			}
			return done
		})
		return now
	}
	check := func(when string, now *status.Snapshot) map[string]status.Output {
		t.Helper()
		d, g, j := &now.Detection, &now.Gate, &now.Journal
		if d.Events != d.Dropped+d.Queued+g.Detected || g.Detected != g.Suppressed+g.Folded+g.Passed {
			t.Errorf("%s: found %+v, gate %+v", when, d, g)
		}
		if j.Appended != g.Passed+g.Summaries+g.FollowUps+d.Health {
			t.Errorf("%s: %d are in the journal, gate %+v, %d of health", when, j.Appended, g, d.Health)
		}
		byName := make(map[string]status.Output)
		for _, o := range now.Outputs {
			byName[o.Name] = o
			if sum := o.Delivered + o.Filtered + o.Rejected + o.Evicted + o.Quarantined + o.Queued; o.LastSeq-o.StartSeq != sum || o.LastSeq != j.LastSeq {
				t.Errorf("%s: %d numbers, %d accounted for: %+v", when, o.LastSeq-o.StartSeq, sum, o)
			}
			var errors uint64
			for _, n := range o.ErrorsByClass {
				errors += n
			}
			if errors != o.Errors {
				t.Errorf("%s: %d of %d errors have a class: %+v", when, errors, o.Errors, o)
			}
		}
		if o := byName["dead"]; o.Delivered != 0 || o.Evicted == 0 || o.Queued == 0 || o.Errors == 0 || o.ErrorsByClass["connect"] != o.Errors ||
			len(o.LastErrors) == 0 || o.LastErrors[0].Class != "connect" || o.Healthy {
			t.Errorf("%s: %+v", when, o)
		}
		if o := byName["some"]; o.Filtered == 0 || o.Delivered == 0 || o.Counters["bytes"] == 0 {
			t.Errorf("%s: %+v", when, o)
		}
		// The same by the metrics alone. One more event may have come by now.
		m := metricsOf(t, socket)
		detected := sumOf(m, "events_detected_total{")
		if m["trailhound_events_raised_total"] != m[`trailhound_events_dropped_total{reason="queue"}`]+m["trailhound_events_queued"]+detected ||
			detected != sumOf(m, "events_suppressed_total{")+m["trailhound_events_folded_total"]+m["trailhound_events_passed_total"] || detected == 0 {
			t.Errorf("%s: %v", when, m)
		}
		if m["trailhound_journal_events_total"] != m["trailhound_events_passed_total"]+m["trailhound_event_summaries_total"]+m["trailhound_event_follow_ups_total"]+m["trailhound_health_events_total"] {
			t.Errorf("%s: %v", when, m)
		}
		for name := range byName {
			label := `output="` + name + `"`
			offered := m["trailhound_output_offered_events_total{"+label+"}"]
			if sum := sumOf(m, "output_events_total{"+label+",") + m["trailhound_output_queue_events{"+label+"}"]; offered != sum || offered == 0 {
				t.Errorf("%s: %s: %v offered, %v accounted for", when, name, offered, sum)
			}
			count := m["trailhound_output_delivery_delay_seconds_count{"+label+"}"]
			if buckets := m["trailhound_output_delivery_delay_seconds_bucket{"+label+`,le="+Inf"}`]; count != buckets || name == "dead" && count != 0 {
				t.Errorf("%s: %s: %v delays, %v in buckets", when, name, count, buckets)
			}
		}
		return byName
	}

	first := c.run(t, config, "nobody")
	first.until("capturing", says("capturing"))
	c.flood(t, names, 40000)
	c.flood(t, 500, 40001, 40002) // repeats
	now := settled(names + 1000)
	byName := check("at work", &now)
	if g := &now.Gate; g.Folded == 0 || g.Summaries == 0 || g.Ruled == 0 || g.FollowUps == 0 {
		t.Errorf("%+v", g)
	}
	if got, followUps := outcomesOf(t, filepath.Join(dir, "all.csv")); got != now.Gate.Outcomes || followUps != now.Gate.FollowUps {
		t.Errorf("the file has the outcomes %+v and %d follow-ups, the gate %+v", got, followUps, now.Gate)
	}
	accepted, denied := p.counts()
	if o := byName["picky"]; o.Delivered != accepted || o.Rejected != denied || denied == 0 || o.Counters["requests"] == 0 {
		t.Errorf("%d accepted, %d refused: %+v", accepted, denied, o)
	}
	if o := byName["all"]; o.Rejected+o.Filtered != 0 || uint64(len(rowsOf(t, filepath.Join(dir, "all.csv")))) != o.Delivered {
		t.Errorf("the file holds something else: %+v", o)
	}

	// Killed and started again: the numbers go on where they were.
	first.end(syscall.SIGKILL)
	second := c.run(t, config, "nobody")
	second.until("capturing", says("capturing"))
	c.flood(t, 3000, 40003)
	now = settled(3000)
	after := check("after a kill", &now)
	for name, o := range after {
		if was := byName[name]; o.StartSeq != was.StartSeq || o.LastSeq < was.LastSeq+2900 {
			t.Errorf("%s: from %d to %d, before the kill from %d to %d", name, o.StartSeq, o.LastSeq, was.StartSeq, was.LastSeq)
		}
	}
	// What was under way may have come twice, which the receiver knows by the id.
	again, _ := p.counts()
	if o := after["picky"]; o.Delivered != again {
		t.Errorf("%d accepted: %+v", again, o)
	}
	if err := second.end(syscall.SIGTERM); err != nil {
		t.Errorf("the end: %v", err)
	}
	v, err := journal.OpenReadOnly(filepath.Join(dir, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range v.Cursors() {
		if sum := c.Delivered + c.Filtered + c.DeadLettered + c.Evicted + c.Quarantined + c.Pending; c.LastSeq-c.StartSeq != sum {
			t.Errorf("at the end: %+v", c)
		}
	}
}

// outcomesOf counts the events of a csv output with an outcome, and its follow-ups.
func outcomesOf(t *testing.T, path string) (o status.Outcomes, followUps uint64) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) == 0 {
		t.Fatal(err, len(rows))
	}
	outcome, count := slices.Index(rows[0], "outcome"), slices.Index(rows[0], "count")
	for _, row := range rows[1:] {
		if row[count] == "0" {
			followUps++
		}
		switch row[outcome] {
		case "unknown":
			o.Unknown++
		case "attempted":
			o.Attempted++
		case "answered":
			o.Answered++
		case "refused":
			o.Refused++
		}
	}
	return o, followUps
}

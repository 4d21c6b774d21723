package status

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"trailhound/agent/event"
)

// drawn gives the metrics page of a snapshot, and its series by their text.
func drawn(t testing.TB, s Snapshot) (page []byte, series map[string]float64) {
	t.Helper()
	s.complete(noon)
	page, err := newExporter().draw(&s)
	if err != nil {
		t.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	series = make(map[string]float64)
	for name, f := range families {
		for _, m := range f.Metric {
			var labels []string
			for _, l := range m.Label {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			value := m.GetGauge().GetValue()
			switch f.GetType() {
			case dto.MetricType_COUNTER:
				value = m.GetCounter().GetValue()
			case dto.MetricType_HISTOGRAM:
				value = float64(m.GetHistogram().GetSampleCount())
			}
			series[name+"{"+strings.Join(labels, ",")+"}"] = value
		}
	}
	return page, series
}

func TestMetricsValues(t *testing.T) {
	s := healthy()
	s.Trails.Starter = true
	s.Capture.RestartNeeded, s.Endpoint.Evicted = []string{"eth4", "eth5"}, 7
	s.Health = []Health{
		{Code: "health.capture.drops", Cause: "eth0", State: Raised},
		{Code: "health.capture.drops", Cause: "eth1", State: Raised},
		{Code: "health.trails.stale", State: Recovered},
	}
	page, got := drawn(t, s)
	for name, want := range map[string]float64{
		"build_info{goversion=go1.26,revision=0123456789ab,version=1.2.3}":  1,
		"config_last_reload_success{}":                                      1,
		"config_last_reload_timestamp_seconds{}":                            float64(noon.Unix() - 3600),
		"config_restart_pending{}":                                          1,
		"state{state=running}":                                              1,
		"state{state=draining}":                                             0,
		"ready{}":                                                           0,
		"not_ready{reason=trails.starter}":                                  1,
		"not_ready{reason=output.down}":                                     0,
		"not_ready{reason=capture.restart_needed}":                          1,
		"not_ready{reason=capture.missing}":                                 0,
		"capture_restart_needed_interfaces{}":                               2,
		"status_connections_evicted_total{}":                                7,
		"trails_loaded{}":                                                   1630214,
		"trails_generation{}":                                               3,
		"trails_reloads_total{result=ok}":                                   2,
		"trails_reloads_total{result=failed}":                               1,
		"trails_reloads_total{result=rejected}":                             0,
		"capture_packets_total{interface=eth0}":                             100,
		"capture_bytes_total{interface=eth0}":                               9000,
		"capture_drops_total{cause=ring,interface=eth0}":                    3,
		"capture_ring_freezes_total{group=eth0,interface=eth0,worker=0}":    1,
		"capture_ring_size_bytes{group=eth0,interface=eth0,worker=0}":       64 << 20,
		"capture_packets_by_type_total{interface=eth0,type=other_host}":     35,
		"capture_packets_by_kind_total{interface=eth0,kind=quic}":           0,
		"capture_packets_by_kind_total{interface=eth0,kind=dns}":            40,
		"decode_errors_total{interface=eth0,reason=not_ip}":                 10,
		"decode_errors_total{interface=eth0,reason=short_link}":             0,
		"capture_workers_running{}":                                         1,
		"events_detected_total{severity=high,source=trail,type=DNS}":        6,
		"events_detected_total{severity=medium,source=heuristic,type=PORT}": 1,
		"events_detected_total{severity=low,source=heuristic,type=CERT}":    0,
		"events_suppressed_total{reason=whitelist}":                         1,
		"events_suppressed_total{reason=rule}":                              0,
		"events_suppressed_total{reason=ignore}":                            0,
		"events_local_total{}":                                              3,
		"events_lowered_total{}":                                            2,
		"suppression_rules{state=expired}":                                  1,
		"suppression_rules{state=refused}":                                  1,
		"suppression_rules{state=elsewhere}":                                0,
		"events_dropped_total{reason=queue}":                                1,
		"events_dropped_total{reason=gate}":                                 0,
		"event_summaries_total{}":                                           1,
		"output_events_total{output=local,result=acknowledged}":             5,
		"output_events_total{output=local,result=rejected}":                 0,
		"output_events_total{output=local,result=evicted}":                  0,
		"output_healthy{output=local}":                                      1,
		"output_errors_total{class=disk,output=local}":                      3,
		"output_errors_total{class=other,output=local}":                     0,
		"output_bytes_total{output=local}":                                  900,
		"output_rotations_total{output=local}":                              0,
		"output_dead_letters_lost_total{output=local}":                      1,
		"output_dead_letters_resent_total{output=local}":                    2,
		"output_remade_total{output=local}":                                 4,
		"output_delivery_delay_seconds{output=local}":                       5,
		"health_raised{code=health.capture.drops}":                          2,
		"health_raised{code=health.trails.stale}":                           0,
		"memory_rings_bytes{}":                                              64 << 20,
		"memory_store_bound_bytes{store=gate}":                              64 << 20,
	} {
		if v, ok := got[prefix+name]; !ok || v != want {
			t.Errorf("%s is %v (present: %v), want %v", name, v, ok, want)
		}
	}
	if _, ok := got[prefix+"decode_errors_total{interface=eth0,reason=ok}"]; ok {
		t.Error("a frame that was decoded counts as an error")
	}
	if _, ok := got[prefix+"output_truncated_events_total{output=local}"]; ok {
		t.Error("an output has a counter that means nothing for it")
	}
	for _, line := range []string{`_bucket{output="local",le="0.5"} 3`, `_bucket{output="local",le="1"} 3`, `_bucket{output="local",le="+Inf"} 5`, `_sum{output="local"} 7.5`, `_count{output="local"} 5`} {
		if !bytes.Contains(page, []byte("\n"+prefix+"output_delivery_delay_seconds"+line+"\n")) {
			t.Errorf("the histogram has no %s", line)
		}
	}
	if got["go_goroutines{}"] == 0 || got["process_start_time_seconds{}"] == 0 {
		t.Error("the process's own metrics are missing")
	}
}

// A sensor that has only just started shows everything that does not depend
// on its configuration.
func TestMetricsFromTheStart(t *testing.T) {
	page, got := drawn(t, Snapshot{})
	perObject := []string{"interface", "worker", "store", "output"} // no object, no series
	for _, f := range families() {
		if slices.ContainsFunc(f.labels, func(l string) bool { return slices.Contains(perObject, l) }) {
			continue
		}
		if !bytes.Contains(page, []byte("# TYPE "+prefix+f.name+" ")) {
			t.Errorf("%s is missing", f.name)
		}
	}
	n := 0
	for name, v := range got {
		if strings.HasPrefix(name, prefix+"events_detected_total{") {
			n++
			if v != 0 {
				t.Errorf("%s is %v", name, v)
			}
		}
	}
	if n != 9*3*2 {
		t.Errorf("%d classes of events, want %d", n, 9*3*2)
	}
}

// An interface twice, names that are no text, and figures that are no numbers
// must not cost the page.
func TestMetricsOfOddSnapshots(t *testing.T) {
	s := healthy()
	s.Capture.Interfaces = append(s.Capture.Interfaces, s.Capture.Interfaces[0])
	s.Capture.Rings = append(s.Capture.Rings, s.Capture.Rings[0])
	for _, name := range []string{"a\xff", "a\xfe", "a\"\n\\}"} {
		n := s.Capture.Interfaces[0]
		n.Name, n.Alias = name, name
		s.Capture.Interfaces = append(s.Capture.Interfaces, n)
	}
	s.Outputs = append(s.Outputs, s.Outputs[0], Output{Name: "a\xff", Delays: Histogram{Bounds: []float64{2, 1}, Counts: []uint64{1}}})
	s.Detection.Findings = append(s.Detection.Findings, s.Detection.Findings[0], Finding{"HEALTH", "info", "health", 1})
	s.Trails.MaxAgeSeconds = math.NaN()
	_, got := drawn(t, s)
	for name, want := range map[string]float64{
		"capture_packets_total{interface=eth0}":                      200,
		"capture_interface_up{interface=eth0}":                       1,
		"capture_packets_total{interface=a\ufffd}":                   200,
		"capture_packets_total{interface=a\"\n\\}}":                  100,
		"output_delivery_delay_seconds{output=local}":                10,
		"events_detected_total{severity=high,source=trail,type=DNS}": 12,
	} {
		if v, ok := got[prefix+name]; !ok || v != want {
			t.Errorf("%s is %v (present: %v), want %v", name, v, ok, want)
		}
	}
}

func TestMetricsLint(t *testing.T) {
	page, _ := drawn(t, large(2, 2))
	problems, err := promlint.New(bytes.NewReader(page)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	for _, f := range families() {
		for i, c := range f.help {
			if c > 0x7e || i == 0 && (c < 'A' || c > 'Z') && c != '1' {
				t.Errorf("%s: help %q", f.name, f.help)
				break
			}
		}
		if !strings.HasSuffix(f.help, ".") {
			t.Errorf("%s: help %q does not end in a full stop", f.name, f.help)
		}
	}
	if tool, err := exec.LookPath("promtool"); err == nil {
		cmd := exec.Command(tool, "check", "metrics")
		cmd.Stdin = bytes.NewReader(page)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool: %v\n%s", err, out)
		}
	}
}

// The list of types must not fall behind the package that defines them.
func TestFindingTypesAreAll(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../event/event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, spec := range g.Specs {
			v := spec.(*ast.ValueSpec)
			if id, ok := v.Type.(*ast.Ident); !ok || id.Name != "Type" {
				continue
			}
			text, _ := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if text == string(event.HEALTH) { // counted apart
				continue
			}
			found++
			if !slices.Contains(findingTypes(), event.Type(text)) {
				t.Errorf("type %s has no series at 0", text)
			}
		}
	}
	if found != len(findingTypes()) {
		t.Errorf("%d types found, %d listed", found, len(findingTypes()))
	}
}

func BenchmarkMetrics(b *testing.B) {
	benchmarkPage(b, func(e *exporter, s *sample) ([]byte, error) { return e.draw(&s.Snapshot) })
}

func BenchmarkStatus(b *testing.B) {
	benchmarkPage(b, func(_ *exporter, s *sample) ([]byte, error) { return document(&s.Snapshot) })
}

func benchmarkPage(b *testing.B, draw func(*exporter, *sample) ([]byte, error)) {
	for _, size := range []struct {
		name                string
		interfaces, workers int
	}{{"1x4", 1, 4}, {"64x4", 64, 4}} {
		b.Run(size.name, func(b *testing.B) {
			s := &sample{Snapshot: large(size.interfaces, size.workers)}
			s.complete(noon)
			e := newExporter()
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				page, err := draw(e, s)
				if err != nil {
					b.Fatal(err)
				}
				n = len(page)
			}
			b.ReportMetric(float64(n), "B/page")
		})
	}
}

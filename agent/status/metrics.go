package status

import (
	"bytes"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"
)

// metricsType is the content type of the metrics: the text format that every
// scraper takes.
const metricsType = string(expfmt.FmtText)

// exporter draws the metrics of snapshots, one at a time.
type exporter struct {
	mu       sync.Mutex
	registry *prometheus.Registry
	families []family
	snapshot *Snapshot // under mu: what Collect reads
}

func newExporter() *exporter {
	e := &exporter{registry: prometheus.NewRegistry(), families: families()}
	e.registry.MustRegister(e, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return e
}

// draw gives the metrics of s and of the process in the text format 0.0.4.
func (e *exporter) draw(s *Snapshot) ([]byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.snapshot = s
	defer func() { e.snapshot = nil }()
	all, err := e.registry.Gather()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	encoder := expfmt.NewEncoder(&b, expfmt.FmtText)
	for _, f := range all {
		if err := encoder.Encode(f); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// Describe implements prometheus.Collector.
func (e *exporter) Describe(ch chan<- *prometheus.Desc) {
	for i := range e.families {
		ch <- e.families[i].desc
	}
}

// Collect implements prometheus.Collector. It is called by draw only.
func (e *exporter) Collect(ch chan<- prometheus.Metric) {
	var rows rows
	for i := range e.families {
		f := &e.families[i]
		if f.histogram != nil {
			collectHistograms(f, e.snapshot, ch)
			continue
		}
		rows.reset(f.kind)
		f.read(e.snapshot, rows.put)
		for i := range rows.list {
			r := &rows.list[i]
			m, err := prometheus.NewConstMetric(f.desc, f.kind, r.value, r.labels...)
			if err != nil {
				m = prometheus.NewInvalidMetric(f.desc, err)
			}
			ch <- m
		}
	}
}

// rows are the series of one family. A registry refuses two with the same
// labels and texts that are not UTF-8, and then gives no metrics at all. An
// interface that came back or has an odd name must not do that: such series
// become one, of counters the sum, of other values the highest.
type rows struct {
	list []row
	at   map[string]int
	sum  bool
}

type row struct {
	value  float64
	labels []string
}

func (r *rows) reset(kind prometheus.ValueType) {
	r.list, r.sum = r.list[:0], kind == prometheus.CounterValue
	if r.at == nil {
		r.at = make(map[string]int)
	}
	clear(r.at)
}

func (r *rows) put(value float64, labels ...string) {
	for i, l := range labels {
		labels[i] = strings.ToValidUTF8(l, "\ufffd")
	}
	key := strings.Join(labels, "\xff")
	at, again := r.at[key]
	switch {
	case !again:
		r.at[key] = len(r.list)
		r.list = append(r.list, row{value, labels})
	case r.sum:
		r.list[at].value += value
	default:
		r.list[at].value = max(r.list[at].value, value)
	}
}

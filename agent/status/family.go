package status

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// prefix of all names of metrics.
const prefix = "trailhound_"

// family is a metric with all its series.
type family struct {
	name, help string
	labels     []string
	kind       prometheus.ValueType
	// read hands the values of a snapshot to put, with the values of the
	// labels in their order.
	read func(s *Snapshot, put put)
	// histogram is read's counterpart for a family of histograms, one per output.
	histogram func(o *Output) *Histogram

	desc *prometheus.Desc
}

type put func(value float64, labels ...string)

// families are all metrics. Labels take their values from the configuration
// and from lists in this program, never from the traffic.
func families() (all []family) {
	all = append(all, sensorFamilies()...)
	all = append(all, captureFamilies()...)
	all = append(all, ringFamilies()...)
	all = append(all, eventFamilies()...)
	all = append(all, heuristicFamilies()...)
	all = append(all, retroFamilies()...)
	all = append(all, outputFamilies()...)
	for i := range all {
		f := &all[i]
		f.desc = prometheus.NewDesc(prefix+f.name, f.help, f.labels, nil)
	}
	return all
}

// gauge is a family of values that rise and fall. The labels are one text,
// separated by spaces.
func gauge(name, help, labels string, read func(s *Snapshot, put put)) family {
	return family{name: name, help: help, labels: strings.Fields(labels), kind: prometheus.GaugeValue, read: read}
}

// counter is a family of values that only rise. Its name ends in _total.
func counter(name, help, labels string, read func(s *Snapshot, put put)) family {
	return family{name: name, help: help, labels: strings.Fields(labels), kind: prometheus.CounterValue, read: read}
}

// one is a family with one series, for what needs no labels.
func one(value func(s *Snapshot) float64) func(*Snapshot, put) {
	return func(s *Snapshot, put put) { put(value(s)) }
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// instant is a time in seconds since 1970; 0: never.
func instant(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

package status

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// Histogram counts durations by their length.
type Histogram struct {
	Bounds []float64 `json:"bounds"`      // upper ends of the buckets in seconds, rising
	Counts []uint64  `json:"counts"`      // by bucket, each by itself; one more than Bounds
	Sum    float64   `json:"sum_seconds"` // of all durations
}

func (h *Histogram) complete() {
	present(&h.Bounds)
	present(&h.Counts)
}

// good says whether the parts fit together.
func (h *Histogram) good() bool {
	return len(h.Counts) == len(h.Bounds)+1 && slices.IsSorted(h.Bounds)
}

// histogram is a family of one histogram per output.
func histogram(name, help string, of func(o *Output) *Histogram) family {
	return family{name: name, help: help, labels: []string{"output"}, histogram: of}
}

// collectHistograms draws a family of histograms. Outputs of one name become one
// series, as with other metrics; without buckets there is none.
func collectHistograms(f *family, s *Snapshot, ch chan<- prometheus.Metric) {
	sums := make(map[string]*Histogram)
	var names []string
	for i := range s.Outputs {
		h, name := f.histogram(&s.Outputs[i]), strings.ToValidUTF8(s.Outputs[i].Name, "\ufffd")
		if !h.good() {
			continue
		}
		sum, again := sums[name]
		if !again {
			names = append(names, name)
			sums[name] = &Histogram{Bounds: h.Bounds, Counts: slices.Clone(h.Counts), Sum: h.Sum}
		} else if slices.Equal(sum.Bounds, h.Bounds) {
			sum.Sum += h.Sum
			for i, n := range h.Counts {
				sum.Counts[i] += n
			}
		}
	}
	for _, name := range names {
		h, upTo, count := sums[name], make(map[float64]uint64), uint64(0)
		for i, bound := range h.Bounds {
			count += h.Counts[i]
			upTo[bound] = count
		}
		count += h.Counts[len(h.Bounds)]
		m, err := prometheus.NewConstHistogram(f.desc, count, h.Sum, upTo, name)
		if err != nil {
			m = prometheus.NewInvalidMetric(f.desc, err)
		}
		ch <- m
	}
}

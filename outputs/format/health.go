package format

import (
	"math"
	"strconv"
	"time"

	"trailhound/agent/event"
)

// healthSpan is from when to when what a health event reports has lasted; the
// end is zero while it lasts. A recovery is not put before the beginning when a
// clock was set back meanwhile.
func healthSpan(e *event.Event) (start, end time.Time) {
	h := &e.Health
	if h.State == event.Recovered && !h.Since.IsZero() {
		end = e.Time
		if end.Before(h.Since) {
			end = h.Since
		}
	}
	return h.Since, end
}

// eventOfHealth says of what kind a health event is, in the words of ECS: no
// alert, and about this host, not about the network.
func (d *document) eventOfHealth(e *event.Event) {
	kind := "state"
	if e.Health.State == event.Metric {
		kind = "metric"
	}
	d.string("kind", kind)
	d.string("action", "health")
	d.string("code", string(e.Code))
	list := d.array("category")
	d.element("host")
	d.close(list)
	list = d.array("type")
	d.element("info")
	d.close(list)
}

// health writes the facts of a health event. A name that is no key, or comes a
// second time, is left out: a duplicate key makes the whole document malformed.
func (d *document) health(h *event.HealthFacts) {
	if h.State == "" && h.Cause == "" && h.Since.IsZero() && len(h.Measures) == 0 {
		return
	}
	m := d.object("health")
	d.string("state", string(h.State))
	d.time("since", h.Since)
	d.string("cause", h.Cause)
	list := d.object("measures")
	for i := range h.Measures {
		if hasMeasure(h.Measures, i) {
			d.key(h.Measures[i].Name)
			d.b = appendMeasure(d.b, &h.Measures[i])
		}
	}
	d.close(list)
	d.close(m)
}

func (x *extension) health(h *event.HealthFacts) {
	x.text("reason", h.Cause, cefText)
	x.elements("cs5", "measures", len(h.Measures), ' ', func(i int) {
		if hasMeasure(h.Measures, i) {
			x.b = append(append(x.b, h.Measures[i].Name...), `\=`...)
			x.b = appendMeasure(x.b, &h.Measures[i])
		}
	})
}

// appendMeasures appends figures as name and value with the equals sign between,
// parted by spaces.
func appendMeasures(dst []byte, list []event.Measure, equals string) []byte {
	start := len(dst)
	for i := range list {
		if !hasMeasure(list, i) {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ' ')
		}
		dst = append(append(dst, list[i].Name...), equals...)
		dst = appendMeasure(dst, &list[i])
	}
	return dst
}

// hasMeasure says whether list[i] can be written: a finite number whose name is
// a key and did not come before.
func hasMeasure(list []event.Measure, i int) bool {
	m := &list[i]
	if math.IsNaN(m.Value) || math.IsInf(m.Value, 0) || !event.ValidMeasure(m.Name) {
		return false
	}
	for j := range list[:i] {
		if list[j].Name == m.Name {
			return false
		}
	}
	return true
}

// maxWhole is where whole numbers stop being exact (2^53).
const maxWhole = 1 << 53

// appendMeasure appends a finite number as JSON has it (RFC 8259 6). A share
// always has a decimal point: Elasticsearch without a template takes the type
// of a field from the first document, and a 0 would make it a whole number.
func appendMeasure(dst []byte, m *event.Measure) []byte {
	at := len(dst)
	format := byte('f')
	if a := math.Abs(m.Value); a > maxWhole || a != 0 && a < 1e-6 {
		format = 'e'
	}
	dst = strconv.AppendFloat(dst, m.Value, format, -1, 64)
	if !m.Share {
		return dst
	}
	for _, c := range dst[at:] {
		if c == '.' || c == 'e' {
			return dst
		}
	}
	return append(dst, '.', '0')
}

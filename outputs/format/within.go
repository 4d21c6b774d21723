package format

import (
	"net/netip"
	"slices"

	"trailhound/agent/event"
	"trailhound/trails"
)

// ruleText is longer than any info and reference of the heuristics and of the
// catalogue.
const ruleText = 128

// ReduceSteps is how often Reduce can make an event smaller.
const ReduceSteps = 6

// Reduce gives a copy of the event that makes a smaller record, for transports
// with a limit; step 1 takes away least and ReduceSteps most. Texts that came
// from the network are cut to 1024>>step bytes, between characters and with
// event.TruncatedMark; lists keep 32>>step values, and the numbers that say how
// many more there were grow; of the sources the first stays, without addresses.
// Info and reference, which SIEM rules are written against, keep ruleText bytes.
// Id, times, addresses, ports, type, code, severity, digests and counts stay as
// they are.
func Reduce(e *event.Event, step int) event.Event {
	r := *e
	step = min(max(step, 1), ReduceSteps)
	text := 1024 >> step
	for _, s := range []*string{&r.Trail, &r.Observable, &r.Indicator, &r.Forwarded, &r.Interface, &r.Alias,
		&r.SrcGroup, &r.DstGroup, &r.DNS.Question, &r.HTTP.Method, &r.HTTP.Host, &r.HTTP.Target, &r.HTTP.UserAgent, &r.HTTP.ContentType,
		&r.HTTP.Body, &r.TLS.ServerName, &r.Health.Cause} {
		if len(*s) > text {
			*s, _ = event.Clean([]byte(*s), text)
		}
	}
	for _, s := range []*string{&r.Info, &r.Reference} {
		if n := max(text, ruleText); len(*s) > n {
			*s, _ = event.Clean([]byte(*s), n)
		}
	}
	values := 32 >> step
	agg := &r.Aggregate
	agg.SrcPorts, agg.MoreSrcPorts = shorten(agg.SrcPorts, values, agg.MoreSrcPorts)
	agg.DstPorts, agg.MoreDstPorts = shorten(agg.DstPorts, values, agg.MoreDstPorts)
	agg.Dsts, agg.MoreDsts = shorten[netip.Addr](agg.Dsts, values, agg.MoreDsts)
	r.DNS.Answers = shortTexts(r.DNS.Answers, values, text)
	r.Retro.Hosts, _ = shorten(r.Retro.Hosts, values, 0)
	if len(r.Health.Measures) > values {
		r.Health.Measures = r.Health.Measures[:values]
	}
	if len(r.Sources) > 0 {
		r.Sources = []trails.Source{{Name: r.Sources[0].Name}}
		if len(r.Sources[0].Name) > text {
			r.Sources = nil
		}
	}
	return r
}

// shorten cuts a list and adds what is cut off to the number of further values.
func shorten[T any](list []T, most int, more uint32) ([]T, uint32) {
	if len(list) <= most {
		return list, more
	}
	return list[:most], more + uint32(len(list)-most)
}

// shortTexts gives the first texts of a list, none longer than limit; the list
// itself stays as it is.
func shortTexts(list []string, most, limit int) []string {
	list = slices.Clone(list[:min(len(list), most)])
	for i, s := range list {
		if len(s) > limit {
			list[i], _ = event.Clean([]byte(s), limit)
		}
	}
	return list
}

// AppendWithin appends the event with an encoder so that it takes at most limit
// bytes, reducing it step by step while it takes more. The encoder gets the
// step, 0 for the event as it is. reduced says that something was left out; ok
// is false, and dst unchanged, when even the last step does not fit.
func AppendWithin(dst []byte, e *event.Event, limit int, encode func(dst []byte, e *event.Event, step int) []byte) (out []byte, reduced, ok bool) {
	at := len(dst)
	if dst = encode(dst, e, 0); len(dst)-at <= limit {
		return dst, false, true
	}
	for step := 1; step <= ReduceSteps; step++ {
		smaller := Reduce(e, step)
		if dst = encode(dst[:at], &smaller, step); len(dst)-at <= limit {
			return dst, true, true
		}
	}
	return dst[:at], true, false
}

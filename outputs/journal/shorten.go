package journal

import (
	"trailhound/agent/event"
	"trailhound/trails"
)

// Bounds for an event that does not fit into a record otherwise.
const (
	maxSources = 16
	maxURLs    = 4
	maxVLANs   = 8
	maxHosts   = 256
	maxMeasure = 64 // bytes of a name
)

// shorten gives a copy of an event that certainly fits into a record: events
// keep their bounds, so this is for what should not be. A text is cut to the
// length of the longest that an event may have.
func shorten(e *event.Event) event.Event {
	s := *e
	texts := []*string{&s.Observable, &s.Indicator, &s.Trail, &s.Info, &s.Reference, &s.Protocol, &s.Forwarded, &s.Application,
		&s.DNS.Question, &s.HTTP.Method, &s.HTTP.Host, &s.HTTP.Target, &s.HTTP.UserAgent, &s.TLS.ServerName, &s.TLS.SHA1, &s.TLS.SHA256,
		&s.Interface, &s.Alias, &s.Suppression.Rule, &s.Health.Cause, (*string)(&s.Type), (*string)(&s.Code), (*string)(&s.Direction),
		(*string)(&s.Health.State)}
	for _, t := range texts {
		*t = cut(*t, event.MaxTrail)
	}
	for _, t := range []*string{&s.CommunityID, &s.SrcGroup, &s.DstGroup, &s.HTTP.ContentType, &s.HTTP.Body, &s.TLS.JA3, &s.TLS.JA4} {
		*t = cut(*t, event.MaxEvidence)
	}
	s.DNS.Answers = make([]string, min(len(e.DNS.Answers), event.MaxAnswers))
	for i := range s.DNS.Answers {
		s.DNS.Answers[i] = cut(e.DNS.Answers[i], event.MaxEvidence)
	}
	s.Retro.Hosts = s.Retro.Hosts[:min(len(s.Retro.Hosts), maxHosts)]
	s.Sources = make([]trails.Source, min(len(e.Sources), maxSources))
	for i := range s.Sources {
		from := e.Sources[i]
		s.Sources[i] = trails.Source{Name: cut(from.Name, event.MaxEvidence), LastSeen: from.LastSeen}
		for _, u := range from.URLs[:min(len(from.URLs), maxURLs)] {
			s.Sources[i].URLs = append(s.Sources[i].URLs, cut(u, event.MaxEvidence))
		}
	}
	s.VLANs = s.VLANs[:min(len(s.VLANs), maxVLANs)]
	a := &s.Aggregate
	a.SrcPorts = a.SrcPorts[:min(len(a.SrcPorts), event.MaxValues)]
	a.DstPorts = a.DstPorts[:min(len(a.DstPorts), event.MaxValues)]
	a.Dsts = a.Dsts[:min(len(a.Dsts), event.MaxValues)]
	a.Trails = make([]string, min(len(e.Aggregate.Trails), event.MaxValues))
	for i := range a.Trails {
		a.Trails[i] = cut(e.Aggregate.Trails[i], event.MaxEvidence)
	}
	s.Health.Measures = make([]event.Measure, min(len(e.Health.Measures), event.MaxMeasures))
	for i := range s.Health.Measures {
		m := e.Health.Measures[i]
		m.Name = cut(m.Name, maxMeasure)
		s.Health.Measures[i] = m
	}
	return s
}

func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	s, _ = event.Clean([]byte(s), limit)
	return s
}

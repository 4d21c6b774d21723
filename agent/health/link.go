package health

import (
	"time"

	"trailhound/agent/event"
)

// forget is for how long an interface that is gone is followed when nothing is
// raised of it, so that one that comes and goes keeps its history.
const forget = time.Hour

// retire is for how long it is followed when something is. Without it each
// container that ever carried traffic would be silent for ever. An interface
// with a silence of its own is never retired.
const retire = 24 * time.Hour

// link is what is known of an interface. The durations are times of the clock.
type link struct {
	name, alias string
	up, there   bool
	known       bool // there has been a sample of it
	restart     bool // it could not be opened without a restart, and was not since
	seen        time.Duration

	last, total  counts // of the last sample; added up
	bytes        uint64 // since the start
	minute, five window[counts]
	hour         window[uint64] // packets

	heard   time.Duration // when the last frame was noticed
	heardAt time.Time     // the frame's stamp
	busy    bool          // more than a packet per second in the hour before that
	silence time.Duration // how long the one lasted that is raised

	drops, truncated   lossy
	oneway, onlyGroups bool
	foreign            bool
}

func newLink(name string, at time.Duration) *link {
	return &link{name: name, heard: at, seen: at,
		minute: newWindow[counts](time.Minute, 12),
		five:   newWindow[counts](5*time.Minute, 10),
		hour:   newWindow[uint64](time.Hour, 60)}
}

// label is what people call the interface.
func (l *link) label() string {
	if l.alias == "" || l.alias == l.name {
		return l.name
	}
	return l.name + " (" + l.alias + ")"
}

// take brings the links to the present sample. Of several entries with the
// same name the first counts. One that needed a restart and is deleted needs it
// still: made anew it would be as it was, and until then nothing is resolved.
func (m *Monitor) take(s Sample) {
	for _, l := range m.links {
		l.there = false
	}
	m.refusedLinks = 0
	for i := range s.Interfaces {
		in := &s.Interfaces[i]
		l := m.links[in.Name]
		if l == nil {
			if len(m.links) >= MaxInterfaces && !m.makeRoom() {
				m.refusedLinks++
				continue
			}
			l = newLink(in.Name, m.clock.at)
			m.links[in.Name] = l
		}
		if !l.there {
			l.take(m.clock.at, in)
		}
	}
}

// take brings one link to the present.
func (l *link) take(at time.Duration, in *Interface) {
	now := in.counts()
	delta, ok := now.since(l.last)
	frames := delta.packets > 0
	switch {
	case !l.known:
		delta = counts{} // what was before is not known by time
		frames = now.packets > 0
	case !ok: // made anew, and with it its numbers
		l.minute.restart()
		l.five.restart()
		frames = now.packets > 0
	}
	l.alias, l.up, l.there, l.known, l.seen = in.Alias, in.Up, true, true, at
	l.restart, l.last, l.bytes = in.RestartNeeded, now, in.Bytes
	l.advance(at)
	if frames {
		was, from := l.hour.oldest()
		l.heard, l.heardAt = at, in.Last
		l.busy = l.hour.full() && l.total.packets-was > uint64((at-from)/time.Second)
	}
	l.total.add(delta)
}

// advance moves the windows on.
func (l *link) advance(at time.Duration) {
	l.minute.enter(at, l.total)
	l.five.enter(at, l.total)
	l.hour.enter(at, l.total.packets)
}

// makeRoom gives up the link that has been gone the longest, if there is one of
// which nothing is raised.
func (m *Monitor) makeRoom() bool {
	var oldest *link
	for _, l := range m.links {
		if l.there || m.opt.SilenceBy[l.name] > 0 || m.trouble(l) {
			continue
		}
		if oldest == nil || l.seen < oldest.seen || l.seen == oldest.seen && l.name < oldest.name {
			oldest = l
		}
	}
	if oldest != nil {
		delete(m.links, oldest.name)
	}
	return oldest != nil
}

// keeps says whether a link is still to be followed.
func (m *Monitor) keeps(l *link) bool {
	gone := m.clock.at - l.seen
	switch {
	case l.there, m.opt.SilenceBy[l.name] > 0:
		return true
	case !m.wanted(l):
		return false
	case !l.known: // was followed for its silence alone
		return false
	case l.busy && m.silenceOf(l) > 0, m.trouble(l):
		return gone < retire
	}
	return gone < forget
}

// wanted says whether the link is to be captured, if anybody knows.
func (m *Monitor) wanted(l *link) bool { return m.opt.Wanted == nil || m.opt.Wanted(l.name) }

// trouble says whether anything is raised of the link.
func (m *Monitor) trouble(l *link) bool {
	for _, code := range linkCodes {
		if m.raised(key{code, l.name}) {
			return true
		}
	}
	return false
}

// release gives a link up and ends what is raised of it.
func (m *Monitor) release(l *link) {
	info := l.label() + " is gone and not watched any more"
	if !m.wanted(l) {
		info = l.label() + " is not to be captured any more"
	}
	for _, code := range linkCodes {
		if m.raised(key{code, l.name}) {
			m.set(key{code, l.name}, finding{judged: true, info: info, alias: l.alias})
		}
	}
	delete(m.links, l.name)
}

// linkCodes are the conditions of a link, in the order in which they are
// said.
var linkCodes = [...]event.Code{
	event.HealthCaptureSilent, event.HealthCaptureDrops, event.HealthCaptureTruncated, event.HealthCaptureOneway,
	event.HealthCaptureBroadcast, event.HealthCaptureRestartNeeded, event.HealthDetectionHome,
}

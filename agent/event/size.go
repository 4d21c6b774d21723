package event

// Size estimates the memory of an event in bytes: its fields and its texts. It
// is what stores of events are bounded by.
func (e *Event) Size() int {
	trails := 0
	for _, t := range e.Aggregate.Trails {
		trails += 16 + len(t)
	}
	return trails + 1024 + len(e.Trail) + len(e.Observable) + len(e.Indicator) + len(e.Forwarded) + len(e.DNS.Question) +
		len(e.HTTP.Host) + len(e.HTTP.Target) + len(e.HTTP.UserAgent) + len(e.HTTP.Method) + len(e.TLS.ServerName)
}

package event

// Size estimates the memory of an event in bytes: its fields and its texts. It
// is what stores of events are bounded by. Texts that all events of a trail or a
// sensor share are not counted.
func (e *Event) Size() int {
	const fields = 1088
	lists := 16*len(e.DNS.Answers) + 24*len(e.Retro.Hosts)
	for _, t := range e.Aggregate.Trails {
		lists += 16 + len(t)
	}
	for _, a := range e.DNS.Answers {
		lists += len(a)
	}
	return fields + lists + len(e.Trail) + len(e.Observable) + len(e.Indicator) + len(e.Forwarded) + len(e.CommunityID) + len(e.DNS.Question) +
		len(e.HTTP.Host) + len(e.HTTP.Target) + len(e.HTTP.UserAgent) + len(e.HTTP.Method) + len(e.HTTP.ContentType) + len(e.HTTP.Body) +
		len(e.TLS.ServerName) + len(e.TLS.SHA1) + len(e.TLS.SHA256) + len(e.TLS.JA3) + len(e.TLS.JA4)
}

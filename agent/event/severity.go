package event

// String gives the severity's label.
func (s Severity) String() string {
	switch s {
	case Low:
		return "low"
	case Medium:
		return "medium"
	case High:
		return "high"
	}
	return "info"
}

// CEF is the number of the severity on CEF's scale 0-10, which is also ECS
// event.severity, so that both routes into a SIEM agree.
func (s Severity) CEF() int {
	return [...]int{1, 3, 5, 8}[s&3]
}

// Risk is the customary ECS event.risk_score of the severity; 0 for Info.
func (s Severity) Risk() int {
	return [...]int{0, 21, 47, 73}[s&3]
}

// Syslog is the severity on syslog's scale (RFC 5424 6.2.1): lower is worse.
func (s Severity) Syslog() int {
	return [...]int{6, 5, 4, 2}[s&3]
}

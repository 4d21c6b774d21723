package event

import "time"

// Threshold is the number that a heuristic compares with, of the reference where
// it is not configured: it is raised above it. Whole says that it counts.
// Codes without a threshold give ok false.
func (c Code) Threshold() (value float64, whole, ok bool) {
	switch c {
	case ScanPort, ScanUDP, ScanWeb:
		return 10, true, true // ports, or first segments of paths
	case ScanInfection:
		return 32, true, true // hosts
	case DNSExhaustion:
		return 1000, true, true // names below a domain
	case DNSNXDomain:
		return 20, true, true // answers
	case DNSLong:
		return 24, true, true // characters of the first label
	case DNSDGAEntropy:
		return 3.5, false, true // bits
	case DNSDGAConsonant:
		return 9, true, true // consonants
	}
	return 0, false, false
}

// Window is the time in which a heuristic counts, of the reference where it is
// not configured. Codes that count nothing over time give ok false.
func (c Code) Window() (w time.Duration, ok bool) {
	switch c {
	case ScanPort, ScanUDP, ScanWeb, ScanInfection:
		return 30 * time.Second, true
	case DNSExhaustion:
		return time.Minute, true
	case DNSNXDomain:
		return time.Hour, true
	}
	return 0, false
}

package event

import "strings"

// Confidence is how sure an event is, 0-100, when its source does not say: 90
// for the static tree and the operator's lists, 30 for a heuristic, 50 for
// other feeds. It is independent of the severity.
func Confidence(reference string, heuristic bool) uint8 {
	switch {
	case heuristic:
		return 30
	case isCustom(reference), strings.Contains(reference, "(static)"):
		return 90
	}
	return 50
}

// ConfidenceLabel is the ECS threat.indicator.confidence of a confidence, by
// thirds: Low to 33, Medium to 66, High above.
func ConfidenceLabel(c uint8) string {
	switch {
	case c <= 33:
		return "Low"
	case c <= 66:
		return "Medium"
	}
	return "High"
}

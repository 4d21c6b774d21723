package suppress

import (
	"fmt"
	"net/netip"
	"strings"

	"trailhound/agent/event"
)

// Scope says where rules are compiled: what their sensors, labels and names of
// networks mean.
type Scope struct {
	Sensor   *event.Identity           // nil: every rule is for this sensor
	Networks map[string][]netip.Prefix // home networks by name

	elsewhere bool // the rule is for others, which may have other home networks
}

// isHere says whether the rule is for this sensor.
func (r *Rule) isHere(scope *Scope) (here bool, errs []error) {
	sensor := every(r.Sensors, func(text string) bool {
		ok, err := isSensor(text, scope.Sensor)
		if err != nil {
			errs = append(errs, fmt.Errorf("sensors: %w", err))
		}
		return ok
	})
	label := every(r.Label, func(text string) bool {
		ok, err := isLabel(text, scope.Sensor)
		if err != nil {
			errs = append(errs, fmt.Errorf("label: %w", err))
		}
		return ok
	})
	return sensor && label, errs
}

// every says whether one of the values holds, and none of those behind "!".
func every(values []string, holds func(string) bool) bool {
	some, wanted, avoided := false, false, false
	for _, text := range values {
		if value, not := strings.CutPrefix(text, "!"); not {
			avoided = holds(value) || avoided
		} else {
			some, wanted = holds(value) || some, true
		}
	}
	return (some || !wanted) && !avoided
}

// isSensor compares a glob with the sensor's name and id.
func isSensor(text string, id *event.Identity) (bool, error) {
	if text == "" {
		return false, errEmpty
	}
	g, err := readGlob(text)
	if err != nil {
		return false, fmt.Errorf("%q: %w", clip(text), err)
	}
	return id != nil && (g.match(strings.ToLower(id.Name)) || g.match(strings.ToLower(id.ID))), nil
}

// isLabel compares "name=value", the value being a glob, with the labels.
func isLabel(text string, id *event.Identity) (bool, error) {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return false, fmt.Errorf("%q is no label, write one such as site=berlin", clip(text))
	}
	g, err := readGlob(value)
	if err != nil {
		return false, fmt.Errorf("%q: %w", clip(text), err)
	}
	if id == nil {
		return false, nil
	}
	has, ok := id.Labels[name]
	return ok && g.match(strings.ToLower(has)), nil
}

package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"gopkg.in/yaml.v3"

	"trailhound/agent/config"
	"trailhound/outputs/csv"
)

// check finds what is wrong with what the configuration speaks of, and load did
// not have to look at: the capture filter, whitelists, rules. A start and a reload
// come across the same, each in its place.
func (a *app) check(c *config.Config) error {
	_, filterErr := a.compileFilter(c)
	_, whitelistErr := a.openWhitelist(c, nil)
	return errors.Join(filterErr, whitelistErr, a.checkSuppression(c))
}

// checkFiles finds outputs that would write to one file: each would rotate it
// under the other. Outputs that are not for this sensor do not count.
func checkFiles(c *config.Config) error {
	var all []error
	first := make(map[string]string) // names of outputs by path
	for i := range c.Outputs {
		o := &c.Outputs[i]
		if o.Type != "csv" || !meant(o, c.Sensor.Labels) {
			continue
		}
		opt, err := csv.Decode(o.Node)
		if err != nil {
			continue // which checkOutputs says
		}
		path := filepath.Clean(opt.Path)
		if name, taken := first[path]; taken {
			// The path itself may have come from a secret.
			all = append(all, outputError(o, fmt.Errorf("%spath: output %s writes to the same file", placeOf(o.Node, "path"), name)))
			continue
		}
		first[path] = o.Name
	}
	return errors.Join(all...)
}

// placeOf gives "line:column: " of the value of a key, nothing if it has none.
func placeOf(node *yaml.Node, key string) string {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if v := node.Content[i+1]; node.Content[i].Value == key && v.Line > 0 {
			return fmt.Sprintf("%d:%d: ", v.Line, v.Column)
		}
	}
	return ""
}

// Package trailhound holds the files that are built into the program.
package trailhound

import _ "embed"

// ConfigYAML is config.yaml, the documented default configuration: what
// packages install and `trailhound config sample` prints.
//
//go:embed config.yaml
var ConfigYAML []byte

// Package config is config.yaml as typed values: the schema with its defaults,
// strict reading with drop-ins, and what is said of every key.
//
// The schema is the structs of this package. Each field's tags give its key,
// default (as YAML text), help, limits, and whether a reload or a restart takes
// a change; defaults, checks, `config show` and docs/configuration.md all come
// from them.
//
// The way in: bytes become a tree of nodes with positions (syntax.go, tree.go),
// files and --set are merged (merge.go, set.go), ${...} is expanded (expand.go),
// and the tree is decoded into the structs (decode.go) and checked as a whole
// (validate.go). Every problem found on the way is kept, up to MaxErrors.
package config

// Config is the whole configuration. It prints with secrets masked, whatever
// prints it. It is immutable once loaded: a reload makes a new one.
type Config struct {
	Sensor    Sensor    `key:"sensor" doc:"who this sensor is; goes out with every event"`
	Capture   Capture   `key:"capture" doc:"where frames come from"`
	Trails    Trails    `key:"trails" doc:"the indicators, and what is never reported"`
	Detection Detection `key:"detection" doc:"what is looked for"`
	Retro     Retro     `key:"retro" doc:"looking back when new trails arrive"`
	Event     Event     `key:"event" doc:"what events carry"`
	Suppress  Suppress  `key:"suppress" doc:"what is held back or folded together"`
	Journal   Journal   `key:"journal" doc:"the durable event log between detection and outputs"`
	Outputs   []Output  `key:"outputs" default:"[{name: local, type: csv, path: /var/log/trailhound/events.csv}]" take:"reload" maltrail:"LOG_DIR LOG_SERVER SYSLOG_SERVER LOGSTASH_SERVER REMOTE_SEVERITY_REGEX" doc:"where events go, one entry per destination; changed outputs go on at their cursor, new ones start at the end"`
	Health    Health    `key:"health" doc:"what the sensor says of itself"`
	Status    Status    `key:"status" doc:"the status endpoint"`
	Log       Log       `key:"log" doc:"the program's own log, on standard error"`
	State     string    `key:"state" default:"/var/lib/trailhound" take:"restart" check:"path" doc:"directory for everything that outlives the process: journal, compiled trails, identity"`

	origin map[string]pos    // where each given key stands
	masked map[string]string // the text with ${...} of each value that came through it
	drops  []string          // the drop-in files that were read
	passed []string          // the files beside them that were not
}

// Default gives the built-in defaults: what an empty file means.
func Default() *Config {
	c, err := build(nil, Options{})
	if err != nil {
		panic("BUG: the built-in defaults are not valid: " + err.Error())
	}
	return c
}

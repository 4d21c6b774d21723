// Package status shows what the sensor is doing: over HTTP as health,
// readiness, JSON and Prometheus metrics, and to the status command as a
// client of the same.
//
// The sensor hands in one function that gives a Snapshot. It is asked at most
// once per MaxAge, whoever asks and how often: all pages are drawn from one
// snapshot, each of them once, so a scrape costs the packet path nothing and a
// flood of requests costs little more than one. A snapshot carries no secret,
// no trail and no address of the traffic.
package status

import "time"

// The states of a sensor.
const (
	Starting = "starting"
	Running  = "running"
	Draining = "draining" // asked to end: events in hand still go out
)

// Snapshot is the state of a sensor at one time: the document at /status.
// Names of fields are stable; new ones may be added. Counters run since the
// start of the process. Times are UTC and absent when there is none yet, ages
// and durations are in seconds, sizes in bytes.
type Snapshot struct {
	Time          time.Time `json:"time"` // of this snapshot
	Version       Version   `json:"version"`
	Sensor        Sensor    `json:"sensor"`
	Config        Config    `json:"config"`
	StartedAt     time.Time `json:"started_at,omitzero"`
	UptimeSeconds float64   `json:"uptime_seconds"`
	State         string    `json:"state"`   // starting, running or draining
	Ready         bool      `json:"ready"`   // see NotReady
	Reasons       []Reason  `json:"reasons"` // why it is not ready
	Trails        Trails    `json:"trails"`
	Capture       Capture   `json:"capture"`
	Detection     Detection `json:"detection"`
	Gate          Gate      `json:"gate"`
	Retro         Retro     `json:"retro"`
	Suppress      Suppress  `json:"suppress"`
	Journal       Journal   `json:"journal"`
	Outputs       []Output  `json:"outputs"`
	Health        []Health  `json:"health"`
	Memory        Memory    `json:"memory"`
	Endpoint      Endpoint  `json:"endpoint"`
}

// Endpoint is what the status endpoint says of itself. The server fills it in.
type Endpoint struct {
	Connections uint64 `json:"connections"` // held at present
	// Evicted counts those that were closed to make room for a newer one.
	Evicted uint64 `json:"evicted"`
}

// Version is what program this is.
type Version struct {
	Version   string `json:"version"`
	Revision  string `json:"revision"` // commit; empty when unknown
	GoVersion string `json:"goversion"`
}

// Sensor is who this is, as in every event.
type Sensor struct {
	Name   string            `json:"name"`
	ID     string            `json:"id"`
	Labels map[string]string `json:"labels"`
}

// Config is the configuration in effect.
type Config struct {
	Hash       string    `json:"hash"` // of the effective values; the same on sensors configured alike
	LoadedAt   time.Time `json:"loaded_at,omitzero"`
	LastReload Reload    `json:"last_reload"`
	// RestartPending are the keys whose configured values wait for a restart, in
	// the order of the file.
	RestartPending []string `json:"restart_pending"`
}

// Reload is the last attempt to load the configuration; the first is the start.
type Reload struct {
	OK    bool      `json:"ok"`
	At    time.Time `json:"at,omitzero"`
	Error string    `json:"error,omitempty"` // no values: they may be secrets
}

// Trails is the trail table in use.
type Trails struct {
	Source        string    `json:"source"` // path of the table, or "starter"
	Starter       bool      `json:"starter"`
	Generation    uint64    `json:"generation"` // counts tables since the start, from 1
	Count         uint64    `json:"count"`
	SizeBytes     uint64    `json:"size_bytes"`
	CreatedAt     time.Time `json:"created_at,omitzero"`
	AgeSeconds    float64   `json:"age_seconds"`
	MaxAgeSeconds float64   `json:"max_age_seconds"` // 0: any age will do
	Reloads       Reloads   `json:"reloads"`
	Faults        uint64    `json:"faults"` // batches in which the table could not be read
}

// Reloads counts attempts to load a table after the first one.
type Reloads struct {
	OK       uint64 `json:"ok"`
	Failed   uint64 `json:"failed"`   // not a good table
	Rejected uint64 `json:"rejected"` // a good one that lost too many trails
}

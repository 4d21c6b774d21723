package event

// Identity says which sensor speaks. It is the same for all events of a
// process, so it is handed to formats beside the event, not inside it.
type Identity struct {
	Name     string            // sensor.name, the host name by default
	ID       string            // stable over restarts
	Hostname string            // of the machine
	Version  string            // of the program
	Labels   map[string]string // the operator's
}

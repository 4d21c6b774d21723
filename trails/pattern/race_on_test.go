//go:build race

package pattern

// raceEnabled: the race detector makes sync.Pool forget, which package regexp
// then pays with allocations.
const raceEnabled = true

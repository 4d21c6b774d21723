//go:build race

package tests

// raceEnabled: the race detector makes sync.Pool forget, which package regexp
// then pays with allocations.
const raceEnabled = true

package main

import (
	"path/filepath"
	"strings"
	"testing"

	"trailhound/agent/config"
)

// TestHomeFlaw: home networks that tell no sides apart are allowed, and said by
// doctor, by config check and while the sensor runs.
func TestHomeFlaw(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yaml")
	for _, c := range []struct {
		networks, status, want string
	}{
		{"{office: [10.0.0.0/8, 192.0.2.0/24], lab: [2001:db8::/32]}", statusOK, "3 networks in 2 groups"},
		{"{}", statusWarn, "detection.home_networks is empty, so the direction of every event is unknown"},
		{"{office: []}", statusWarn, "detection.home_networks is empty"},
		{"{office: [10.0.0.0/8], all: [0.0.0.0/0]}", statusWarn, "detection.home_networks.all has 0.0.0.0/0"},
		{"{office: [10.0.0.0/8, '::/0']}", statusWarn, "detection.home_networks.office has ::/0"},
	} {
		writeTest(t, file, "detection: {home_networks: "+c.networks+"}\n")
		loaded, err := config.Load(config.Options{File: file, Explicit: true})
		if err != nil {
			t.Fatal(err)
		}
		action := ""
		if c.status == statusWarn {
			action = "detection.home_networks"
		}
		checkHome(loaded).is(t, c.networks, c.status, c.want, action)
		code, said := checkRun(t, file, "config", "check")
		if code != exitDone || strings.Contains(said, c.want) != (c.status == statusWarn) {
			t.Errorf("config check of %s: %d\n%s", c.networks, code, said)
		}
	}
}

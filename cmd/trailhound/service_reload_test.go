package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"trailhound/agent/config"
	"trailhound/agent/status"
)

// TestServiceRestartPending: each reload names all keys that wait for a
// restart, and status shows them, until they are as the sensor runs again.
func TestServiceRestartPending(t *testing.T) {
	c := newClinic(t)
	_, _, dir := c.nobody(t)
	file, socket := filepath.Join(c.dir, "pending", "c.yaml"), filepath.Join(dir, "status.sock")
	write := func(spare int, format, level string) {
		t.Helper()
		writeTest(t, filepath.Join(filepath.Dir(file), "conf.d", "later.yaml"),
			fmt.Sprintf("capture: {spare_sockets: %d}\nlog: {level: %s, format: %s}\n", spare, level, format))
	}
	write(2, "json", "info")
	configure(t, file, "state: %s\noutputs: []\nstatus: {listen: \"unix:%s\"}\n", dir, socket)
	s := c.run(t, file, "nobody")
	s.until("capturing", says("capturing"))
	client, err := status.NewClient("unix:" + socket)
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range []struct {
		spare         int
		format, level string
		want          []string
	}{
		{3, "json", "info", []string{"capture.spare_sockets"}},
		{3, "json", "info", []string{"capture.spare_sockets"}}, // nothing new, and still so
		{3, "json", "debug", []string{"capture.spare_sockets"}},
		{3, "auto", "debug", []string{"capture.spare_sockets", "log.format"}},
		{2, "auto", "debug", []string{"log.format"}},
		{2, "json", "debug", nil},
	} {
		write(step.spare, step.format, step.level)
		s.cmd.Process.Signal(syscall.SIGHUP)
		s.until(fmt.Sprint("reload ", i), says("configuration loaded"))
		if len(step.want) > 0 {
			l := s.until(fmt.Sprint("the keys of reload ", i), says("changes that need a restart"))
			if want := fmt.Sprint(step.want); "["+l.Keys+"]" != want {
				t.Errorf("reload %d: it names %q, want %s", i, l.Keys, want)
			}
		}
		var have []string
		eventually(t, func() string { return fmt.Sprintf("reload %d: status shows %q, want %q", i, have, step.want) }, func() bool {
			now, _, err := client.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			have = now.Config.RestartPending
			return slices.Equal(have, step.want)
		})
	}
	if err := s.end(syscall.SIGTERM); err != nil {
		t.Errorf("the end: %v", err)
	}
	if n := s.count("changes that need a restart"); n != 5 {
		t.Errorf("said %d times, want 5", n)
	}
}

// What the monitor takes for an interface that is to be captured.
func TestHealthOptionsWanted(t *testing.T) {
	for _, w := range []struct {
		interfaces []string
		name       string
		want       bool
	}{
		{[]string{"any"}, "veth7", true},
		{[]string{"any"}, "any", true},
		{[]string{"eth0", "veth*"}, "veth7", true},
		{[]string{"eth0", "veth*"}, "eth0", true},
		{[]string{"eth0", "veth*"}, "eth1", false},
		{[]string{"eth[0-1]"}, "eth1", true},
	} {
		c := config.Default()
		c.Capture.Interfaces = nil
		for _, name := range w.interfaces {
			c.Capture.Interfaces = append(c.Capture.Interfaces, config.Interface{Name: name})
		}
		if got := healthOptions(c).Wanted(w.name); got != w.want {
			t.Errorf("%q of %q: %v, want %v", w.name, w.interfaces, got, w.want)
		}
	}
}

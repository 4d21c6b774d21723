package config

import (
	"slices"
	"testing"
)

func paths(keys []Key) (list []string) {
	for _, k := range keys {
		list = append(list, k.Path)
	}
	return list
}

func TestChanged(t *testing.T) {
	base := "capture: {silence: {default: 5m, eth3: 1h}}\ntrails: {update: {from: /a}}\noutputs: [{name: a, type: csv, x: {b: 1, c: 2}}]\n"
	for _, c := range []struct {
		text string
		want []string
	}{
		{base, nil},
		{"outputs:\n- {type: csv, x: {c: 2, b: 1}, name: a}\ntrails: {update: {from: /a}}\ncapture: {silence: {eth3: 60m}}\n", nil},
		{base + "log: {level: debug}\n", []string{"log.level"}},
		{"capture: {silence: {default: 5m, eth3: 1h}, workers: 2}\ntrails: {update: {from: /b}}\noutputs: [{name: a, type: csv, x: {b: 1, c: 3}}]\n", []string{"capture.workers", "trails.update.from", "outputs"}},
	} {
		have := Changed(mustLoad(t, one(base), nil), mustLoad(t, one(c.text), nil))
		if !slices.Equal(paths(have), c.want) {
			t.Errorf("%q: %v", c.text, paths(have))
		}
	}
	keys := Changed(Default(), mustLoad(t, one("capture: {workers: 2}\nlog: {level: debug}\n"), nil))
	if len(keys) != 2 || keys[0].Take != Restart || keys[1].Take != Reload {
		t.Errorf("%v", keys)
	}
}

func TestUnbuilt(t *testing.T) {
	text := `capture:
  workers: 2
  filter: not port 22
  interfaces:
  - eth0
  - name: eth1
    group: tap
    outgoing: auto
  silence:
    eth1: 1h
outputs:
- {name: local, type: csv, path: /var/log/trailhound/events.csv}
- name: siem
  type: syslog
  health: false
log:
  level: info
`
	c := mustLoad(t, one(text), set("retro.persist=true"))
	built := map[string]bool{"capture.workers": true, "capture.interfaces": true, "outputs": true}
	want := []string{
		"config.yaml:7: capture.interfaces[1].group has no effect in this version",
		"config.yaml:3: capture.filter has no effect in this version",
		"config.yaml:10: capture.silence has no effect in this version",
		"--set: retro.persist has no effect in this version",
		"config.yaml:15: outputs.siem.health has no effect in this version",
	}
	var have []string
	for _, w := range c.Unbuilt(func(key string) bool { return built[key] }) {
		have = append(have, w.String())
	}
	if !slices.Equal(have, want) {
		t.Errorf("have %q", have)
	}
	if list := c.Unbuilt(func(string) bool { return true }); len(list) != 0 {
		t.Errorf("all is built, yet %v", list)
	}
	if list := Default().Unbuilt(func(string) bool { return false }); len(list) != 0 {
		t.Errorf("all is default, yet %v", list)
	}
}

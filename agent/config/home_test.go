package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// groups gives the home networks as text.
func groups(c *Config) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(c.Detection.HomeNetworks)) {
		out = append(out, fmt.Sprint(name, c.Detection.HomeNetworks[name]))
	}
	return strings.Join(out, " ")
}

func TestHomeGroups(t *testing.T) {
	const rest = "172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 169.254.0.0/16 fc00::/7 fe80::/10]"
	home := func(text string) string { return "detection:\n  home_networks: " + text + "\n" }
	for _, c := range []struct {
		name, file, dropIn string
		set                []string
		want, problem      string
	}{
		{"default", "", "", nil, "private[10.0.0.0/8 " + rest, ""},
		{"none", home("{}"), "", nil, "", ""},
		{"a file", home("{office: [10.0.0.0/8], lab: [192.0.2.0/24]}"), "", nil, "lab[192.0.2.0/24] office[10.0.0.0/8]", ""},
		{"a drop-in against the default", "", home("{servers: [10.0.0.0/8]}"), nil, "private[" + rest + " servers[10.0.0.0/8]", ""},
		{"a drop-in against the file", home("{a: [10.0.0.0/8, 192.0.2.0/24]}"), home("{b: [10.0.0.0/8]}"), nil, "a[192.0.2.0/24] b[10.0.0.0/8]", ""},
		{"one network in another", home("{a: [10.0.0.0/8], b: [10.1.0.0/16]}"), "", nil, "a[10.0.0.0/8] b[10.1.0.0/16]", ""},
		{"set one", "", "", []string{"detection.home_networks.x=[10.0.0.0/8]"}, "private[" + rest + " x[10.0.0.0/8]", ""},
		{"set all", "", "", []string{"detection.home_networks={x: [192.0.2.0/24]}"}, "x[192.0.2.0/24]", ""},
		{"set none", home("{a: [10.0.0.0/8]}"), home("{b: [192.0.2.0/24]}"), []string{"detection.home_networks={}"}, "", ""},
		{"set all, then one", "", "", []string{"detection.home_networks={x: [192.0.2.0/24]}", "detection.home_networks.y=[10.0.0.0/8]"}, "x[192.0.2.0/24] y[10.0.0.0/8]", ""},
		{"twice", home("{b: [192.0.2.0/24], a: [10.0.0.0/8, 192.0.2.0/24]}"), "", nil, "",
			"config.yaml:2:23: detection.home_networks.b[0]: 192.0.2.0/24 is in a as well, at "},
		{"twice in a group", home("{a: [10.0.0.0/8, 10.0.0.0/8]}"), "", nil, "a[10.0.0.0/8 10.0.0.0/8]", ""},
		{"reserved", home("{sensor: [10.0.0.0/8]}"), "", nil, "", "config.yaml:2:27: detection.home_networks.sensor: the key is not a name of networks, it is that of this host's own addresses"},
		{"not to be named", home("{'!x': [10.0.0.0/8]}"), "", nil, "", "config.yaml:2:25: detection.home_networks.!x: the key is not a name of networks, want 1 to 64 letters"},
		{"an address", home("{10.0.0.1: [10.0.0.0/8]}"), "", nil, "", "the key is not a name of networks"},
		{"a long name", home("{" + strings.Repeat("x", 65) + ": [10.0.0.0/8]}"), "", nil, "", "the key is not a name of networks"},
		{"set reserved", "", "", []string{"detection.home_networks.sensor=[10.0.0.0/8]"}, "", "--set: detection.home_networks.sensor: the key is not a name"},
	} {
		files := map[string]string{"config.yaml": c.file}
		if c.dropIn != "" {
			files["conf.d/1.yaml"] = c.dropIn
		}
		got, err := load(t, files, set(c.set...))
		switch {
		case c.problem != "":
			if err == nil || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("%s: %v, want %s", c.name, err, c.problem)
			}
		case err != nil:
			t.Errorf("%s: %v", c.name, err)
		case groups(got) != c.want:
			t.Errorf("%s: %s, want %s", c.name, groups(got), c.want)
		}
	}
}

package config

import (
	"slices"
	"testing"
	"time"
)

func names(c *Config) []string {
	var list []string
	for _, o := range c.Outputs {
		list = append(list, o.Name)
	}
	return list
}

func TestDropIns(t *testing.T) {
	c := mustLoad(t, map[string]string{
		"config.yaml":          "capture: {workers: 2, interfaces: [eth0]}\noutputs:\n- {name: local, type: csv, path: /a}\n- {name: siem, type: syslog, address: x, tls: {ca: /ca, verify: true}}\n",
		"conf.d/20-b.yaml":     "capture: {workers: 4}\noutputs: [{name: siem, tls: {verify: false}}]\n",
		"conf.d/10-a.yaml":     "capture: {workers: 3, interfaces: [eth1, eth2]}\noutputs: [{name: local, remove: true}, {name: elk, type: elasticsearch}]\n",
		"conf.d/30.yaml.bak":   "nonsense",
		"conf.d/.hidden.yaml":  "nonsense",
		"conf.d/sub/deep.yaml": "nonsense",
	}, nil)
	if c.Capture.Workers != 4 || len(c.Capture.Interfaces) != 2 {
		t.Errorf("capture %+v", c.Capture)
	}
	if have := names(c); !slices.Equal(have, []string{"siem", "elk"}) {
		t.Errorf("outputs %v", have)
	}
	var siem struct {
		Address string
		TLS     struct {
			CA     string `yaml:"ca"`
			Verify bool   `yaml:"verify"`
		} `yaml:"tls"`
		A string `yaml:"address"`
	}
	siem.TLS.Verify = true
	if err := c.Outputs[0].Decode(&siem); err != nil || siem.A != "x" || siem.TLS.CA != "/ca" || siem.TLS.Verify {
		t.Errorf("siem %+v, %v", siem, err)
	}
	if have := c.DropIns(); !slices.Equal(have, []string{"conf.d/10-a.yaml", "conf.d/20-b.yaml"}) {
		t.Errorf("drop-ins %v", have)
	}
}

// A drop-in means the same beside an empty and beside the spelled-out file; the
// file itself replaces the defaults.
func TestDropInsMeetDefaults(t *testing.T) {
	drop := "outputs: [{name: siem, type: syslog}]\ndetection: {home_networks: {office: [192.0.2.0/24]}}\ncapture: {silence: {eth3: 12h}}\n"
	spelled := "outputs: [{name: local, type: csv, path: /var/log/trailhound/events.csv}]\ncapture: {silence: 5m}\n"
	empty := mustLoad(t, map[string]string{"conf.d/a.yaml": drop}, nil)
	full := mustLoad(t, map[string]string{"config.yaml": spelled, "conf.d/a.yaml": drop}, nil)
	if changed := Changed(empty, full); len(changed) > 0 {
		t.Errorf("differ in %v", changed)
	}
	if have := names(empty); !slices.Equal(have, []string{"local", "siem"}) {
		t.Errorf("outputs %v", have)
	}
	if len(empty.Detection.HomeNetworks) != 2 || empty.Capture.Silence.Default != 5*time.Minute {
		t.Errorf("%s", empty)
	}
	own := mustLoad(t, one(drop), nil)
	if have := names(own); !slices.Equal(have, []string{"siem"}) || len(own.Detection.HomeNetworks) != 1 {
		t.Errorf("outputs %v, networks %v", have, own.Detection.HomeNetworks)
	}
}

func TestRemove(t *testing.T) {
	c := mustLoad(t, map[string]string{
		"config.yaml":   "outputs: [{name: a, type: csv, path: /a}, {name: b, type: csv, remove: false}]\n",
		"conf.d/1.yaml": "outputs: [{name: a, remove: true}, {name: a, type: syslog}]\ntrails: {sources: [{name: x, enabled: false, url: 'http://a/'}]}\nsuppress: {rules: [{name: r, code: scan.web}]}\n",
		"conf.d/2.yaml": "trails: {sources: [{name: x, remove: true}, {name: y}]}\nsuppress: {rules: [{name: r, remove: true}]}\n",
	}, nil)
	if have := names(c); !slices.Equal(have, []string{"b", "a"}) || c.Outputs[1].Type != "syslog" || len(c.Outputs[1].Node.Content) != 0 {
		t.Errorf("outputs %v", c.Outputs)
	}
	if len(c.Trails.Sources) != 1 || c.Trails.Sources[0].Name != "y" || c.Trails.Sources[0].Enabled != nil || len(c.Suppress.Rules) != 0 {
		t.Errorf("%s", c)
	}
	_, err := load(t, map[string]string{"conf.d/1.yaml": "outputs: [{name: locla, remove: true}, {name: local, remove: true, type: csv}]\n"}, nil)
	want := "conf.d/1.yaml:1:11: outputs.locla: nothing of this name to remove, did you mean local?\n" +
		"conf.d/1.yaml:1:54: outputs.local.remove: an entry that removes has a name and nothing else"
	if err == nil || err.Error() != want {
		t.Errorf("have\n%v\nwant\n%s", err, want)
	}
}

func TestSilenceMerges(t *testing.T) {
	c := mustLoad(t, map[string]string{
		"config.yaml":   "capture: {silence: 9m}\n",
		"conf.d/1.yaml": "capture: {silence: {eth3: 12h}}\n",
		"conf.d/2.yaml": "capture: {silence: off}\n",
	}, nil)
	if s := c.Capture.Silence; s.Default != 0 || s.For("eth3") != 12*time.Hour {
		t.Errorf("%+v", s)
	}
}

func TestDropInErrorsNameTheirFile(t *testing.T) {
	_, err := load(t, map[string]string{
		"config.yaml":   "outputs: [{name: siem, type: syslog, format: cef}]\n",
		"conf.d/1.yaml": "outputs:\n  - name: siem\n    fromat: cef\n",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := mustLoad(t, map[string]string{
		"config.yaml":   "outputs: [{name: siem, type: syslog, format: cef}]\n",
		"conf.d/1.yaml": "outputs:\n  - name: siem\n    fromat: cef\n",
	}, nil)
	var into struct {
		Format string `key:"format" oneof:"cef json"`
	}
	err = c.Outputs[0].Decode(&into)
	if err == nil || err.Error() != "conf.d/1.yaml:3:5: outputs.siem.fromat: unknown key, did you mean outputs.siem.format?" {
		t.Error(err)
	}
}

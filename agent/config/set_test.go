package config

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func set(args ...string) func(*Options) {
	return func(o *Options) {
		o.Set = args
		o.Getenv = func(name string) (string, bool) { return "edge-7", name == "N" }
	}
}

func TestSetWins(t *testing.T) {
	c := mustLoad(t, map[string]string{
		"config.yaml":   "capture: {workers: 2}\noutputs: [{name: siem, type: syslog, address: a, tls: {verify: true}}]\n",
		"conf.d/1.yaml": "capture: {workers: 3}\n",
	}, set("capture.workers=4", "capture.workers=5", "outputs.siem.address=udp://192.0.2.1:514", "outputs.siem.tls.verify=false",
		"detection.thresholds.scan.port=20", "capture.silence.eth0.100=12h", "capture.filter=not port 22", "sensor.labels={site: hq}",
		"suppress.rules.noise={code: scan.web}", "outputs.new.type=csv", "status.listen=:8339", "sensor.name=${env:N}", "journal.path="))
	if c.Capture.Workers != 5 || c.Capture.Filter != "not port 22" || c.Capture.Silence.For("eth0.100") != 12*time.Hour {
		t.Errorf("capture %+v", c.Capture)
	}
	if c.Detection.Thresholds["scan.port"] != 20 || c.Sensor.Labels["site"] != "hq" || c.Sensor.Name != "edge-7" || c.Status.Listen != ":8339" {
		t.Errorf("%s", c)
	}
	if have := names(c); !slices.Equal(have, []string{"siem", "new"}) || c.Outputs[1].Type != "csv" {
		t.Errorf("outputs %v", have)
	}
	var siem struct {
		Address string `key:"address"`
		TLS     struct {
			Verify bool `key:"verify"`
		} `key:"tls"`
	}
	if err := c.Outputs[0].Decode(&siem); err != nil || siem.Address != "udp://192.0.2.1:514" || siem.TLS.Verify {
		t.Errorf("%+v, %v", siem, err)
	}
	if len(c.Suppress.Rules) != 1 || c.Suppress.Rules[0].Name != "noise" {
		t.Errorf("rules %v", c.Suppress.Rules)
	}
}

func TestSetReplacesLists(t *testing.T) {
	c := mustLoad(t, nil, set("outputs=[]"))
	if len(c.Outputs) != 0 {
		t.Errorf("outputs %v", c.Outputs)
	}
	c = mustLoad(t, nil, set("outputs=[{name: only, type: csv}]", "capture.interfaces=[lo]"))
	if have := names(c); !slices.Equal(have, []string{"only"}) || c.Capture.Interfaces[0].Name != "lo" {
		t.Errorf("outputs %v", have)
	}
	c = mustLoad(t, nil, set("outputs.local.path=/x"))
	if have := names(c); !slices.Equal(have, []string{"local"}) || c.Outputs[0].Type != "csv" {
		t.Errorf("outputs %v", have)
	}
}

func TestSetProblems(t *testing.T) {
	for arg, want := range map[string]string{
		"capture.workrs=3":              "--set: capture.workrs: unknown key, did you mean capture.workers?",
		"capture.workers=many":          `--set: capture.workers: "many" is not auto or a number from 1 to 64`,
		"capture.workers":               "--set: capture.workers is not key=value",
		"=3":                            "--set: =3 is not key=value",
		"capture.=3":                    "--set: capture.: not a key",
		".a=3":                          "--set: .a: not a key",
		"a..b=3":                        "--set: a..b: not a key",
		"status.listen=[::1]:8339":      "--set: status.listen: not valid YAML: did not find expected node content, write key='\"text\"' for text that YAML reads otherwise",
		"outputs.x.y=1":                 "--set: outputs.x.type: missing, this key has no default",
		"outputs.a b.type=csv":          `--set: outputs[0].name: "a b" is not a name, want 1 to 64 letters, digits, - and _`,
		"state=a\xff":                   "--set: state: byte 0xFF is not UTF-8, write key='\"text\"' for text that YAML reads otherwise",
		"log.level=":                    `--set: log.level: "" is not one of debug, info, warn, error`,
		"sensor.name=${env:GONE}":       "--set: sensor.name: ${env:GONE}: environment variable GONE is not set",
		"outputs.local.name=other":      "--set: outputs.other.type: missing, this key has no default",
		strings.Repeat("a", 200) + "=1": "--set: " + strings.Repeat("a", 60) + "...: not a key",
	} {
		_, err := load(t, nil, set(arg))
		if err == nil || err.Error() != want {
			t.Errorf("%.80s\nhave %v\nwant %s", arg, err, want)
		}
	}
}

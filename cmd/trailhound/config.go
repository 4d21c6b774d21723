package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"trailhound"
	"trailhound/agent/config"
	"trailhound/agent/event"
)

// defaultConfig is read when no -c is given; it need not exist.
const defaultConfig = "/etc/trailhound/config.yaml"

// load reads the configuration that the command line asks for and warns of
// keys that this version does nothing with.
func (a *app) load() (*config.Config, error) { return a.loadWith(nil) }

// loadWith is load with a further check: its errors are told together with all
// others.
func (a *app) loadWith(check func(*config.Config) error) (*config.Config, error) {
	file, explicit := a.configFile, true
	if file == "" {
		file, explicit = defaultConfig, false
	}
	c, err := config.Load(config.Options{
		File: file, Explicit: explicit, Set: a.set, Getenv: os.LookupEnv,
		Credentials: os.Getenv("CREDENTIALS_DIRECTORY"), Codes: codes(), Counted: counted(), OutputTypes: outputTypes(),
		Check: func(c *config.Config) error {
			all := []error{checkOutputs(c), checkFiles(c)}
			if check != nil {
				all = append(all, check(c))
			}
			return errors.Join(all...)
		},
	})
	if err != nil {
		return nil, err
	}
	for _, w := range c.Unbuilt(built) {
		a.warn("%s", w)
	}
	return c, nil
}

// codes lists what detection.disable may name.
func codes() (list []string) {
	for _, c := range event.Heuristics() {
		list = append(list, string(c))
	}
	for _, c := range event.Trails() {
		list = append(list, string(c))
	}
	return list
}

// counted says which heuristics have a threshold or a window.
func counted() map[string]config.Count {
	all := make(map[string]config.Count)
	for _, c := range event.Heuristics() {
		_, whole, ok := c.Threshold()
		n := config.Count{Threshold: ok, Whole: whole}
		switch c { // what a board has room for
		case event.DNSExhaustion:
			n.Most = 65_535
		case event.DNSNXDomain:
			n.Most = 1000
		case event.DNSLong, event.DNSDGAConsonant: // a label has at most 63 bytes, and is found above the threshold
			n.Most = 62
		case event.DNSDGAEntropy: // as many of 37 characters have at most log2 37 bits
			n.Most = 5.2
		}
		switch w, ok := c.Window(); {
		case ok && w < time.Minute: // the scans'
			n.Window = time.Hour
		case ok:
			n.Window = 24 * time.Hour
		}
		all[string(c)] = n
	}
	return all
}

// builtKeys are the keys that this version acts on.
var builtKeys = map[string]bool{
	"sensor.name": true, "sensor.labels": true,
	"capture.interfaces": true, "capture.interfaces[].alias": true, "capture.interfaces[].group": true,
	"capture.interfaces[].optional": true, "capture.interfaces[].outgoing": true,
	"capture.workers": true, "capture.ring_total": true, "capture.snaplen": true, "capture.filter": true,
	"capture.silence": true, "capture.spare_sockets": true,
	"trails.table": true, "trails.whitelist": true, "trails.builtin_whitelist": true,
	"detection.heuristics": true, "detection.disable": true, "detection.home_networks": true,
	"detection.thresholds": true, "detection.windows": true, "detection.memory": true,
	"detection.roles.resolver": true, "detection.roles.scanner": true, "detection.roles.proxy": true,
	"detection.roles.mail": true, "detection.roles.nat": true,
	"detection.host_domains": true, "detection.missing_host": true,
	"trails.min_ratio": true, "trails.max_age": true,
	"event.redact": true, "suppress.rules": true, "suppress.files": true, "suppress.ignore": true,
	"suppress.ignore_regex": true, "suppress.aggregate": true, "suppress.inbound": true, "suppress.outcomes": true, "suppress.follow_ups": true, "state": true,
	"outputs": true, "outputs[].type": true, "outputs[].health": true,
	"outputs[].filter.severity": true, "outputs[].filter.types": true, "outputs[].filter.codes": true,
	"outputs[].filter.networks": true, "outputs[].filter.labels": true, "outputs[].batch": true, "outputs[].timeout": true,
	"outputs[].retry.first": true, "outputs[].retry.most": true, "outputs[].max_rate": true,
	"journal.path": true, "journal.max_size": true, "journal.max_age": true, "journal.min_free": true, "journal.fsync": true,
	"health.heartbeat": true, "health.canary": true, "status.listen": true,
	"retro.memory": true, "retro.persist": true, "log.level": true, "log.format": true,
}

func built(key string) bool { return builtKeys[key] }

func (a *app) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config",
		Short:   "Check, show or start a configuration",
		Example: "  trailhound config check -c config.yaml\n  trailhound config show --origins\n  trailhound config sample > config.yaml",
		RunE:    needsSubcommand,
		Args:    cobra.ArbitraryArgs,
	}
	cmd.AddCommand(
		&cobra.Command{
			Use:     "check",
			Short:   "Check the configuration; exit code 78 if it is wrong",
			Example: "  trailhound config check -c /etc/trailhound/config.yaml\n  trailhound config check --set capture.workers=2",
			Args:    cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error {
				c, err := a.loadWith(a.check)
				if err != nil {
					return err
				}
				for _, file := range c.PassedOver() {
					a.warn("%s is not read: drop-ins end in .yaml and do not begin with a dot", file)
				}
				if flaw := homeFlaw(c); flaw != "" {
					a.warn("%s", flaw)
				}
				fmt.Fprintf(a.out, "configuration is valid (%s)\n", a.inputs(c))
				return nil
			},
		},
		a.configShowCommand(),
		&cobra.Command{
			Use:     "sample",
			Short:   "Print the default configuration with its comments",
			Example: "  trailhound config sample > /etc/trailhound/config.yaml",
			Args:    cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error {
				_, err := a.out.Write(trailhound.ConfigYAML)
				return err
			},
		},
	)
	return cmd
}

// inputs names what a configuration was read from.
func (a *app) inputs(c *config.Config) string {
	text := "built-in defaults"
	if file := a.configFile; file != "" {
		text = file
	} else if _, err := os.Stat(defaultConfig); err == nil {
		text = defaultConfig
	}
	switch n := len(c.DropIns()); n {
	case 0:
	case 1:
		text += " and " + c.DropIns()[0]
	default:
		text += fmt.Sprintf(" and %d files of conf.d", n)
	}
	if len(a.set) > 0 {
		text += " and --set"
	}
	return text
}

func (a *app) configShowCommand() *cobra.Command {
	var origins bool
	cmd := &cobra.Command{
		Use:     "show",
		Short:   "Print the configuration in effect, secrets masked",
		Example: "  trailhound config show\n  trailhound config show --origins",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := a.load()
			if err != nil {
				return err
			}
			return c.Show(a.out, origins)
		},
	}
	cmd.Flags().BoolVar(&origins, "origins", false, "say where each value that is no default was set")
	return cmd
}

package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"trailhound"
	"trailhound/agent/config"
	"trailhound/agent/event"
	"trailhound/outputs/csv"
)

// defaultConfig is read when no -c is given; it need not exist.
const defaultConfig = "/etc/trailhound/config.yaml"

// load reads the configuration that the command line asks for and warns of
// keys that this version does nothing with.
func (a *app) load() (*config.Config, error) {
	file, explicit := a.configFile, true
	if file == "" {
		file, explicit = defaultConfig, false
	}
	c, err := config.Load(config.Options{
		File: file, Explicit: explicit, Set: a.set, Getenv: os.LookupEnv,
		Credentials: os.Getenv("CREDENTIALS_DIRECTORY"), Codes: codes(), OutputTypes: outputTypes(),
	})
	if err != nil {
		return nil, err
	}
	if err := checkOutputs(c); err != nil {
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
	for _, c := range []event.Code{event.TrailDNS, event.TrailIP, event.TrailIPORT, event.TrailURL, event.TrailHTTP, event.TrailUA, event.TrailCERT} {
		list = append(list, string(c))
	}
	return list
}

// outputTypes lists the types that an output may have. Those that a later
// version brings are accepted, with a warning, so that one configuration
// serves a fleet of mixed versions.
func outputTypes() []string {
	return []string{"csv", "stdout", "syslog", "logstash", "elasticsearch", "maltrail", "splunk", "kafka"}
}

// checkOutputs decodes each output's own keys.
func checkOutputs(c *config.Config) error {
	var all []error
	for i := range c.Outputs {
		if o := &c.Outputs[i]; o.Type == "csv" {
			if _, err := csv.Decode(o.Node); err != nil {
				all = append(all, outputError(o, err))
			}
		}
	}
	return errors.Join(all...)
}

// outputError says where in the configuration an output's own error is. The
// output's package knows the line and column, if any; the entry knows its file.
func outputError(o *config.Output, err error) error {
	e := &config.Error{Key: "outputs." + o.Name, Problem: err.Error()}
	_, at, _ := strings.Cut(o.String(), " at ") // "outputs.NAME at FILE:LINE:COLUMN"
	where := strings.Split(at, ":")
	if len(where) < 3 {
		return e
	}
	n := len(where) - 2
	e.File = strings.Join(where[:n], ":")
	e.Line, _ = strconv.Atoi(where[n])
	e.Column, _ = strconv.Atoi(where[n+1])
	if own := strings.SplitN(e.Problem, ":", 3); len(own) == 3 {
		line, lineErr := strconv.Atoi(own[0])
		column, columnErr := strconv.Atoi(own[1])
		if lineErr == nil && columnErr == nil {
			e.Line, e.Column, e.Problem = line, column, strings.TrimSpace(own[2])
		}
	}
	return e
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
	"detection.host_domains": true, "detection.missing_host": true,
	"trails.min_ratio": true, "trails.max_age": true,
	"event.redact": true, "suppress.aggregate": true, "state": true,
	"outputs": true, "outputs[].type": true, "outputs[].health": true,
	"health.canary": true, "status.listen": true, "log.level": true, "log.format": true,
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
				c, err := a.load()
				if err != nil {
					return err
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

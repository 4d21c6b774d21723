package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"trailhound/agent/config"
	"trailhound/outputs/elasticsearch"
)

// setupFlags are the flags of setup elasticsearch.
type setupFlags struct {
	output     string
	apply, key bool
}

func (a *app) setupCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "setup",
		Short:   "Prepare a receiver for events, once",
		Example: "  trailhound setup elasticsearch\n  trailhound setup elasticsearch --apply",
		RunE:    needsSubcommand,
		Args:    cobra.ArbitraryArgs,
	}
	var f setupFlags
	one := &cobra.Command{
		Use:   "elasticsearch",
		Short: "Print or install templates, lifecycle, role and API key of Elasticsearch or OpenSearch",
		Long: "Prints what the data streams of an output want of their cluster - lifecycle policy, component and index templates, the\n" +
			"role and an API key for sensors - as requests for the console of Kibana, for review. With --apply it sends them.\n" +
			"The cluster is asked which types of fields it has; printing does without when it does not answer, and says so.\n\n" +
			"Address and credentials are those of the output. Installing needs the rights of an administrator, which a sensor's\n" +
			"credentials should not have: give them with --set, as in the last example.\n\n" +
			"Exit codes: 0 done, 1 the cluster cannot be reached, refuses, or makes no API keys because its security is off, 64 usage,\n" +
			"78 for a wrong configuration.",
		Example: "  trailhound setup elasticsearch > requests.txt\n" +
			"  trailhound setup elasticsearch --output elk --apply\n" +
			"  trailhound setup elasticsearch --apply --api-key --set outputs.elk.api_key='${env:ADMIN_KEY}'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.setupElasticsearch(cmd.Context(), f) },
	}
	one.Flags().StringVar(&f.output, "output", "", "`name` of the output, where there are several of this type")
	one.Flags().BoolVar(&f.apply, "apply", false, "send the requests instead of printing them")
	one.Flags().BoolVar(&f.key, "api-key", false, "with --apply: make an API key for sensors and print it")
	cmd.AddCommand(one)
	return cmd
}

func (a *app) setupElasticsearch(ctx context.Context, f setupFlags) error {
	if f.key && !f.apply {
		return usagef("--api-key needs --apply: the request for a key is printed in any case")
	}
	c, err := a.load()
	if err != nil {
		return err
	}
	o, err := theOutput(c, "elasticsearch", f.output)
	if err != nil {
		return err
	}
	made, err := newOutput(o, surroundings{identity: knownIdentity(c), log: slog.New(slog.NewTextHandler(a.err, nil)), stdout: a.out})
	if err != nil {
		return err
	}
	defer made.Close()
	// Asking takes five requests, installing ten more. A node that keeps silent
	// holds up the one that only prints no longer than a batch of events.
	most := o.Timeout
	if f.apply {
		most *= 5
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	err = made.(*elasticsearch.Output).Setup(ctx, a.out, elasticsearch.SetupOptions{Apply: f.apply, Key: f.key})
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w\nthe output's timeout is %v", err, o.Timeout)
	}
	return err
}

// theOutput finds the output that is meant: the one of this name, or the only
// one of its type.
func theOutput(c *config.Config, typ, name string) (*config.Output, error) {
	var found []*config.Output
	var names []string
	for i := range c.Outputs {
		switch o := &c.Outputs[i]; {
		case name != "" && o.Name == name && o.Type != typ:
			return nil, usagef("output %q is of type %s, not %s", name, o.Type, typ)
		case o.Type == typ:
			if names = append(names, o.Name); name == "" || o.Name == name {
				found = append(found, o)
			}
		}
	}
	switch {
	case len(names) == 0:
		return nil, &config.Error{Key: "outputs", Problem: fmt.Sprintf("there is no output of type %s", typ)}
	case len(found) == 0:
		return nil, usagef("there is no output %q of type %s, but %s", name, typ, strings.Join(names, ", "))
	case len(found) > 1:
		return nil, usagef("there are %d outputs of type %s: choose one with --output: %s", len(found), typ, strings.Join(names, ", "))
	}
	return found[0], nil
}

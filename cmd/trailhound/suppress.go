package main

import (
	"errors"

	"github.com/spf13/cobra"

	"trailhound/agent/config"
	"trailhound/agent/suppress"
)

func (a *app) suppressCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "suppress",
		Short: "Try, list and write suppression rules",
		Long: "Suppression rules say which events are no findings: dropped, kept on this host, or of a lower severity. They stand\n" +
			"below suppress.rules of the configuration and in the files of suppress.files.",
		Example: "  trailhound suppress list\n  trailhound suppress test lab-scanner\n" +
			"  trailhound suppress from-event 0192f6a1-7c44-7d0e-8b1a-0242ac120002 > rule.yaml",
		RunE: needsSubcommand,
		Args: cobra.ArbitraryArgs,
	}
	cmd.AddCommand(a.suppressTestCommand(), a.suppressListCommand(), a.suppressFromEventCommand())
	return cmd
}

// scope is where rules would hold on this host.
func scope(c *config.Config) suppress.Scope {
	return suppress.Scope{Sensor: knownIdentity(c), Networks: c.Detection.HomeNetworks}
}

// ruleErrors are errors of rules as errors of the configuration, which they are
// part of.
func ruleErrors(list []suppress.Problem) error {
	var all []error
	for _, p := range list {
		all = append(all, &config.Error{Problem: p.Error()})
	}
	return errors.Join(all...)
}

// journalFlag adds --journal as the journal commands have it.
func journalFlag(cmd *cobra.Command, f *journalFlags) {
	cmd.Flags().StringVar(&f.dir, "journal", "", "look into this `directory` instead of the configured one")
}

package main

import "github.com/spf13/cobra"

func (a *app) trailsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trails",
		Short: "Compile, look up and check trails",
		Long: "Trails are indicators: addresses, names, URLs, certificates, user agents. They are compiled into one table\n" +
			"that the sensor maps into memory.",
		Example: "  trailhound trails build -o trails.thd /srv/maltrail/trails\n" +
			"  trailhound trails lookup evil.example 192.0.2.1:443\n" +
			"  trailhound trails lint",
		RunE: needsSubcommand,
		Args: cobra.ArbitraryArgs,
	}
	cmd.AddCommand(a.trailsBuildCommand(), a.trailsLookupCommand(), a.trailsStatsCommand(), a.trailsLintCommand(), a.trailsVerifyCommand())
	return cmd
}

// trailsFlag and whitelistFlag are the flags that several commands share.
func trailsFlag(cmd *cobra.Command, paths *[]string) {
	cmd.Flags().StringArrayVar(paths, "trails", nil, "trails to use: a compiled table, a merged CSV, a directory or a plain list (`path`, repeatable; replaces the configured ones)")
}

func whitelistFlag(cmd *cobra.Command, paths *[]string) {
	cmd.Flags().StringArrayVar(paths, "whitelist", nil, "whitelist `file` (repeatable; replaces the configured ones; none: no whitelist)")
}

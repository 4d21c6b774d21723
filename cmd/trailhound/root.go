package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"trailhound/agent/capture/filter"
)

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// app is what the subcommands share: their streams and the flags that all of
// them have.
type app struct {
	*streams
	configFile string
	set        []string
	log        *slog.Logger // of a service; nil: standard error
	filters    filter.Compiler
}

// execute runs the command line and gives the exit code.
func execute(ctx context.Context, s *streams, args []string) (code int) {
	debug.SetPanicOnFault(true)
	defer guardFaults(s.err, &code)
	a := &app{streams: s}
	root := a.root()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && cmd != nil && isUsage(err) {
		err = &usageError{err, fmt.Sprintf(hintUsage, cmd.CommandPath()+" --help")}
	}
	return exitCode(s.err, err)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   programCommand,
		Short: "Network sensor that matches traffic against trails and forwards what it finds to a SIEM",
		Long: "Trailhound reads packets, matches them against trails (addresses, names, URLs, certificates,\n" +
			"user agents that are known to be bad), and delivers every event to a SIEM.",
		Example:           "  trailhound replay capture.pcap\n  trailhound trails lookup evil.example\n  trailhound config check",
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		RunE:              needsSubcommand,
		Args:              cobra.ArbitraryArgs,
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.PersistentFlags().StringVarP(&a.configFile, "config", "c", "", "configuration `file` (default "+defaultConfig+" if it exists, else built-in defaults)")
	root.PersistentFlags().StringArrayVar(&a.set, "set", nil, "set a configuration `key=value` (repeatable)")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return &usageError{err: err} })
	root.AddCommand(a.runCommand(), a.replayCommand(), a.explainCommand(), a.trailsCommand(), a.suppressCommand(), a.statusCommand(), a.journalCommand(), a.setupCommand(), a.configCommand(), a.doctorCommand(), a.versionCommand(), a.manCommand())
	// Cobra makes these when the program runs; made here they get examples, as
	// all commands have, and a wrong shell is an error.
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Example = "  trailhound help replay"
		case "completion":
			c.Example = "  trailhound completion bash > /etc/bash_completion.d/trailhound"
			c.RunE, c.Args = needsSubcommand, cobra.ArbitraryArgs
			for _, shell := range c.Commands() {
				shell.Example = "  trailhound completion " + shell.Name()
			}
		}
	}
	return root
}

// needsSubcommand is run for a command that is only a group.
func needsSubcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		cmd.Help()
		return usagef("a subcommand is needed")
	}
	cmd.SuggestionsMinimumDistance = max(cmd.SuggestionsMinimumDistance, 2) // 0 suggests by prefix only
	text := fmt.Sprintf("unknown command %q for %q", args[0], cmd.CommandPath())
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		text += ", did you mean " + strings.Join(near, " or ") + "?"
	}
	return usagef("%s", text)
}

// isUsage tells cobra's own complaints about arguments from a command's.
func isUsage(err error) bool {
	if _, ok := err.(*usageError); ok {
		return true
	}
	for _, start := range []string{"unknown command", "unknown flag", "unknown shorthand flag", "flag needs an argument",
		"invalid argument", "accepts ", "requires at least", "requires at most", "required flag"} {
		if strings.HasPrefix(err.Error(), start) {
			return true
		}
	}
	return false
}

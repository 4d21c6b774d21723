package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func (a *app) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "man DIRECTORY",
		Short:   "Write the manual pages of all commands",
		Example: "  trailhound man /usr/share/man/man1",
		Args:    named("directory", true),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("cannot write manual pages: %w", err)
			}
			header := &doc.GenManHeader{Title: "TRAILHOUND", Section: "1", Source: "Trailhound " + version, Manual: "Trailhound"}
			return doc.GenManTree(cmd.Root(), header, args[0])
		},
	}
}

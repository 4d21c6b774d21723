package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"trailhound/trails/table"
)

func (a *app) trailsVerifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify FILE...",
		Short: "Check compiled tables: every checksum, and that every trail is found; exit code 1 on damage",
		Long: "Verify reads each table as a whole, compares the checksums of all sections, looks up every trail by its own\n" +
			"key and reads every text. The sensor's own opening checks the header only, because it must be fast.",
		Example: "  trailhound trails verify /var/lib/trailhound/trails.thd",
		Args:    named("table", false),
		RunE: func(_ *cobra.Command, files []string) error {
			var failed error
			for _, file := range files {
				if err := a.verify(file); err != nil {
					complain(a.err, err)
					failed = errReported
				}
			}
			return failed
		},
	}
}

func (a *app) verify(file string) error {
	if err := table.Verify(file); err != nil {
		return err
	}
	t, err := table.Open(file)
	if err != nil {
		return err
	}
	defer t.Close()
	_, err = fmt.Fprintf(a.out, "%s: good, %d trails\n", file, t.Len())
	return err
}

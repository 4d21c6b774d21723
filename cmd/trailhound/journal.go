package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"trailhound/agent/config"
	"trailhound/agent/event"
	"trailhound/outputs/journal"
)

// journalFlags are what the subcommands of journal share.
type journalFlags struct {
	dir    string
	format string
}

func (a *app) journalCommand() *cobra.Command {
	var f journalFlags
	cmd := &cobra.Command{
		Use:   "journal",
		Short: "Look into the events that are kept on this host",
		Long: "The journal is the log of all events that passed the gate; every output reads it at its own pace. These commands\n" +
			"only read it, and may run beside the sensor: they take no lock and change nothing. The one exception is export\n" +
			"--dead NAME --retry, which marks dead letters to be sent again.\n\n" +
			"Exit codes: 0 done, 1 there is no journal or it cannot be read, 64 usage, 78 for a wrong configuration.",
		Example: "  trailhound journal tail -f\n  trailhound journal stat\n  trailhound journal export --format json > events.ndjson",
		RunE:    needsSubcommand,
		Args:    cobra.ArbitraryArgs,
	}
	cmd.PersistentFlags().StringVar(&f.dir, "journal", "", "look into this `directory` instead of the configured one, and at the dead letters below it")
	cmd.AddCommand(a.journalTailCommand(&f), a.journalStatCommand(&f), a.journalExportCommand(&f))
	return cmd
}

// kept is what is on this host: the journal's directory, that of the dead
// letters, and who spoke.
type kept struct {
	config        *config.Config
	path, letters string
	id            *event.Identity
}

// kept finds the directories.
func (a *app) kept(f *journalFlags) (*kept, error) {
	c, err := a.load()
	if err != nil {
		return nil, err
	}
	k := &kept{config: c, path: journalPath(c, c.State), letters: filepath.Join(c.State, deadLettersName), id: knownIdentity(c)}
	if f.dir != "" {
		k.path, k.letters = f.dir, filepath.Join(f.dir, deadLettersName)
	}
	return k, nil
}

// deadLettersName is the directory of dead letters, in the state directory or,
// of a replay, in the journal's.
const deadLettersName = "dead-letters"

// open looks into the journal.
func (k *kept) open() (*journal.View, error) {
	v, err := journal.OpenReadOnly(k.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, k.none()
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%w\nit is for the sensor's user and group only", err)
	case err != nil:
		return nil, err
	}
	if !holds(v) {
		return nil, k.none()
	}
	return v, nil
}

// holds says whether there is a journal in the directory.
func holds(v *journal.View) bool {
	s := v.State()
	return s.Last > 0 || s.Segments > 0 || s.Epoch > 0 || len(v.Cursors()) > 0
}

func (k *kept) none() error {
	return fmt.Errorf("there is no journal in %q\nhas the sensor run with this configuration (journal.path, state)? --journal looks elsewhere", k.path)
}

// outputNames lists the configured outputs.
func (k *kept) outputNames() (names []string) {
	for i := range k.config.Outputs {
		names = append(names, k.config.Outputs[i].Name)
	}
	return names
}

// epochText is an epoch as events carry it; empty: not known.
func epochText(epoch uint64) string {
	if epoch == 0 {
		return ""
	}
	return fmt.Sprintf("%016x", epoch)
}

// knownIdentity says who speaks in the events, with the id that the service
// has given itself. It makes none.
func knownIdentity(c *config.Config) *event.Identity {
	id := identity(c)
	text, err := os.ReadFile(filepath.Join(c.State, identityFile))
	if err != nil {
		return id
	}
	if fields := strings.Fields(string(text)); len(fields) > 0 {
		if known, err := uuid.Parse(fields[0]); err == nil {
			id.ID = known.String()
		}
	}
	return id
}

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"trailhound/outputs/journal"
)

// checkDirectory refuses a directory that is no place for a journal, before
// anything is made there: without captures one with no journal in it, else one with
// other files.
func (f *deliverFlags) checkDirectory(captures bool) error {
	if f.journal == "" {
		return nil
	}
	none := fmt.Errorf("there is no journal in %q, and no capture is named: nothing waits to be delivered", f.journal)
	entries, err := os.ReadDir(f.journal)
	switch {
	case errors.Is(err, fs.ErrNotExist) && captures:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return none
	case err != nil:
		return fmt.Errorf("cannot keep the journal in %q: %w", f.journal, err)
	}
	v, err := journal.OpenReadOnly(f.journal)
	if err != nil {
		return err
	}
	if holds(v) {
		return nil
	}
	// What a run that was killed at once leaves behind.
	own := []string{"lock", "spare", "state", deadLettersName}
	if at := slices.IndexFunc(entries, func(e fs.DirEntry) bool { return !slices.Contains(own, e.Name()) }); at >= 0 {
		return fmt.Errorf("no journal is kept in %q: there are other files, such as %q; name an empty or a new directory", f.journal, entries[at].Name())
	}
	if !captures {
		return none
	}
	return nil
}

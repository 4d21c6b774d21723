package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"trailhound/agent/event"
	"trailhound/agent/suppress"
)

func (a *app) suppressFromEventCommand() *cobra.Command {
	var f journalFlags
	cmd := &cobra.Command{
		Use:   "from-event ID",
		Short: "Print the narrowest rule that hides an event and its repeats",
		Long: "From-event looks an event up in the journal of this host, by its id (event.id in ECS, event_id in CSV), and prints a\n" +
			"rule file with one rule: for the event's source, trail, code and info. The reason is empty, and the rule is refused\n" +
			"until somebody has written one.\n\n" +
			"Exit codes: 0 done, 1 the journal cannot be read or has no such event, 64 that is no id.",
		Example: "  trailhound suppress from-event 0192f6a1-7c44-7d0e-8b1a-0242ac120002\n" +
			"  trailhound suppress from-event 0192f6a1-7c44-7d0e-8b1a-0242ac120002 | trailhound suppress test -",
		Args: named("event", true),
		RunE: func(cmd *cobra.Command, args []string) error { return a.suppressFromEvent(cmd.Context(), &f, args[0]) },
	}
	journalFlag(cmd, &f)
	return cmd
}

func (a *app) suppressFromEvent(ctx context.Context, f *journalFlags, text string) error {
	id, err := uuid.Parse(text)
	if err != nil {
		return usagef("%q is no id of an event", text)
	}
	k, err := a.kept(f)
	if err != nil {
		return err
	}
	view, err := k.open()
	if err != nil {
		return err
	}
	var found *event.Event
	err = view.Scan(ctx, 0, func(e *event.Event) bool {
		if e.ID == id {
			found = new(*e)
		}
		return found == nil
	})
	if err != nil {
		return err
	}
	if found == nil {
		at := view.State()
		return fmt.Errorf("the journal %s has no event %s: it holds the numbers %d to %d", at.Path, id, at.First, at.Last)
	}
	if found.Code.IsHealth() {
		return fmt.Errorf("%s is a health event (%s), which no rule suppresses: an output leaves them out with health: false", id, found.Code)
	}
	rule := suppress.FromEvent(found, time.Now())
	_, err = fmt.Fprint(a.out, "rules:\n", rule.YAML())
	return err
}

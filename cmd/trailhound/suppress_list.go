package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"trailhound/agent/config"
	"trailhound/agent/status"
)

// ruleListFlags are the flags of suppress list.
type ruleListFlags struct {
	address string
	json    bool
}

func (a *app) suppressListCommand() *cobra.Command {
	var f ruleListFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the suppression rules with their state and hits",
		Long: "List asks the running sensor, at status.listen of the configuration unless --address says otherwise. When none\n" +
			"answers there, the rules of the configuration are listed, without hits. A rule marked * has no value to find it by\n" +
			"and is tried with every event.\n\n" +
			"States: active; waiting, outside its schedule; expired; elsewhere, for other sensors; refused, it is wrong.\n" +
			"Exit codes: 0 done, 1 no sensor answers at --address, 78 for a wrong configuration.",
		Example: "  trailhound suppress list\n" +
			"  trailhound suppress list --json | jq '.rules[] | select(.hits == 0)'\n" +
			"  trailhound suppress list --address unix:/run/trailhound/status.sock",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.suppressList(cmd.Context(), f) },
	}
	cmd.Flags().StringVar(&f.address, "address", "", "where the sensor answers: address:port or unix:/path (`address`)")
	cmd.Flags().BoolVar(&f.json, "json", false, "print them as JSON")
	return cmd
}

func (a *app) suppressList(ctx context.Context, f ruleListFlags) error {
	list, now, err := a.findRules(ctx, f)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if f.json {
		raw, err := json.Marshal(list)
		if err != nil {
			return err
		}
		b.WriteString(printable(raw))
	} else {
		printRules(&b, list, now)
	}
	_, err = a.out.Write(b.Bytes())
	return err
}

// findRules asks the sensor, else the configuration. Now is when that was so.
func (a *app) findRules(ctx context.Context, f ruleListFlags) (*status.Suppress, time.Time, error) {
	var c *config.Config
	if f.address == "" {
		var err error
		if c, err = a.load(); err != nil {
			return nil, time.Time{}, err
		}
	}
	address := f.address
	if c != nil {
		address = c.Status.Listen
	}
	if address != "" {
		client, err := status.NewClient(address)
		if err != nil {
			return nil, time.Time{}, usagef("%v", err)
		}
		snapshot, _, err := client.Status(ctx)
		if err == nil {
			return &snapshot.Suppress, snapshot.Time, nil
		}
		if c == nil || ctx.Err() != nil {
			return nil, time.Time{}, cmp.Or(ctx.Err(), unreachable(err))
		}
		a.warn("%s: these are the rules of the configuration, without hits", oneLine(err.Error()))
	}
	is, err := openSuppression(c, knownIdentity(c), nil)
	now := time.Now()
	list := showSuppression(is, now)
	return &list, now, err
}

// printRules writes the list. Its texts are what a sensor says.
func printRules(b *bytes.Buffer, list *status.Suppress, now time.Time) {
	if len(list.Rules) > 0 {
		w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "RULE\tACTION\tSTATE\tHITS\tLAST HIT\tEXPIRES\tOWNER\tREASON")
		for _, r := range list.Rules {
			name := shown(r.ID)
			if r.Searched {
				name += " *"
			}
			last := "never"
			if !r.LastHit.IsZero() {
				last = ageText(max(now.Sub(r.LastHit), 0)) + " ago"
			}
			cells := []string{name, shown(r.Action), shown(r.State), fmt.Sprint(r.Hits), last,
				cmp.Or(shown(r.Expires), "never"), cmp.Or(shown(r.Owner), "-"), cmp.Or(shown(r.Reason), "-")}
			fmt.Fprintln(w, strings.Join(cells, "\t"))
		}
		w.Flush()
	}
	all := list.Active + list.Waiting + list.Expired + list.Elsewhere
	if n := uint64(len(list.Rules)); n > 0 && all > n {
		fmt.Fprintf(b, "and %d more, with fewer hits\n", all-n)
	}
	if len(list.Rules) == 0 && list.Refused == 0 {
		fmt.Fprintln(b, "no suppression rules")
	}
	for i, p := range list.Problems {
		if i == 0 {
			fmt.Fprintf(b, "refused: %d\n", list.Refused)
		}
		fmt.Fprintf(b, "  %s\n", shown(p))
	}
}

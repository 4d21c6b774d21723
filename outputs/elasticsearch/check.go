package elasticsearch

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Privileges that delivery needs on its data streams: to create a document, and
// to create the data stream with the first one.
func privileges() []string { return []string{"auto_configure", "create_doc"} }

// Check tells whether a node can be reached, takes the credentials, and gives
// them the rights to write. It writes nothing.
func (o *Output) Check(ctx context.Context) error {
	answer, err := o.plain(ctx, http.MethodGet, "/", nil)
	if err != nil {
		return err
	}
	a, err := o.recognise(answer)
	if err != nil || a.opensearch {
		return err
	}
	streams := []string{o.stream, o.keys.stream(o.keys.HealthDataset)}
	question, err := json.Marshal(map[string]any{"index": []any{map[string]any{"names": streams, "privileges": privileges()}}})
	if err != nil {
		return err
	}
	r, err := o.plain(ctx, http.MethodPost, "/_security/user/_has_privileges", question)
	switch {
	case err != nil:
		return err
	case r.isUnknownPath():
		return nil // a node without security
	case r.status != http.StatusOK:
		f := r.fault()
		f.right = o.rights()
		return f
	}
	var told struct {
		All   bool                       `json:"has_all_requested"`
		Index map[string]map[string]bool `json:"index"`
	}
	if json.Unmarshal(r.body, &told) != nil {
		return fmt.Errorf("%s: %w", r.from, errNotJSON)
	}
	if told.All {
		return nil
	}
	var missing []string
	for _, stream := range streams {
		for _, p := range privileges() {
			if !told.Index[stream][p] {
				missing = append(missing, p+" on "+stream)
			}
		}
	}
	slices.Sort(missing)
	return fmt.Errorf("%s: the user or API key lacks the index privileges %s: %w", r.from, strings.Join(missing, ", "), ErrDenied)
}

// isUnknownPath says whether the node does not know what it was asked for: it
// has no such feature.
func (r *reply) isUnknownPath() bool {
	switch r.status {
	case http.StatusMethodNotAllowed:
		return true
	case http.StatusBadRequest, http.StatusNotFound:
		return strings.Contains(string(r.body), "no handler found for uri")
	}
	return false
}

package elasticsearch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// SetupOptions say what Setup does.
type SetupOptions struct {
	Apply bool // install; otherwise print only
	Key   bool // with Apply: make an API key for sensors and print it
}

// ErrNoKey is in the error of Setup where everything was installed, but no API
// key could be made.
var ErrNoKey = errors.New("no API key was made")

// Setup prints what the data streams want of a cluster - lifecycle, component
// and index templates, role, API key - as requests that can be pasted into the
// console of Kibana or OpenSearch Dashboards, or sends them. The types of fields
// are those that the node has; when it cannot be asked, printing assumes a stock
// distribution and says so.
func (o *Output) Setup(ctx context.Context, w io.Writer, opt SetupOptions) error {
	a, f, err := o.examine(ctx)
	if err != nil {
		if opt.Apply {
			return err
		}
		a = &about{opensearch: o.keys.Flavor == "opensearch"}
		f = stockFeatures(a)
		fmt.Fprintf(w, "# The node could not be asked which types of fields it has: %v\n# This is for a stock distribution.\n\n", err)
	}
	made := ""
	for _, b := range o.objects(a, f) {
		if !opt.Apply {
			text, err := json.MarshalIndent(b.body, "", "  ")
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintf(w, "# %s\n%s %s\n%s\n\n", b.what, b.method, b.path[1:], text); err != nil {
				return err
			}
			continue
		}
		if b.key && !opt.Key {
			continue
		}
		said, key, err := o.apply(ctx, &b)
		if err != nil {
			return err
		}
		if key != "" {
			said, made = key, key
		}
		if _, err := fmt.Fprintf(w, "%s %s: %s\n", b.what, b.path[strings.LastIndexByte(b.path, '/')+1:], said); err != nil {
			return err
		}
	}
	if opt.Apply {
		fmt.Fprintf(w, "data streams that exist already take new templates with their next backing index: POST %s/_rollover\n", o.stream)
	}
	if !opt.Apply || !opt.Key || made != "" {
		return nil
	}
	if a.opensearch {
		return fmt.Errorf("%w: OpenSearch has none; give the sensors a user with the role %s", ErrNoKey, objectName)
	}
	return fmt.Errorf("%w: security is off at %s, so that everybody may write there without one (xpack.security.enabled)", ErrNoKey, o.nodes.peek().URL)
}

// install does what Setup does with Apply, unless it is there already. Sensors
// do it by themselves where setup is true: a template as new as this program is
// left alone, whatever an operator has made of it.
func (o *Output) install(ctx context.Context, a *about) error {
	present := true
	for _, dataset := range []string{o.keys.Dataset, o.keys.HealthDataset} {
		r, err := o.plain(ctx, http.MethodGet, "/_index_template/"+templateName(dataset), nil)
		if err != nil {
			return err
		}
		if r.status != http.StatusOK && r.status != http.StatusNotFound {
			return o.setupFault(r, "read template", templateName(dataset))
		}
		var told struct {
			Templates []struct {
				Template struct{ Version int } `json:"index_template"`
			} `json:"index_templates"`
		}
		present = present && r.status == http.StatusOK && json.Unmarshal(r.body, &told) == nil &&
			len(told.Templates) == 1 && told.Templates[0].Template.Version >= objectVersion
	}
	if present {
		return nil
	}
	_, f, err := o.examine(ctx)
	if err != nil {
		return err
	}
	for _, b := range o.objects(a, f) {
		if b.optional {
			continue // who installs templates has a role already
		}
		if _, _, err := o.apply(ctx, &b); err != nil {
			return err
		}
	}
	o.log.Info("templates are installed", "address", o.nodes.peek().URL.String(), "version", objectVersion)
	return nil
}

// apply sends one object and says how that went, and the API key if it made one.
func (o *Output) apply(ctx context.Context, b *object) (said, key string, err error) {
	text, err := json.Marshal(b.body)
	if err != nil {
		return "", "", err
	}
	r, err := o.plain(ctx, b.method, b.path, text)
	switch {
	case err != nil:
		return "", "", err
	case (r.status == http.StatusOK || r.status == http.StatusCreated) && b.key:
		var told struct{ Encoded string }
		if json.Unmarshal(r.body, &told) != nil || told.Encoded == "" {
			return "", "", fmt.Errorf("%s: %w: there is none in its answer", r.from, ErrNoKey)
		}
		return "made", told.Encoded, nil
	case r.status == http.StatusOK || r.status == http.StatusCreated:
		return "installed", "", nil
	case b.optional && r.isUnknownPath():
		return "left out, the node has no such feature", "", nil
	case b.optional && r.status == http.StatusConflict:
		return "exists already and is left as it is", "", nil
	}
	return "", "", o.setupFault(r, "install "+b.what, b.path)
}

func (o *Output) setupFault(r *reply, what, name string) error {
	f := r.fault()
	f.right = "this needs the cluster privileges manage_index_templates, manage_ilm and monitor, and manage_security for the role"
	return fmt.Errorf("cannot %s %q: %w", what, name, f)
}

// examine asks the node what it is and has.
func (o *Output) examine(ctx context.Context) (*about, features, error) {
	var f features
	a, err := o.ask(ctx)
	if err != nil {
		return nil, f, err
	}
	f = stockFeatures(a)
	for _, t := range []struct {
		name string
		has  *bool
	}{{"wildcard", &f.wildcard}, {"constant_keyword", &f.constant}, {"match_only_text", &f.matchOnly}} {
		if *t.has, err = o.hasType(ctx, t.name); err != nil {
			return nil, f, err
		}
	}
	if f.lifecycle != policyILM && f.lifecycle != policyISM {
		return a, f, nil
	}
	path := "/_ilm/policy"
	if f.lifecycle == policyISM {
		path = "/_plugins/_ism/policies"
	}
	r, err := o.plain(ctx, http.MethodGet, path, nil)
	switch {
	case err != nil:
		return nil, f, err
	case !r.isUnknownPath():
	case a.opensearch:
		f.lifecycle = noLifecycle
	default:
		f.lifecycle = ofDataStream
	}
	return a, f, nil
}

// hasType asks for the effect of a template that is not installed and matches
// no index: the node refuses one with a type that it does not know.
func (o *Output) hasType(ctx context.Context, name string) (bool, error) {
	field := map[string]any{"type": name}
	if name == "constant_keyword" {
		field["value"] = "x" // OpenSearch wants one
	}
	question, err := json.Marshal(map[string]any{
		"index_patterns": []string{"trailhound-asks-for-types-*"}, "priority": priority,
		"template": map[string]any{"mappings": map[string]any{"properties": map[string]any{"x": field}}},
	})
	if err != nil {
		return false, err
	}
	r, err := o.plain(ctx, http.MethodPost, "/_index_template/_simulate", question)
	switch {
	case err != nil:
		return false, err
	case r.status == http.StatusOK:
		return true, nil
	case r.status == http.StatusBadRequest && strings.Contains(string(r.body), "["+name+"]"):
		return false, nil
	}
	return false, o.setupFault(r, "ask for the type", name)
}

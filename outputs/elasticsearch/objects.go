package elasticsearch

import "net/http"

// objectVersion grows with each change of what is installed, so that a sensor
// with setup: true leaves alone what is as new as itself.
const objectVersion = 2

// priority of the index templates: above those of Elastic's integrations, which
// go up to 200, and as Elastic advises for patterns that overlap with theirs.
const priority = 501

// When a backing index is closed and a new one begun, and how long it is kept
// from then on.
const (
	rolloverSize = "50gb"
	rolloverAge  = "30d"
	keepFor      = "90d"
)

// names of what is installed.
const (
	objectName        = "trailhound" // of the policy and the role
	settingsComponent = "trailhound-settings"
	mappingsComponent = "trailhound-mappings"
	customComponent   = "trailhound-custom" // the operator's, if there is one
)

// features says what a node has besides types.
type features struct {
	types
	lifecycle lifecycle
	custom    bool // templates may name a component that does not exist
}

// lifecycle is who begins new backing indices and deletes old ones.
type lifecycle uint8

const (
	noLifecycle  lifecycle = iota
	policyILM              // index lifecycle management, of Elasticsearch
	ofDataStream           // the data stream's own, without a policy
	policyISM              // index state management, of OpenSearch
)

// stockFeatures is what a stock distribution has; nothing was asked.
func stockFeatures(a *about) features {
	f := features{types: allTypes(a.opensearch), lifecycle: policyILM, custom: !a.opensearch && (a.major == 0 || a.atLeast(8, 7))}
	switch {
	case a.opensearch:
		f.lifecycle = policyISM
	case a.serverless:
		f.lifecycle = ofDataStream
	}
	return f
}

// An object is one request that installs something.
type object struct {
	method, path string
	body         map[string]any
	what         string // for people
	optional     bool   // left out by a node that has no such feature
	key          bool   // makes an API key, which is done only when asked for
}

// objects lists what delivery wants, in the order in which each finds what it
// refers to.
func (o *Output) objects(a *about, f features) []object {
	var list []object
	switch f.lifecycle {
	case policyILM:
		list = append(list, object{method: http.MethodPut, path: "/_ilm/policy/" + objectName, body: ilmPolicy(), what: "lifecycle policy"})
	case policyISM:
		list = append(list, object{method: http.MethodPut, path: "/_plugins/_ism/policies/" + objectName, body: o.ismPolicy(), what: "lifecycle policy", optional: true})
	}
	list = append(list,
		object{method: http.MethodPut, path: "/_component_template/" + settingsComponent, body: settings(a, f), what: "settings"},
		object{method: http.MethodPut, path: "/_component_template/" + mappingsComponent, what: "field types", body: component(map[string]any{
			"mappings": map[string]any{"date_detection": false, "dynamic_templates": dynamic(), "properties": f.properties()}})})
	for _, dataset := range []string{o.keys.Dataset, o.keys.HealthDataset} {
		list = append(list, object{method: http.MethodPut, path: "/_index_template/" + templateName(dataset), body: indexTemplate(dataset, f), what: "template of the data stream"})
	}
	return append(list, o.security(a)...)
}

func templateName(dataset string) string { return "logs-" + dataset }

func component(template map[string]any) map[string]any {
	return map[string]any{"version": objectVersion, "_meta": meta(), "template": template}
}

func meta() map[string]any { return map[string]any{"description": "installed by trailhound"} }

func settings(a *about, f features) map[string]any {
	index := map[string]any{"mapping": map[string]any{"ignore_malformed": true, "total_fields": map[string]any{"limit": 2000}}}
	if !a.serverless {
		index["number_of_shards"], index["codec"] = 1, "best_compression"
	}
	if f.lifecycle == policyILM {
		index["lifecycle"] = map[string]any{"name": objectName}
	}
	return component(map[string]any{"settings": map[string]any{"index": index}})
}

func indexTemplate(dataset string, f features) map[string]any {
	name := func(value string) map[string]any {
		if f.constant {
			return map[string]any{"type": "constant_keyword", "value": value}
		}
		return map[string]any{"type": "keyword", "ignore_above": ignoreAbove}
	}
	template := map[string]any{"mappings": map[string]any{"properties": map[string]any{
		"data_stream": map[string]any{"properties": map[string]any{"type": name("logs"), "dataset": name(dataset)}}}}}
	if f.lifecycle == ofDataStream {
		template["lifecycle"] = map[string]any{"data_retention": keepFor}
	}
	t := component(template)
	t["index_patterns"] = []string{templateName(dataset) + "-*"}
	t["data_stream"], t["priority"] = map[string]any{}, priority
	parts := []string{mappingsComponent, settingsComponent}
	if f.custom {
		parts = append(parts, customComponent)
		t["ignore_missing_component_templates"] = []string{customComponent}
	}
	t["composed_of"] = parts
	return t
}

func ilmPolicy() map[string]any {
	return map[string]any{"policy": map[string]any{"_meta": meta(), "phases": map[string]any{
		"hot": map[string]any{"min_age": "0ms", "actions": map[string]any{
			"rollover": map[string]any{"max_primary_shard_size": rolloverSize, "max_age": rolloverAge}}},
		"delete": map[string]any{"min_age": keepFor, "actions": map[string]any{"delete": map[string]any{}}},
	}}}
}

func (o *Output) ismPolicy() map[string]any {
	return map[string]any{"policy": map[string]any{
		"description": "installed by trailhound", "default_state": "hot",
		"states": []any{
			map[string]any{"name": "hot",
				"actions":     []any{map[string]any{"rollover": map[string]any{"min_primary_shard_size": rolloverSize, "min_index_age": rolloverAge}}},
				"transitions": []any{map[string]any{"state_name": "delete", "conditions": map[string]any{"min_rollover_age": keepFor}}}},
			map[string]any{"name": "delete", "actions": []any{map[string]any{"delete": map[string]any{}}}, "transitions": []any{}},
		},
		"ism_template": []any{map[string]any{"index_patterns": o.patterns(), "priority": priority}},
	}}
}

// patterns match the data streams of every namespace.
func (o *Output) patterns() []string {
	return []string{templateName(o.keys.Dataset) + "-*", templateName(o.keys.HealthDataset) + "-*"}
}

// security gives the role of a sensor and, where there is such a thing, the
// request for an API key with the same rights.
func (o *Output) security(a *about) []object {
	if a.opensearch {
		return []object{{method: http.MethodPut, path: "/_plugins/_security/api/roles/" + objectName, what: "role", optional: true, body: map[string]any{
			"cluster_permissions": []string{"cluster_monitor", "indices:data/write/bulk"},
			"index_permissions": []any{map[string]any{"index_patterns": o.patterns(),
				"allowed_actions": []string{"create_index", "index", "indices:admin/auto_create"}}},
		}}}
	}
	role := map[string]any{"cluster": []string{}, "indices": []any{map[string]any{"names": o.patterns(), "privileges": privileges()}}}
	return []object{
		{method: http.MethodPut, path: "/_security/role/" + objectName, what: "role", optional: true, body: role},
		{method: http.MethodPost, path: "/_security/api_key", what: "API key", optional: true, key: true, body: map[string]any{
			"name": objectName, "role_descriptors": map[string]any{objectName: role}}},
	}
}

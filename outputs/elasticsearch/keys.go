package elasticsearch

import (
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"trailhound/outputs/remote"
)

// Keys are the keys of an output of this type, beside those that all outputs
// have.
type Keys struct {
	Addresses []string `key:"addresses" default:"[]" yaml:"addresses" doc:"URLs of the nodes; the first that works is used, the next when it fails"`
	CloudID   string   `key:"cloud_id" default:"" yaml:"cloud_id" doc:"the Cloud ID of an Elastic Cloud deployment, instead of addresses"`

	APIKey   remote.Secret  `key:"api_key" default:"" yaml:"api_key" doc:"API key: id:key, or that in base64 as Kibana shows it"`
	Username string         `key:"username" default:"" yaml:"username" doc:"user, where there is no API key"`
	Password remote.Secret  `key:"password" default:"" yaml:"password" doc:"the user's password"`
	TLS      remote.TLSKeys `key:"tls" yaml:"tls"`
	Proxy    remote.Secret  `key:"proxy" default:"" yaml:"proxy" doc:"URL of a HTTP or SOCKS5 proxy, such as http://proxy.example:3128; the environment is not asked"`

	Flavor string `key:"flavor" default:"auto" oneof:"auto elasticsearch opensearch" yaml:"flavor" doc:"auto: ask the node with GET /; a user without the right to ask needs the answer here"`

	Dataset       string `key:"dataset" default:"trailhound.event" yaml:"dataset" doc:"detections go to the data stream logs-<dataset>-<namespace>"`
	HealthDataset string `key:"health_dataset" default:"trailhound.health" yaml:"health_dataset" doc:"and health events to logs-<health_dataset>-<namespace>"`
	Namespace     string `key:"namespace" default:"default" yaml:"namespace" doc:"the last part of the data streams' names"`
	Pipeline      string `key:"pipeline" default:"" yaml:"pipeline" doc:"ingest pipeline to put events through; empty: that of the index, if it has one"`
	Enrichments   bool   `key:"enrichments" default:"true" yaml:"enrichments" doc:"write what matched also as threat.enrichments, which is a nested field"`

	Gzip       int  `key:"gzip" default:"1" min:"0" max:"9" yaml:"gzip" doc:"compress requests at this level; 0: do not"`
	MaxRequest int  `key:"max_request" default:"5000000" min:"100000" max:"100000000" yaml:"max_request" doc:"most bytes in one request, before compression"`
	Setup      bool `key:"setup" default:"false" yaml:"setup" doc:"install templates and lifecycle at the first contact, where they are missing or older; needs further rights"`
}

//go:embed sample.yaml
var sample string

// Sample is a configuration of this output with comments.
func Sample() string { return sample }

// complete puts defaults in the place of what is not given.
func (k *Keys) complete() {
	for _, d := range []struct {
		key *string
		to  string
	}{{&k.Flavor, "auto"}, {&k.Dataset, "trailhound.event"}, {&k.HealthDataset, "trailhound.health"}, {&k.Namespace, "default"}} {
		if *d.key == "" {
			*d.key = d.to
		}
	}
	if k.MaxRequest == 0 {
		k.MaxRequest = 5_000_000
	}
}

// check refuses what cannot work. Errors name the key and hold no secret.
func (k *Keys) check() error {
	switch k.Flavor {
	case "auto", "elasticsearch", "opensearch":
	default:
		return errors.New("flavor: use auto, elasticsearch or opensearch")
	}
	for _, part := range []struct{ key, text string }{{"dataset", k.Dataset}, {"health_dataset", k.HealthDataset}, {"namespace", k.Namespace}} {
		if err := checkPart(part.text); err != nil {
			return fmt.Errorf("%s: %w", part.key, err)
		}
	}
	switch {
	case k.Dataset == k.HealthDataset:
		return errors.New("health_dataset: must not be that of detections, whose fields are others")
	case k.APIKey != "" && (k.Username != "" || k.Password != ""):
		return errors.New("api_key: give either this or username and password")
	case (k.Username == "") != (k.Password == ""):
		return errors.New("username and password: one is given without the other")
	case strings.ContainsAny(k.Username, ":\r\n"):
		return errors.New("username: must not hold a colon or a line end")
	case k.Gzip < 0 || k.Gzip > 9:
		return errors.New("gzip: want a level from 0 to 9")
	case k.MaxRequest < 0:
		return errors.New("max_request: must not be negative")
	case strings.ContainsAny(k.Pipeline, "\r\n\x00"):
		return errors.New("pipeline: not the name of one")
	}
	if strings.ContainsAny(string(k.APIKey), " \r\n\t") {
		return errors.New("api_key: holds white space")
	}
	return nil
}

// checkPart checks a part of a data stream's name after the naming scheme of
// Elastic: no "-", which parts them, none of the characters that index names
// refuse, lower case, at most 100 bytes.
func checkPart(text string) error {
	switch {
	case text == "":
		return errors.New("must not be empty")
	case len(text) > 100:
		return errors.New("is longer than 100 bytes")
	case strings.ToLower(text) != text:
		return errors.New("must be in lower case")
	case strings.ContainsAny(text, `-\/*?"<>| ,#:`):
		return fmt.Errorf("must not hold %q, nor any of \\ / * ? \" < > | , # : or a space", "-")
	case strings.Trim(text, "0123456789abcdefghijklmnopqrstuvwxyz._") != "":
		return errors.New("may hold a-z, 0-9, . and _ only")
	}
	return nil
}

// authorization is the value of that header; empty: none.
func (k *Keys) authorization() string {
	switch {
	case k.APIKey != "":
		key := string(k.APIKey)
		if strings.Contains(key, ":") {
			key = base64.StdEncoding.EncodeToString([]byte(key))
		}
		return "ApiKey " + key
	case k.Username != "":
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(k.Username+":"+string(k.Password)))
	}
	return ""
}

// stream names the data stream of a dataset.
func (k *Keys) stream(dataset string) string { return "logs-" + dataset + "-" + k.Namespace }

package elasticsearch

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"trailhound/outputs"
	"trailhound/outputs/remote"
)

var _ outputs.Output = (*Output)(nil)

func TestKeys(t *testing.T) {
	one := []string{"https://es.test:9200"}
	for _, c := range []struct {
		keys Keys
		want string // in the error; empty: none
	}{
		{Keys{Addresses: one}, ""},
		{Keys{Addresses: one, APIKey: "abc="}, ""},
		{Keys{Addresses: []string{"http://127.0.0.1:9200/prefix/"}, Username: "u", Password: "p"}, ""},
		{Keys{}, "addresses"},
		{Keys{Addresses: one, CloudID: "x:y"}, "cloud_id"},
		{Keys{CloudID: "x:y"}, "cloud_id"},
		{Keys{CloudID: "name:" + base64.StdEncoding.EncodeToString([]byte("host.test"))}, "cloud_id"},
		{Keys{Addresses: []string{"es.test:9200"}}, "addresses[0]"},
		{Keys{Addresses: []string{"tcp://es.test:9200"}}, "addresses[0]"},
		{Keys{Addresses: []string{"https://es.test", "https://u:s3cret@es.test"}}, "addresses[1]"},
		{Keys{Addresses: []string{"https://es.test/?s3cret"}}, "addresses[0]"},
		{Keys{Addresses: one, APIKey: "a", Username: "u", Password: "s3cret"}, "api_key"},
		{Keys{Addresses: one, Username: "u"}, "password"},
		{Keys{Addresses: one, Password: "s3cret"}, "username"},
		{Keys{Addresses: one, Username: "u:v", Password: "s3cret"}, "username"},
		{Keys{Addresses: one, APIKey: "s3cret\n"}, "api_key"},
		{Keys{Addresses: one, Flavor: "solr"}, "flavor"},
		{Keys{Addresses: one, Dataset: "a-b"}, "dataset"},
		{Keys{Addresses: one, Dataset: "A"}, "dataset"},
		{Keys{Addresses: one, Dataset: "a,b"}, "dataset"},
		{Keys{Addresses: one, Dataset: "trailhound.health"}, "health_dataset"},
		{Keys{Addresses: one, HealthDataset: strings.Repeat("a", 101)}, "health_dataset"},
		{Keys{Addresses: one, Namespace: "a b"}, "namespace"},
		{Keys{Addresses: one, Namespace: "a/../b"}, "namespace"},
		{Keys{Addresses: one, Gzip: 10}, "gzip"},
		{Keys{Addresses: one, MaxRequest: -1}, "max_request"},
		{Keys{Addresses: one, Pipeline: "a\nb"}, "pipeline"},
		{Keys{Addresses: one, Proxy: "gopher://u:s3cret@proxy.test"}, "proxy"},
		{Keys{Addresses: one, TLS: remote.TLSKeys{CA: "/nowhere/ca.pem"}}, "ca"},
	} {
		o, err := New(c.keys, Env{Identity: identity(), Log: slog.New(slog.DiscardHandler)})
		switch {
		case err == nil && c.want != "":
			t.Errorf("%v: no error", c.keys)
		case err != nil && (c.want == "" || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cret")):
			t.Errorf("%v: %v", c.keys, err)
		case err == nil && o.Guarantee() != outputs.Acknowledged:
			t.Error("not acknowledged")
		}
	}
	if text := fmt.Sprintf("%+v %#v", Keys{APIKey: "s3cret", Password: "s3cret"}, Keys{Password: "s3cret"}); strings.Contains(text, "s3cret") {
		t.Error(text)
	}
}

func TestCloudID(t *testing.T) {
	for id, want := range map[string]string{
		"name:" + base64.StdEncoding.EncodeToString([]byte("eu.cloud.test$abc$def")):          "https://abc.eu.cloud.test:443",
		"name:" + base64.StdEncoding.EncodeToString([]byte("eu.cloud.test:9243$abc$def")):     "https://abc.eu.cloud.test:9243",
		"n:m:" + base64.RawStdEncoding.EncodeToString([]byte("eu.cloud.test$abc:9244$def")):   "https://abc.eu.cloud.test:9244",
		"name:" + base64.StdEncoding.EncodeToString([]byte("eu.cloud.test:9243$abc:1$def")):   "https://abc.eu.cloud.test:1",
		base64.StdEncoding.EncodeToString([]byte("eu.cloud.test$abc")):                        "https://abc.eu.cloud.test:443",
		"name:" + base64.StdEncoding.EncodeToString([]byte("user:pw@eu.test$abc/../x y$def")): "",
	} {
		u, err := cloudURL(id)
		if want == "" {
			if err == nil {
				t.Errorf("%s: %v", id, u)
			}
			continue
		}
		if err != nil || u.String() != want {
			t.Errorf("%s: %v %v, want %s", id, u, err, want)
		}
	}
}

func TestSample(t *testing.T) {
	var list []yaml.Node
	if err := yaml.Unmarshal([]byte(Sample()), &list); err != nil || len(list) != 1 {
		t.Fatal(err)
	}
	type entry struct {
		Name, Type string
		Keys       `yaml:",inline"`
	}
	// With the comments taken off the keys that have a default.
	full := strings.NewReplacer("  # cloud_id", "  #cloud_id", "  # username", "  #username", "  # password", "  #password",
		"    # pin", "    pin", "  # ", "  ").Replace(Sample())
	for _, text := range []string{Sample(), full} {
		d := yaml.NewDecoder(strings.NewReader(text))
		d.KnownFields(true)
		var entries []entry
		if err := d.Decode(&entries); err != nil || entries[0].Type != "elasticsearch" || entries[0].APIKey == "" {
			t.Errorf("%v: %+v", err, entries)
		}
	}
}

// The manual names every key with its default.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	keys := reflect.TypeFor[Keys]()
	for i := range keys.NumField() {
		tag := keys.Field(i).Tag
		name, dflt := tag.Get("key"), strings.Trim(tag.Get("default"), "[]")
		row := regexp.MustCompile(`(?m)^\| [a-z_, ]*\b` + name + `\b[a-z_, ]* \| ` + regexp.QuoteMeta(dflt) + ` ?\|`)
		if !row.Match(text) {
			t.Errorf("README.md has no row for %s with the default %q", name, dflt)
		}
	}
}

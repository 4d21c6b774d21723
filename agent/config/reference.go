package config

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

const referenceIntro = `# Configuration

<!-- Made from the structs of agent/config: go test ./agent/config -run Reference -update -->

Trailhound reads ` + "`/etc/trailhound/config.yaml`" + `, or the file given with ` + "`-c`" + `. Every key has a default, so an
empty file is valid; ` + "`trailhound config sample`" + ` prints the default file with comments, ` + "`config check`" + ` checks a file
and names every problem with file, line and column, and ` + "`config show`" + ` prints what is in force, with secrets masked.

**Drop-ins.** Files ` + "`conf.d/*.yaml`" + ` beside the configuration file are read after it, in name order. Maps merge. ` + "`outputs`" + `,
` + "`trails.sources`" + ` and ` + "`suppress.rules`" + ` merge by ` + "`name`" + `, and an entry of ` + "`{name: NAME, remove: true}`" + ` deletes one. All other lists
and values replace what was there. A value in the configuration file replaces the default; a drop-in merges with the
default where the configuration file does not speak of a key. A key without a value says nothing.

**On the command line.** ` + "`--set key=value`" + ` comes last and wins. The value is YAML; a list replaces the one that was there, and so
does a map of one's own names: ` + "`--set 'detection.home_networks={office: [10.1.0.0/16]}'`" + ` leaves that group alone, ` + "`={}`" + ` none. Entries are
reached by name: ` + "`--set outputs.siem.address=udp://192.0.2.1:514`" + `, ` + "`--set 'detection.home_networks.lab=[10.2.0.0/16]'`" + `.

**From elsewhere.** In any value, ` + "`${env:NAME}`" + ` is an environment variable, ` + "`${file:PATH}`" + ` the text of a file without its last
line break (a relative path starts at the file that names it), ` + "`${cred:NAME}`" + ` a systemd credential. What is missing is an
error. ` + "`$${`" + ` is a literal ` + "`${`" + `. Values that came this way are never shown. Files are read again on reload,
and those of an output when its receiver refuses the credentials.

**Units.** Sizes are bytes or have a unit: KiB, MiB, GiB, TiB (1024), KB, MB, GB, TB (1000). Durations have a unit: ms, s, m,
h, d. A network is written 10.0.0.0/8; where networks are listed, an address is fine too.

**Changes** are taken on reload (SIGHUP) or need a restart, as the tables say. A reload checks the new configuration first and
keeps the old one if there is a problem.
`

// WriteReference writes docs/configuration.md: every key with its type, default
// and meaning. Further are keys of list entries that another package decodes,
// by KeysOf.
func WriteReference(w io.Writer, further ...Key) error {
	var b strings.Builder
	b.WriteString(referenceIntro)
	keys := withFurther(Keys(), further)
	for _, f := range fieldsOf(reflect.TypeFor[Config]()) {
		if isSection(f.typ) {
			fmt.Fprintf(&b, "\n## %s\n\n%s.\n", f.key, capital(f.doc))
		} else {
			fmt.Fprintf(&b, "\n## %s\n", f.key)
		}
		b.WriteString("\n| key | type | default | taken by | meaning |\n| --- | --- | --- | --- | --- |\n")
		for _, k := range keys {
			if k.Path == f.key || strings.HasPrefix(k.Path, f.key+".") || strings.HasPrefix(k.Path, f.key+"[]") {
				dflt := ""
				switch {
				case k.Default != "":
					dflt = "`" + k.Default + "`"
				case k.Required:
					dflt = "required"
				}
				fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", k.Path, cell(k.Type), cell(dflt), k.Take, cell(capital(k.Doc)))
			}
		}
	}
	b.WriteString("\n## For those who come from Maltrail\n\n[from-maltrail.md](from-maltrail.md) is the way from there. These directives have a counterpart:\n\n" +
		"| Maltrail | Trailhound |\n| --- | --- |\n")
	for _, k := range keys {
		for _, directive := range k.Maltrail {
			fmt.Fprintf(&b, "| `%s` | `%s` |\n", directive, k.Path)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// withFurther puts each of the further keys behind the keys of its list.
func withFurther(keys, further []Key) []Key {
	for _, k := range further {
		list, _, _ := strings.Cut(k.Path, "[]")
		at := len(keys)
		for i := range keys {
			if keys[i].Path == list || strings.HasPrefix(keys[i].Path, list+"[]") {
				at = i + 1
			}
		}
		keys = slices.Insert(keys, at, k)
	}
	return keys
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

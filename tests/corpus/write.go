package corpus

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Write writes the captures of subjects below a folder, which must not hold any
// yet: SUBJECT/NAME.pcap (or .pcapng), NAME.trails.csv, NAME.events with an event
// a line, its code in front, and NAME.whitelist and NAME.agents where there are
// any. INDEX.csv lists them, with the settings that differ from the corpus's.
func Write(dir string, subjects []Subject) error {
	index := [][]string{{"subject", "about", "capture", "packets", "events", "settings"}}
	for _, s := range subjects {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, s.ID)), 0o755); err != nil {
			return err
		}
		if err := os.Mkdir(filepath.Join(dir, s.ID), 0o755); err != nil {
			return err
		}
		for i := range s.Cases {
			c := &s.Cases[i]
			for suffix, text := range c.files() {
				if err := os.WriteFile(filepath.Join(dir, s.ID, c.fileName()+suffix), []byte(text), 0o644); err != nil {
					return err
				}
			}
			index = append(index, []string{s.ID, s.About, s.Capture(c), strconv.Itoa(len(c.Frames)), strconv.Itoa(len(c.Events)), c.settings()})
		}
	}
	var b strings.Builder
	w := csv.NewWriter(&b)
	if err := w.WriteAll(index); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "INDEX.csv"), []byte(b.String()), 0o644)
}

// Capture is the path of a capture below the folder that Write fills.
func (s *Subject) Capture(c *Case) string { return filepath.Join(s.ID, c.fileName()+c.extension()) }

// files are the contents by suffix.
func (c *Case) files() map[string]string {
	all := map[string]string{c.extension(): string(c.File()), ".trails.csv": c.TrailRows()}
	var events strings.Builder
	for i, e := range c.Events {
		fmt.Fprintf(&events, "%s %s\n", c.Codes[i], e)
	}
	all[".events"] = events.String()
	if len(c.Whitelist) > 0 {
		all[".whitelist"] = strings.Join(c.Whitelist, "\n") + "\n"
	}
	if c.UserAgents != "" {
		all[".agents"] = c.UserAgents
	}
	return all
}

// TrailRows are the trails as a file of the reference's form.
func (c *Case) TrailRows() string {
	var b strings.Builder
	for _, row := range c.Trails {
		b.WriteString(row)
		if strings.Count(row, ",") < 2 {
			b.WriteString(",(static)")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// settings are those that differ from the other cases', as they are configured.
func (c *Case) settings() string {
	var all []string
	if c.NoHeuristics {
		all = append(all, "detection.heuristics=false")
	}
	if c.NoHostNames {
		all = append(all, "detection.host_domains=false")
	}
	if c.Aggregate > 0 {
		all = append(all, "suppress.aggregate="+c.Aggregate.String())
	}
	return strings.Join(all, " ")
}

func (c *Case) extension() string {
	if c.Pcapng {
		return ".pcapng"
	}
	return ".pcap"
}

// fileName is the name in small letters and digits.
func (c *Case) fileName() string {
	words := strings.FieldsFunc(strings.ToLower(c.Name), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	return strings.Join(words, "-")
}

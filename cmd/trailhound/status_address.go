package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"trailhound/agent/config"
	"trailhound/agent/status"
)

// statusAddress is where the sensor of this configuration answers. A
// configuration that is wrong is one that the sensor may have refused to load:
// just then it has to be asked, so that is a warning here: one for each thing that
// is wrong, and the last one says where it is asked.
func (a *app) statusAddress() (listen string, warnings []string, err error) {
	c, err := a.load()
	switch {
	case err == nil:
		listen = c.Status.Listen
	case !isConfig(err):
		return "", nil, err
	default:
		// What is wrong on this command line is for whoever typed it to mend.
		if _, err := config.Load(config.Options{Set: a.set, Getenv: os.LookupEnv, Credentials: os.Getenv("CREDENTIALS_DIRECTORY")}); err != nil {
			return "", nil, err
		}
		for line := range strings.Lines(err.Error()) {
			warnings = append(warnings, strings.TrimSpace(line))
		}
		var from string
		listen, from = a.salvageListen()
		warnings = append(warnings, fmt.Sprintf("the configuration is wrong; asking at %q, %s (--address asks elsewhere)", listen, from))
	}
	if listen == "" {
		for _, w := range warnings {
			a.warn("%s", w)
		}
		return "", nil, errors.New("status.listen is empty: this sensor has no status endpoint; --address asks elsewhere")
	}
	return listen, warnings, nil
}

// warnOfConfig gives the warnings of statusAddress, but for those that stand on
// the page: the sensor refused the same configuration.
func (a *app) warnOfConfig(warnings []string, f statusFlags, now *status.Snapshot) {
	var said []string
	if now != nil && !f.json {
		said, _ = refusals(now)
	}
	for _, w := range warnings {
		if !slices.Contains(said, w) {
			a.warn("%s", w)
		}
	}
}

// salvageListen reads status.listen of a configuration that is wrong, as far as
// it can be made out, and says where it is from.
func (a *app) salvageListen() (listen, from string) {
	file := a.configFile
	if file == "" {
		file = defaultConfig
	}
	dropIns, _ := filepath.Glob(filepath.Join(filepath.Dir(file), "conf.d", "*.yaml"))
	files := append([]string{file}, dropIns...)
	var sets []string
	for _, file := range files {
		if text, ok := listenIn(file); ok {
			sets = append(sets, "status.listen='"+strings.ReplaceAll(text, "'", "''")+"'")
		}
	}
	sets = append(sets, slices.DeleteFunc(slices.Clone(a.set), func(s string) bool { return !strings.HasPrefix(s, "status.listen=") })...)
	if len(sets) > 0 {
		// This expands what it refers to, and says whether it is an address.
		c, err := config.Load(config.Options{Set: sets, Getenv: os.LookupEnv, Credentials: os.Getenv("CREDENTIALS_DIRECTORY")})
		if err == nil {
			if _, _, err = status.Address(c.Status.Listen); err == nil || c.Status.Listen == "" {
				return c.Status.Listen, "its status.listen"
			}
		}
	}
	return config.Default().Status.Listen, "the default"
}

// maxSalvage is how much is read of a file that may be anything.
const maxSalvage = 1 << 20

// listenIn finds status.listen in a file: in the whole of it if that is YAML,
// else in the lines that look like the section.
func listenIn(file string) (listen string, ok bool) {
	f, err := os.Open(file)
	if err != nil {
		return "", false
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSalvage))
	if err != nil {
		return "", false
	}
	for _, part := range [][]byte{text, statusSection(text)} {
		var c struct {
			Status struct {
				Listen yaml.Node
			}
		}
		// A value of another type elsewhere is an error that leaves the rest.
		_ = yaml.Unmarshal(part, &c)
		if n := &c.Status.Listen; n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
			return n.Value, true
		}
	}
	return "", false
}

// statusSection cuts the section "status" out of the lines of a file: it begins
// in the first column and ends before the next line that does.
func statusSection(text []byte) []byte {
	var section []byte
	inside := false
	for line := range bytes.Lines(text) {
		if c := line[0]; c != ' ' && c != '#' && c != '\n' && c != '\r' {
			if inside {
				break
			}
			inside = bytes.HasPrefix(line, []byte("status:"))
		}
		if inside {
			section = append(section, line...)
		}
	}
	return section
}

package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"trailhound/agent/config"
	"trailhound/trails/starter"
)

// trailFacts is what the sensor would match against.
type trailFacts struct {
	starter bool
	path    string
	number  int
	created time.Time // when its sources were read; zero: now
	err     error
}

// readTrails opens what the configuration or --trails names.
func (a *app) readTrails(c *config.Config, paths []string) (f trailFacts) {
	if len(paths) == 0 {
		if paths, f.err = configuredTrails(c); f.err != nil {
			return f
		}
	}
	if len(paths) == 0 {
		return trailFacts{starter: true, path: filepath.Join(c.State, tableFile)}
	}
	t, _, err := a.openTrails(c, paths)
	if err != nil {
		return trailFacts{path: paths[0], err: err}
	}
	defer t.Close()
	f = trailFacts{path: strings.Join(paths, ", "), number: t.Len()}
	if t.File() != "" {
		f.created = t.Created()
	}
	return f
}

func (a *app) checkTrails(c *config.Config, paths []string) finding {
	return judgeTrails(a.readTrails(c, paths), c.Trails.MaxAge, time.Now())
}

func judgeTrails(t trailFacts, maxAge time.Duration, now time.Time) finding {
	f := finding{Check: "trails", Status: statusOK}
	const build = "build a table: " + programCommand + " trails build"
	age := now.Sub(t.created)
	switch {
	case t.err != nil:
		f.Status, f.Detail, f.Action = statusFail, t.err.Error(), "correct trails.table, or "+build
		return f
	case t.starter:
		f.Status, f.Action = statusWarn, build
		f.Detail = fmt.Sprintf("the starter set: no protection by itself (no trails.table, and %q does not exist)", t.path)
		return f
	case t.number == 0:
		f.Status, f.Detail, f.Action = statusWarn, t.path+" holds no trail", build
		return f
	}
	f.Detail = fmt.Sprintf("%s of %s", count(uint64(t.number), "trail"), t.path)
	switch {
	case t.created.IsZero():
	case age < -time.Hour:
		f.Status, f.Action = statusWarn, "set the clock, or build the table anew"
		f.Detail += fmt.Sprintf(", made in the future (%s)", t.created.Format(time.DateTime))
	default:
		f.Detail += fmt.Sprintf(", %s old", days(age))
		if maxAge > 0 && age > maxAge {
			f.Status, f.Action = statusWarn, "build or fetch a newer table, or raise trails.max_age"
			f.Detail += fmt.Sprintf(": more than trails.max_age (%s), the sensor is not ready", days(maxAge))
		}
	}
	return f
}

// days gives an age in the unit that people would use.
func days(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", d/time.Hour)
	}
	return fmt.Sprintf("%d minutes", max(d, 0)/time.Minute)
}

// checkWhitelist reads every whitelist file that counts.
func (a *app) checkWhitelist(c *config.Config, paths []string) finding {
	f := finding{Check: "whitelist", Status: statusOK}
	var parts, malformed []string
	if len(paths) == 0 {
		paths = c.Trails.Whitelist
		if c.Trails.BuiltinWhitelist {
			parts = append(parts, fmt.Sprintf("%d entries built in", starter.Whitelist().Len()))
		}
	} else if paths[0] == noWhitelist {
		paths = nil
	}
	for _, path := range paths {
		l, report, err := readEntries(path)
		if err != nil {
			return finding{f.Check, statusFail, err.Error(), "make it readable for the service, or correct trails.whitelist"}
		}
		parts = append(parts, fmt.Sprintf("%d of %s", l.Len(), path))
		if report.Malformed > 0 {
			malformed = append(malformed, fmt.Sprintf("%s of %s malformed", count(uint64(report.Malformed), "line"), path))
		}
	}
	if f.Detail = strings.Join(append(parts, malformed...), ", "); f.Detail == "" {
		f.Detail = "none"
	}
	if len(malformed) > 0 {
		f.Status, f.Action = statusWarn, "correct them: they have no effect"
	}
	return f
}

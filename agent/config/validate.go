package config

import (
	"cmp"
	"fmt"
	"math"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// checkText does the checks that tags name. The problem reads on from the
// quoted value.
func checkText(check, text string) (problem, hint string) {
	check, optional := strings.CutSuffix(check, "?")
	if text == "" {
		if optional || check == "name" {
			return "", ""
		}
		return "must not be empty", ""
	}
	switch check {
	case "path":
		if strings.ContainsRune(text, 0) {
			return "is not a path", ""
		}
		if !filepath.IsAbs(text) {
			return "is not an absolute path", "a service has no directory of its own to start from"
		}
	case "name":
		if len(text) > 253 || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7F }) {
			return "is not a name", "want 1 to 253 bytes without spaces and control characters"
		}
	case "listen":
		return listenProblem(text)
	default:
		panic("BUG: no check is called " + check)
	}
	return "", ""
}

// listenProblem checks "address:port" or the path of a unix socket, with or
// without "unix:". The address may be missing (all), an IP address, or
// localhost; a name would depend on DNS at start.
func listenProblem(text string) (problem, hint string) {
	if path, unix := strings.CutPrefix(text, "unix:"); unix || strings.HasPrefix(text, "/") {
		switch {
		case !filepath.IsAbs(path):
			return "is not the path of a socket", "write unix:/run/trailhound/status.sock"
		case len(path) > maxSocketPath:
			return fmt.Sprintf("is not the path of a socket: the kernel allows %d bytes", maxSocketPath), ""
		}
		return "", ""
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		if a, err := netip.ParseAddr(text); err == nil {
			return "is not an address with port", "write " + net.JoinHostPort(a.String(), "8339")
		}
		return "is not an address with port", "write 127.0.0.1:8339, [::1]:8339 or :8339"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return "is not an address with port", "the port is a number from 0 to 65535; 0 takes a free one"
	}
	if host == "" || host == "localhost" {
		return "", ""
	}
	if _, err := netip.ParseAddr(host); err != nil {
		return "is not an address with port", "want an IP address, localhost, or nothing for all addresses"
	}
	return "", ""
}

// maxSocketPath is sun_path of linux/un.h without the terminating NUL.
const maxSocketPath = 107

// checker checks what concerns more than one value.
type checker struct {
	c    *Config
	errs *problems
}

// fail adds a problem, unless the value could not be read in the first place.
func (k checker) fail(path, problem, hint string) {
	if !k.errs.list.about(path) {
		k.errs.add(k.c.origin[path], path, problem, hint)
	}
}

// shown quotes a value, or the text that it was expanded from.
func (k checker) shown(path, text string) string {
	if template, ok := k.c.masked[path]; ok {
		text = template
	}
	return strconv.Quote(clip(text))
}

func (c *Config) validate(opt Options, files []string, errs *problems) {
	k := checker{c, errs}
	k.interfaces()
	k.labels()
	// Index finds no default, which is before all files.
	k.home(func(file string) int { return slices.Index(files, file) })
	k.codes(opt.Codes)
	k.counted(opt.Counted)
	k.outputs(opt.OutputTypes)
	k.from()
}

func (k checker) interfaces() {
	list := k.c.Capture.Interfaces
	if slices.ContainsFunc(k.errs.list, func(e *Error) bool { return within(e.Key, "capture.interfaces") }) {
		return // they are not all known
	}
	if len(list) == 0 {
		k.fail("capture.interfaces", "want at least one interface", "[any] captures on all")
	}
	known, open := map[string]int{}, false
	for i, one := range list {
		at := fmt.Sprintf("capture.interfaces[%d]", i)
		if _, twice := known[one.Name]; twice {
			k.fail(at, k.shown(at+".name", one.Name)+" is listed twice", "")
		}
		if one.Name == Any && len(list) > 1 {
			k.fail(at, "any is every interface already", "list it alone")
		}
		known[one.Name] = i
		open = open || one.Name == Any || one.Glob()
	}
	names := make([]string, 0, len(k.c.Capture.Silence.By))
	for name := range k.c.Capture.Silence.By {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if _, ok := known[name]; !ok && !open {
			k.fail(pathSilence+"."+name, "capture.interfaces does not list this interface", didYouMean(name, known, ""))
		}
	}
}

// Bounds on sensor.labels: every event carries them all.
const (
	maxLabels     = 32
	maxLabelValue = 256
)

func (k checker) labels() {
	labels := k.c.Sensor.Labels
	if len(labels) > maxLabels {
		k.fail("sensor.labels", fmt.Sprintf("more than %d labels", maxLabels), "every event carries them all")
		return
	}
	for _, name := range sortedKeys(labels) {
		if at, value := "sensor.labels."+name, labels[name]; !plainName(name) {
			k.fail(at, "the key is not a label", "want 1 to 64 letters, digits, - and _")
		} else if len(value) > maxLabelValue || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7F }) {
			k.fail(at, fmt.Sprintf("want at most %d bytes without control characters", maxLabelValue), "")
		}
	}
}

func (k checker) codes(codes []string) {
	order := make(map[string]int, len(codes))
	for i, code := range codes {
		order[code] = i
	}
	for i, code := range k.c.Detection.Disable {
		if _, ok := order[code]; !ok && len(codes) > 0 {
			at := fmt.Sprintf("detection.disable[%d]", i)
			k.fail(at, k.shown(at, code)+" is not a code", codeHint(code, order))
		}
	}
	for _, code := range sortedKeys(k.c.Detection.Thresholds) {
		at := "detection.thresholds." + code
		if _, ok := order[code]; !ok && len(codes) > 0 {
			k.fail(at, "the key is not a code", codeHint(code, order))
		}
		if !(k.c.Detection.Thresholds[code] > 0) {
			k.fail(at, "want a number above 0", "")
		}
	}
	for _, code := range sortedKeys(k.c.Detection.Windows) {
		if _, ok := order[code]; !ok && len(codes) > 0 {
			k.fail("detection.windows."+code, "the key is not a code", codeHint(code, order))
		}
	}
}

// Count says what can be set of a heuristic.
type Count struct {
	Threshold bool          // it has one
	Whole     bool          // which is a number of things
	Most      float64       // the highest that something can be above; 0: maxCount, or any if not whole
	Window    time.Duration // the longest time that it can count in; 0: it has none
}

// maxCount is the highest number of things that a heuristic counts up to.
const maxCount = 4096

// counted checks thresholds and windows against what each heuristic is.
func (k checker) counted(counts map[string]Count) {
	if counts == nil {
		return
	}
	for _, code := range sortedKeys(k.c.Detection.Thresholds) {
		at, v, c := "detection.thresholds."+code, k.c.Detection.Thresholds[code], counts[code]
		switch {
		case !c.Threshold:
			k.fail(at, "the code has no threshold", "")
		case !c.Whole && c.Most > 0 && v > c.Most:
			k.fail(at, fmt.Sprintf("nothing is above it: want a number of at most %v", c.Most), "")
		case c.Whole && (v != math.Trunc(v) || v > cmp.Or(c.Most, maxCount)):
			k.fail(at, fmt.Sprintf("want a whole number of at most %v", cmp.Or(c.Most, maxCount)), "")
		}
	}
	for _, code := range sortedKeys(k.c.Detection.Windows) {
		at, v, most := "detection.windows."+code, k.c.Detection.Windows[code], counts[code].Window
		switch {
		case most == 0:
			k.fail(at, "the code has no window", "")
		case v < time.Second || v > most || v%time.Second != 0:
			k.fail(at, fmt.Sprintf("want whole seconds from 1s to %v", most), "")
		}
	}
}

// codeHint knows the reference's names for what can be muted (D 17).
func codeHint(code string, order map[string]int) string {
	renamed := map[string]string{
		"port_scanning": "scan.port", "udp_scanning": "scan.udp", "web_scanning": "scan.web",
		"infection": "scan.infection", "dns_exhaustion": "dns.exhaustion", "long_domain": "dns.long",
	}
	if now, ok := renamed[strings.ToLower(code)]; ok {
		return "did you mean " + now + "?"
	}
	return didYouMean(code, order, "")
}

func (k checker) outputs(types []string) {
	order := make(map[string]int, len(types))
	for i, t := range types {
		order[t] = i
	}
	for _, o := range k.c.Outputs {
		at := "outputs." + o.Name + ".type"
		if o.Name != "" && o.Type != "" && len(types) > 0 && !slices.Contains(types, o.Type) {
			hint := didYouMean(o.Type, order, "")
			if hint == "" {
				hint = "there are " + strings.Join(types, ", ")
			}
			k.fail(at, k.shown(at, o.Type)+" is not an output type", hint)
		}
	}
}

// from wants https for bundles as a matter of privacy; their signature is what
// makes them safe, so http is allowed too.
func (k checker) from() {
	text := k.c.Trails.Update.From.Reveal()
	if text == "" || filepath.IsAbs(text) {
		return
	}
	if u, err := url.Parse(text); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		k.fail("trails.update.from", "want an http or https URL or an absolute path", "")
	}
}

func sortedKeys[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

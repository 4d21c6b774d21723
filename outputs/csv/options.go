package csv

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"trailhound/agent/event"
	"trailhound/outputs/format"
)

// Options are those of one file. Start from Defaults: a zero number means its
// default, but false is false.
type Options struct {
	Path            string
	MaxSize         int64       // bytes at which the file is rotated
	MaxFiles        int         // rotated files that are kept
	Daily           bool        // rotate when a new UTC day begins
	Compress        bool        // gzip rotated files
	Mode            os.FileMode // of the files, whatever the umask
	SpreadsheetSafe bool        // see format.AppendSafeCSV
	Format          string      // csv, csv-all, maltrail, json or cef

	// Set by the program, not by the configuration.
	Identity *event.Identity
	Location *time.Location // of maltrail's times; nil: the machine's
	Log      *slog.Logger   // nil: slog.Default
}

// Defaults are the options that the configuration starts from; there is no
// default for Path.
func Defaults() Options {
	return Options{MaxSize: 100 << 20, MaxFiles: 10, Daily: true, Compress: true, Mode: 0o640, Format: "csv"}
}

// keys lists what Decode knows; name, type and health belong to the registry.
const keys = "path, max_size, max_files, daily, compress, mode, spreadsheet_safe, format"

// Decode reads the options from an output's part of the configuration. An
// unknown or repeated key and a value of the wrong kind are errors that name
// line and column, all of them joined. The keys that all outputs share (name, type,
// health) are passed over. No error repeats a value: it may have come from ${file:}
// or ${cred:}, and the place says where to look.
func Decode(node *yaml.Node) (Options, error) {
	opt := Defaults()
	for node != nil && (node.Kind == yaml.DocumentNode && len(node.Content) == 1 || node.Kind == yaml.AliasNode) {
		if node.Kind == yaml.AliasNode {
			node = node.Alias
		} else {
			node = node.Content[0]
		}
	}
	if node == nil || node.Kind != yaml.MappingNode {
		return opt, errors.New("csv output: not a mapping of options")
	}
	var all []error
	whole := true // all that was given could be read
	seen := make(map[string]bool)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		if seen[key.Value] {
			all = append(all, fmt.Errorf("%d:%d: key %q is given twice", key.Line, key.Column, key.Value))
			continue
		}
		seen[key.Value] = true
		if err := opt.set(key.Value, value); err != nil {
			at := value
			if errors.Is(err, errUnknownKey) {
				at = key
			} else {
				whole = false
			}
			all = append(all, fmt.Errorf("%d:%d: %s: %w", at.Line, at.Column, key.Value, err))
		}
	}
	if whole {
		all = append(all, opt.check())
	}
	return opt, errors.Join(all...)
}

var errUnknownKey = errors.New("unknown key, use one of " + keys)

func (o *Options) set(key string, value *yaml.Node) (err error) {
	switch key {
	case "name", "type", "health":
	case "path":
		return decodeAs(value, &o.Path, "a path")
	case "max_size":
		o.MaxSize, err = parseSize(value.Value)
	case "max_files":
		if err = decodeAs(value, &o.MaxFiles, "a number"); err == nil && o.MaxFiles < 1 {
			err = errors.New("must be at least 1")
		}
	case "daily":
		return decodeAs(value, &o.Daily, "true or false")
	case "compress":
		return decodeAs(value, &o.Compress, "true or false")
	case "mode":
		// The text is read, not the number: YAML 1.1 and 1.2 disagree on 0640.
		n, e := strconv.ParseUint(strings.TrimPrefix(value.Value, "0o"), 8, 32)
		if e != nil || n > 0o777 {
			return errors.New("not a file mode such as 0640")
		}
		o.Mode = os.FileMode(n)
	case "spreadsheet_safe":
		return decodeAs(value, &o.SpreadsheetSafe, "true or false")
	case "format":
		return decodeAs(value, &o.Format, "the name of a format")
	default:
		return errUnknownKey
	}
	return err
}

// decodeAs reads a value; want says what it should have been. The YAML package's
// own errors hold the value and may be several lines.
func decodeAs(value *yaml.Node, to any, want string) error {
	if value.Decode(to) != nil {
		return errors.New("not " + want)
	}
	return nil
}

// check completes the options and refuses those that cannot work.
func (o *Options) check() error {
	d := Defaults()
	if o.MaxSize == 0 {
		o.MaxSize = d.MaxSize
	}
	if o.MaxFiles == 0 {
		o.MaxFiles = d.MaxFiles
	}
	if o.Mode == 0 {
		o.Mode = d.Mode
	}
	if o.Format == "" {
		o.Format = d.Format
	}
	switch {
	case o.Path == "":
		return errors.New("csv output: path is missing")
	case !filepath.IsAbs(o.Path):
		return errors.New("csv output: path is not absolute")
	case o.MaxSize < 0 || o.MaxFiles < 0:
		return errors.New("csv output: max_size and max_files cannot be negative")
	case o.Mode&0o200 == 0:
		return fmt.Errorf("csv output: mode %04o forbids writing", o.Mode)
	case o.Format == "table":
		return errors.New("csv output: format table is for terminals only")
	}
	if _, err := format.Named(o.Format, format.Options{}); err != nil {
		return errors.New("csv output: format is none of " + strings.Join(format.Names(), ", "))
	}
	return nil
}

// parseSize reads a size in bytes, with or without one of the units KiB, MiB,
// GiB (powers of 1024) and KB, MB, GB (of 1000).
func parseSize(text string) (int64, error) {
	number, unit := strings.TrimSpace(text), int64(1)
	for _, u := range []struct {
		suffix string
		bytes  int64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}} {
		if rest, ok := strings.CutSuffix(number, u.suffix); ok {
			number, unit = strings.TrimSpace(rest), u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 1 || n > math.MaxInt64/unit {
		return 0, errors.New("not a size such as 100MiB")
	}
	return n * unit, nil
}

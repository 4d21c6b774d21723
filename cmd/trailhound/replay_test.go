package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"

	"trailhound/tests/corpus"
)

// replayed is where the tests of replay work: trails, captures, no whitelist.
type replayed struct {
	dir, trails string
}

func newReplayed(t *testing.T) *replayed {
	dir := t.TempDir()
	good, _, _ := strings.Cut(testTrails, "1.2.3.4:99999") // the rest is malformed on purpose
	return &replayed{dir, writeTest(t, filepath.Join(dir, "test.csv"), good)}
}

// capture writes a capture of n DNS queries for a listed name, one a second.
func (r *replayed) capture(t *testing.T, name string, n int) string {
	var frames []corpus.Stamped
	for i := range n {
		p := corpus.IP(fmt.Sprintf("10.0.0.%d", i+1), "8.8.8.8", corpus.UDP(50000, 53, corpus.Query(corpus.Ask("www.evil.example"))))
		frames = append(frames, corpus.At(i, p.Ethernet()))
	}
	return writeTest(t, filepath.Join(r.dir, name), string(corpus.Pcap(frames)))
}

func (r *replayed) run(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	return trailsRun(t, r.dir, append([]string{"replay", "--trails", r.trails}, args...)...)
}

func TestReplayFormats(t *testing.T) {
	r := newReplayed(t)
	file := r.capture(t, "a.pcap", 3)
	for _, c := range []struct {
		format string
		lines  int
		check  func(out string) bool
	}{
		{"csv", 4, func(out string) bool {
			rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
			return err == nil && rows[0][0] == "time" && rows[1][8] == "(www).evil.example" && rows[3][2] == "10.0.0.3"
		}},
		{"", 4, func(out string) bool { return strings.HasPrefix(out, "time,sensor,src_ip,") }},
		{"json", 3, func(out string) bool {
			for d := json.NewDecoder(strings.NewReader(out)); ; {
				var v map[string]any
				if err := d.Decode(&v); err == io.EOF {
					return true
				} else if err != nil || v["@timestamp"] == nil {
					return false
				}
			}
		}},
		{"maltrail", 3, func(out string) bool {
			return strings.Contains(out, ` 10.0.0.1 50000 8.8.8.8 53 UDP DNS (www).evil.example "ek test (malicious)" (static)`)
		}},
		{"cef", 3, func(out string) bool { return strings.HasPrefix(out, "CEF:0|Trailhound|") }},
		{"table", 4, func(out string) bool {
			return !strings.Contains(out, "\x1b") && strings.Contains(out, "(www).evil.example")
		}},
	} {
		code, out, errs := r.run(t, "--format", c.format, file)
		if code != exitDone || strings.Count(out, "\n") != c.lines || !c.check(out) {
			t.Errorf("%s: code %d\n%s%s", c.format, code, out, errs)
		}
		if !strings.Contains(errs, "packets   3 packets in ") || !strings.Contains(errs, "events    3 detected, 0 whitelisted, 0 folded into 0 summaries, 3 shown") {
			t.Errorf("summary:\n%s", errs)
		}
		if _, out, errs := r.run(t, "-q", "--format", c.format, file); out == "" || errs != "" {
			t.Errorf("%s, quiet: %s", c.format, errs)
		}
	}
}

func TestReplayFoldsRepeats(t *testing.T) {
	r := newReplayed(t)
	var frames []corpus.Stamped
	for i := range 6 {
		p := corpus.IP(fmt.Sprintf("10.0.0.%d", i%2), "8.8.8.8", corpus.UDP(50000, 53, corpus.Query(corpus.Ask("www.evil.example"))))
		frames = append(frames, corpus.At(i, p.Ethernet()))
	}
	both := []string{"--format", "maltrail"}
	for i, part := range [][]corpus.Stamped{frames[:3], frames[3:]} { // two files are one stream
		both = append(both, writeTest(t, filepath.Join(r.dir, fmt.Sprint(i)), string(corpus.Pcap(part))))
	}
	code, out, errs := r.run(t, both...)
	if code != exitDone || strings.Count(out, "\n") != 4 || !strings.Contains(errs, "6 detected, 0 whitelisted, 4 folded into 2 summaries, 4 shown") {
		t.Errorf("code %d\n%s%s", code, out, errs)
	}
	for _, every := range [][]string{{"--every"}, {"--set", "suppress.aggregate=0s"}} {
		if _, out, _ := r.run(t, append(every, both...)...); strings.Count(out, "\n") != 6 {
			t.Errorf("%v:\n%s", every, out)
		}
	}
	want := out
	for _, n := range []string{"1", "3", "7"} {
		if _, out, _ := r.run(t, append(both, "--set", "capture.workers="+n)...); out != want {
			t.Errorf("%s workers:\n%s\nwant\n%s", n, out, want)
		}
	}
}

func TestReplayWhitelists(t *testing.T) {
	r := newReplayed(t)
	file := filepath.Join(r.dir, "a.pcap")
	writeTest(t, file, string(corpus.Pcap(corpus.Each(
		corpus.IP("10.0.0.1", "66.66.66.66", corpus.Syn(1, 443)).Ethernet(),
		corpus.IP("10.0.0.1", "66.66.1.1", corpus.UDP(1, 443, "x")).Ethernet(),
		corpus.IP("10.0.0.1", "8.8.8.8", corpus.UDP(2, 53, corpus.Query(corpus.Ask("x.cdn.white.example")))).Ethernet()))))
	white := writeTest(t, filepath.Join(r.dir, "white.txt"), "white.example\n66.66.1.0/24\n")
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "2 detected, 0 whitelisted"},
		{[]string{"--whitelist", "none"}, "2 detected, 0 whitelisted"},
		{[]string{"--whitelist", white}, "1 detected, 1 whitelisted"},
	} {
		if code, _, errs := r.run(t, append(c.args, file)...); code != exitDone || !strings.Contains(errs, c.want) {
			t.Errorf("%v: code %d, %s", c.args, code, errs)
		}
	}
	if code, _, errs := r.run(t, "--whitelist", "none", "--whitelist", white, file); code != exitUsage || !strings.Contains(errs, "excludes every other") {
		t.Errorf("code %d, %s", code, errs)
	}
	if code, _, errs := r.run(t, "--whitelist", white+".no", file); code != exitFailed || !strings.Contains(errs, "no such file") {
		t.Errorf("code %d, %s", code, errs)
	}
}

func TestReplayBadInput(t *testing.T) {
	r := newReplayed(t)
	good := r.capture(t, "good.pcap", 3)
	data, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	cut := writeTest(t, filepath.Join(r.dir, "cut.pcap"), string(data[:len(data)-5]))
	empty := writeTest(t, filepath.Join(r.dir, "empty.pcap"), "")
	noCapture := writeTest(t, filepath.Join(r.dir, "text.pcap"), "this is no capture file at all")
	for _, c := range []struct {
		file, want string
		events     int
	}{
		{cut, "is damaged at byte", 2}, {empty, "is empty", 0}, {noCapture, "is not a capture file", 0},
		{r.dir, "is a directory", 0}, {good + ".no", "no such file or directory", 0},
	} {
		code, out, errs := r.run(t, "--format", "maltrail", "-q", c.file)
		if code != exitFailed || strings.Count(out, "\n") != c.events || strings.Count(errs, "\n") != 1 ||
			!strings.HasPrefix(errs, "trailhound: ") || !strings.Contains(errs, c.want) || !strings.Contains(errs, c.file) {
			t.Errorf("%s: code %d, %d events\n%s", c.file, code, strings.Count(out, "\n"), errs)
		}
	}
	// What can be read is read, whatever stands beside it.
	code, out, errs := r.run(t, "--every", "--format", "maltrail", "-q", good+".no", good, cut, empty, good)
	// All of it is one stream, and the same query again in the same second is no
	// event.
	if code != exitFailed || strings.Count(out, "\n") != 3 || strings.Count(errs, "\n") != 3 {
		t.Errorf("code %d\n%s%s", code, out, errs)
	}
}

// TestReplayNothingDecoded: a capture of which nothing can be decoded is read
// without an error, but not in silence.
func TestReplayNothingDecoded(t *testing.T) {
	r := newReplayed(t)
	frame := corpus.Frame{Link: 147, Data: bytes.Repeat([]byte{0xee}, 60)}
	file := writeTest(t, filepath.Join(r.dir, "a.pcap"), string(corpus.Pcap(corpus.Each(frame, frame, frame))))
	code, out, errs := r.run(t, file)
	if code != exitDone || strings.Count(out, "\n") != 1 || !strings.Contains(errs, "passed by 3 packets without a match, 3 unknown_link\n") ||
		!strings.Contains(errs, "trailhound: warning: nothing could be decoded: 3 packets passed by, 3 unknown_link\n") {
		t.Errorf("code %d\n%s%s", code, out, errs)
	}
	if _, _, errs := r.run(t, "-q", file); strings.Count(errs, "\n") != 1 {
		t.Errorf("quiet: %s", errs)
	}
	if _, _, errs := r.run(t, "-q", file, r.capture(t, "b.pcap", 1)); errs != "" {
		t.Errorf("one packet is decoded: %s", errs)
	}
}

func TestReplayOutputFile(t *testing.T) {
	r := newReplayed(t)
	file := r.capture(t, "a.pcap", 3)
	dir := filepath.Join(r.dir, "out")
	path := writeTest(t, filepath.Join(dir, "events.csv"), "old\n")
	content := func() string {
		t.Helper()
		list, _ := os.ReadDir(dir)
		if len(list) != 1 {
			t.Errorf("in the directory: %v", list)
		}
		b, _ := os.ReadFile(path)
		return string(b)
	}
	// Nothing is touched by what goes wrong before or while it is written.
	for _, args := range [][]string{{"--format", "xml"}, {"--whitelist", "/nonexistent"}, {"--set", "capture.workers=0"}} {
		if code, _, _ := r.run(t, append(args, "-o", path, file)...); code == exitDone || content() != "old\n" {
			t.Errorf("%v: code %d, the file holds %q", args, code, content())
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	if code := execute(ctx, &streams{strings.NewReader(""), &out, &errs}, []string{"replay", "--trails", r.trails, "-o", path, "-c", filepath.Join(r.dir, "config.yaml"), file}); code != exitInterrupt || content() != "old\n" {
		t.Errorf("interrupted: code %d, %q, %s", code, content(), errs.String())
	}
	// A damaged capture's events are written all the same.
	code, stdout, _ := r.run(t, "-o", path, "--format", "maltrail", file, file+".no")
	if code != exitFailed || strings.Count(content(), "\n") != 3 || stdout != "" {
		t.Errorf("code %d: %q", code, content())
	}
	if st, _ := os.Stat(path); st.Mode().Perm() != 0o640 {
		t.Errorf("mode %v", st.Mode())
	}
	// No events: the header makes a valid file.
	if code, _, _ := r.run(t, "-o", path, r.capture(t, "none.pcap", 0)); code != exitDone || strings.Count(content(), "\n") != 1 || !strings.HasPrefix(content(), "time,") {
		t.Errorf("no events: code %d, %q", code, content())
	}
	for _, bad := range []string{dir, filepath.Join(dir, "no", "x.csv")} {
		if code, _, errs := r.run(t, "-o", bad, file); code != exitFailed || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, fmt.Sprintf("cannot write events to %q: ", bad)) {
			t.Errorf("%s: code %d, %s", bad, code, errs)
		}
	}
}

func TestReplayDestinationFails(t *testing.T) {
	r := newReplayed(t)
	file := r.capture(t, "a.pcap", 3)
	if _, err := os.Stat("/dev/full"); err == nil {
		code, _, errs := r.run(t, "-o", "/dev/full", file)
		if code != exitFailed || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, "no space left on device") || !strings.Contains(errs, "/dev/full") {
			t.Errorf("full: code %d, %s", code, errs)
		}
		if st, err := os.Stat("/dev/full"); err != nil || st.Mode().IsRegular() {
			t.Error("the device has been replaced by a file")
		}
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{syscall.EPIPE, ""},
		{errors.New("broken"), "trailhound: cannot write to standard output: broken\n"},
	} {
		var errs bytes.Buffer
		code := execute(t.Context(), &streams{strings.NewReader(""), failing{c.err}, &errs}, []string{"replay", "--trails", r.trails, "--set", "state=" + r.dir, file})
		if code != exitFailed || errs.String() != c.want {
			t.Errorf("%v: code %d, %q", c.err, code, errs.String())
		}
	}
	// A real pipe whose reader has gone.
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read.Close()
	defer write.Close()
	var errs bytes.Buffer
	if code := execute(t.Context(), &streams{strings.NewReader(""), write, &errs}, []string{"replay", "--trails", r.trails, "--set", "state=" + r.dir, file}); code != exitFailed || errs.Len() != 0 {
		t.Errorf("pipe: code %d, %q", code, errs.String())
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestReplayStandardInput(t *testing.T) {
	r := newReplayed(t)
	data, err := os.ReadFile(r.capture(t, "a.pcap", 3))
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code := execute(t.Context(), &streams{bytes.NewReader(data), &out, &errs}, []string{"replay", "--trails", r.trails, "--set", "state=" + r.dir, "--set", "capture.workers=4", "--format", "maltrail", "-"})
	if code != exitDone || strings.Count(out.String(), "\n") != 3 {
		t.Errorf("code %d\n%s%s", code, out.String(), errs.String())
	}
}

// TestCommandLines holds exit codes and messages: one problem a line, each led
// by the program's name.
func TestCommandLines(t *testing.T) {
	dir := t.TempDir()
	wrong := writeTest(t, filepath.Join(dir, "wrong.yaml"), "capture:\n  workrs: 3\nfoo: 1\n")
	output := writeTest(t, filepath.Join(dir, "output.yaml"), "outputs:\n  - {name: one, type: csv, path: /x, pth: 1}\n  - {name: two, type: csv}\n")
	const hint = "run \"trailhound %s--help\" for the usage\n"
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"replay", "--bogus"}, exitUsage, "trailhound: unknown flag: --bogus\n" + fmt.Sprintf(hint, "replay ")},
		{[]string{"replay"}, exitUsage, "trailhound: no capture is named\n" + fmt.Sprintf(hint, "replay ")},
		{[]string{"replay", "-o"}, exitUsage, "trailhound: flag needs an argument: 'o' in -o\n" + fmt.Sprintf(hint, "replay ")},
		{[]string{"replay", "--every=maybe", "x"}, exitUsage, ""},
		{[]string{"replay", "--format", "xml", "x"}, exitUsage, "trailhound: unknown format \"xml\": use one of table, csv, csv-all, json, cef, maltrail\n" + fmt.Sprintf(hint, "replay ")},
		{[]string{"replya"}, exitUsage, "trailhound: unknown command \"replya\" for \"trailhound\", did you mean replay?\n" + fmt.Sprintf(hint, "")},
		{[]string{"completion", "nonsense"}, exitUsage, "trailhound: unknown command \"nonsense\" for \"trailhound completion\"\n" + fmt.Sprintf(hint, "completion ")},
		{[]string{"version", "x"}, exitUsage, ""},
		{[]string{"config"}, exitUsage, "trailhound: a subcommand is needed\n" + fmt.Sprintf(hint, "config ")},
		{[]string{"config", "check", "-c", wrong}, exitConfig, "trailhound: " + wrong + ":2:3: capture.workrs: unknown key, did you mean capture.workers?\ntrailhound: " +
			wrong + ":3:1: foo: unknown key, known here: sensor capture trails detection retro event suppress journal outputs health status log state\n"},
		{[]string{"replay", "-c", wrong, "x"}, exitConfig, ""},
		{[]string{"config", "check", "-c", output}, exitConfig, "trailhound: " + output + ":2:38: outputs.one: pth: unknown key, use one of path, max_size, max_files, daily, compress, mode, spreadsheet_safe, format\n" +
			"trailhound: " + output + ":3:5: outputs.two: csv output: path is missing\n"},
		{[]string{"config", "check", "-c", wrong + ".no"}, exitConfig, ""},
		{[]string{"config", "check", "--set", "capture.workers=0"}, exitConfig, ""},
		{[]string{"man"}, exitUsage, "trailhound: no directory is named\n" + fmt.Sprintf(hint, "man ")},
		{[]string{"man", "a", "b"}, exitUsage, "trailhound: one directory is wanted, 2 are named\n" + fmt.Sprintf(hint, "man ")},
		{[]string{"trails", "lookup"}, exitUsage, "trailhound: no value is named\n" + fmt.Sprintf(hint, "trails lookup ")},
		{[]string{"trails", "verify"}, exitUsage, "trailhound: no table is named\n" + fmt.Sprintf(hint, "trails verify ")},
		{[]string{"suppress", "from-event"}, exitUsage, "trailhound: no event is named\n" + fmt.Sprintf(hint, "suppress from-event ")},
		{[]string{"man", filepath.Join(wrong, "x")}, exitFailed, "trailhound: cannot write manual pages: mkdir " + wrong + ": not a directory\n"},
	} {
		var out, errs bytes.Buffer
		code := execute(t.Context(), &streams{strings.NewReader(""), &out, &errs}, c.args)
		if code != c.code || c.want != "" && errs.String() != c.want {
			t.Errorf("%v: code %d\n got %swant %s", c.args, code, errs.String(), c.want)
		}
		for line := range strings.Lines(errs.String()) {
			if !strings.HasPrefix(line, "trailhound: ") && !strings.HasPrefix(line, "run ") {
				t.Errorf("%v: stray line %q", c.args, line)
			}
		}
	}
}

func TestEveryCommandHasExamples(t *testing.T) {
	a := &app{streams: &streams{}}
	root := a.root()
	var walk func(c *cobra.Command, path []string)
	walk = func(c *cobra.Command, path []string) {
		var out, errs bytes.Buffer
		if code := execute(t.Context(), &streams{strings.NewReader(""), &out, &errs}, append(path, "--help")); code != exitDone || errs.Len() > 0 || !strings.Contains(out.String(), "Examples:\n") {
			t.Errorf("%v --help: code %d, %s%s", path, code, out.String(), errs.String())
		}
		for line := range strings.Lines(c.Example) {
			if line = strings.TrimSpace(line); line != "" && !strings.Contains(line, programCommand) {
				t.Errorf("%v: the example %q is not of this program", path, line)
			}
		}
		for _, sub := range c.Commands() {
			walk(sub, append(append([]string(nil), path...), sub.Name()))
		}
	}
	walk(root, nil)
}

func TestManVersionCompletion(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man1")
	run := func(args ...string) (string, string) {
		t.Helper()
		var out, errs bytes.Buffer
		if code := execute(t.Context(), &streams{strings.NewReader(""), &out, &errs}, args); code != exitDone || errs.Len() > 0 && args[0] != "__complete" {
			t.Errorf("%v: code %d, %s", args, code, errs.String())
		}
		return out.String(), errs.String()
	}
	run("man", dir)
	for _, page := range []string{"trailhound.1", "trailhound-replay.1", "trailhound-config-check.1", "trailhound-trails-build.1"} {
		if b, err := os.ReadFile(filepath.Join(dir, page)); err != nil || !bytes.Contains(b, []byte(".SH EXAMPLE")) || !bytes.Contains(b, []byte("Trailhound")) {
			t.Errorf("%s: %v", page, err)
		}
	}
	if out, _ := run("version"); !strings.HasPrefix(out, "trailhound "+version) || strings.Count(out, "\n") != 1 {
		t.Error(out)
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if out, _ := run("completion", shell); !strings.Contains(out, "__complete") {
			t.Errorf("%s: %d bytes", shell, len(out))
		}
	}
	if out, _ := run("__complete", "rep"); !strings.HasPrefix(out, "replay\t") {
		t.Errorf("completion of rep: %q", out)
	}
	if out, _ := run("config", "sample"); !strings.Contains(out, "outputs:") {
		t.Errorf("sample: %q", out)
	}
}

// TestReplayMuted: the summary says what roles of hosts excused.
func TestReplayMuted(t *testing.T) {
	r := newReplayed(t)
	var frames []corpus.Stamped
	for i := range 22 {
		p := corpus.IP("8.8.8.8", "10.0.0.1", corpus.UDP(53, 50000, corpus.Reply(3, corpus.Query(corpus.Ask("no.fine.org")))))
		frames = append(frames, corpus.At(i, p.Ethernet()))
	}
	file := writeTest(t, filepath.Join(r.dir, "a.pcap"), string(corpus.Pcap(frames)))
	code, out, errs := r.run(t, "--set", "detection.roles.resolver=[10.0.0.1]", file)
	if code != exitDone || strings.Count(out, "\n") != 1 || !strings.Contains(errs, "\nmuted     2 by detection.roles: 2 resolver\n") {
		t.Errorf("code %d\n%s%s", code, out, errs)
	}
	if _, _, errs := r.run(t, file); strings.Contains(errs, "muted") {
		t.Errorf("without a role:\n%s", errs)
	}
}

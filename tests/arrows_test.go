package tests

import (
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is the path of this module and the prefix of its packages.
const module = "trailhound"

// arrows says what each room may import of this module. Rooms are named
// without the module's path; "room/" is everything below a room, "" the root
// package. A room that is not listed here fails the test: a new one has to say
// where it stands. Of several entries that fit, the longest counts.
var arrows = map[string][]string{
	"":                 nil,
	"cmd/":             {"", "agent", "agent/", "outputs", "outputs/", "trails", "trails/"},
	"agent":            {"agent/", "trails", "trails/"},
	"agent/config":     nil,
	"agent/packet":     nil,
	"agent/event":      {"trails"},
	"agent/capture":    {"agent/packet"},
	"agent/capture/":   {"agent/capture", "agent/capture/", "agent/packet"},
	"agent/protocol/":  {"agent/protocol/", "agent/packet", "agent/event"},
	"agent/stream":     {"agent/packet"},
	"agent/heuristic":  {"agent/packet", "agent/event", "trails", "trails/"},
	"agent/detect":     {"agent/protocol/", "agent/stream", "agent/heuristic", "agent/retro", "agent/packet", "agent/event", "trails", "trails/"},
	"agent/lint":       {"agent/detect", "agent/heuristic", "agent/packet", "agent/event", "trails", "trails/"},
	"agent/suppress":   {"agent/event", "trails", "trails/"},
	"agent/health":     {"agent/event"},
	"agent/privilege":  nil,
	"agent/self":       nil,
	"agent/generation": {"agent/event", "trails/"},
	"agent/retro":      {"agent/event", "trails", "trails/"},
	"agent/status":     {"agent/event", "agent/health"},
	"outputs":          {"agent/event", "outputs/dead", "outputs/journal"},
	"outputs/":         {"agent/event", "outputs", "outputs/", "trails"},
	"outputs/dead":     {"agent/event", "outputs/journal/"},
	"outputs/journal":  {"agent/event", "outputs/journal/", "trails"},
	"outputs/journal/": {"agent/event", "trails"},
	"outputs/format":   {"agent/event", "trails"},
	"outputs/remote":   nil,
	"trails":           nil,
	"trails/":          {"trails", "trails/"},
	"packaging":        nil,
	"packaging/":       nil,
	"tests/":           {"", "agent", "agent/", "outputs", "outputs/", "trails", "trails/", "tests/"},
}

// kernel lists the files that may talk to the kernel directly.
var kernel = map[string][]string{
	"golang.org/x/sys/unix": {
		"trails/table/map_linux.go",             // mmap, and who owns the file
		"agent/privilege/threads_linux.go",      // capabilities and users of all threads
		"agent/privilege/capability_linux.go",   // what a process and a program may do
		"agent/self/bind_linux.go",              // a port before the connection
		"outputs/journal/disk_linux.go",         // the lock, blocks ahead of writing, room on the disk
		"outputs/remote/socket_linux.go",        // what the receiver has not acknowledged
		"outputs/syslog/loop_linux.go",          // who sends on a socket of our own
		"cmd/trailhound/service_notify.go",      // the clock that the service manager compares
		"cmd/trailhound/doctor_clock_linux.go",  // whether the clock is synchronised
		"cmd/trailhound/doctor_access_linux.go", // what may be written where
		"tests/namespace/thread_linux.go",       // threads in namespaces, a socket for frames
	},
	"syscall": {
		"cmd/trailhound/replay.go",         // the signals that end the program
		"cmd/trailhound/run.go",            // the same, and the one that loads the configuration again
		"agent/privilege/threads_linux.go", // system calls in all threads
		"agent/self/bind_linux.go",         // a socket before it is connected
		"outputs/remote/socket_linux.go",   // the same, and errors of a connection
		"agent/config/open.go",             // open without waiting for a pipe's other end
		"agent/generation/open_linux.go",   // open without waiting for a pipe's other end
		"agent/status/listen.go",           // an address in use, a socket that a dead process left
		"cmd/trailhound/exit.go",           // a full disk, a closed pipe
		"cmd/trailhound/trails_compile.go", // the same for what is named on the command line
		"trails/source/read.go",            // open without waiting for a pipe's other end
	},
}

// kernelRooms may talk to the kernel in any file: packet sockets and BPF.
var kernelRooms = []string{"agent/capture", "agent/capture/live", "agent/capture/device", "agent/capture/filter"}

// unsafeFiles may import unsafe.
var unsafeFiles = []string{
	"agent/capture/live/block.go",           // a word that the kernel writes, atomically
	"agent/capture/device/ethtool_linux.go", // an ioctl that takes a pointer
	"agent/privilege/threads_linux.go",      // system calls that take pointers
}

// Packages of other modules that only tests may import, by prefix.
var testsOnly = []string{"testing", "github.com/gopacket/gopacket", "net/http/httptest", "github.com/elastic/go-lumber"}

type goPackage struct {
	Dir, ImportPath, Name              string
	GoFiles, CgoFiles, IgnoredGoFiles  []string
	Imports, TestImports, XTestImports []string
}

// room names a package of this module without the module's path.
func room(path string) (string, bool) {
	if path == module {
		return "", true
	}
	return strings.CutPrefix(path, module+"/")
}

func TestImportArrows(t *testing.T) {
	for _, p := range goPackages(t) {
		from, _ := room(p.ImportPath)
		allowed, ok := rule(from)
		if !ok {
			t.Errorf("%s: no arrow is drawn for this package; add it to the list in this test", p.ImportPath)
			continue
		}
		for _, path := range p.Imports {
			if to, own := room(path); own && !slices.ContainsFunc(allowed, func(a string) bool { return covers(a, to) }) {
				t.Errorf("%s must not import %s: the arrows are %s", p.ImportPath, path, drawn(allowed))
			}
		}
		// Tests of a package reach no further than the package may, except to the
		// project's own generator.
		for _, path := range append(p.TestImports, p.XTestImports...) {
			to, own := room(path)
			if strings.HasPrefix(from, "tests") || !own || path == p.ImportPath {
				continue
			}
			if from != "" && strings.HasPrefix(to, "cmd/") || strings.HasPrefix(from, "trails") && !strings.HasPrefix(to, "trails") && !strings.HasPrefix(to, "tests/") {
				t.Errorf("a test of %s must not import %s", p.ImportPath, path)
			}
		}
	}
}

// The rules themselves: what would be wrong must be found wrong.
func TestArrowsBite(t *testing.T) {
	for _, c := range []struct {
		from, to string
		ok       bool
	}{
		{"agent", "outputs", false},
		{"agent/detect", "outputs/format", false},
		{"agent/detect", "agent/suppress", false},
		{"agent/detect", "agent/protocol/dns", true},
		{"agent/suppress", "agent/packet", false},
		{"agent/suppress", "agent/event", true},
		{"agent/packet", "agent/event", false},
		{"trails", "agent/event", false},
		{"trails/table", "agent/packet", false},
		{"trails/table", "trails", true},
		{"outputs/csv", "agent/detect", false},
		{"outputs/csv", "outputs/format", true},
		{"agent/capture", "cmd/trailhound", false},
		{"cmd/trailhound", "outputs", true},
	} {
		allowed, _ := rule(c.from)
		if got := slices.ContainsFunc(allowed, func(a string) bool { return covers(a, c.to) }); got != c.ok {
			t.Errorf("%s -> %s: allowed %v, want %v", c.from, c.to, got, c.ok)
		}
	}
}

func TestKernelAndUnsafe(t *testing.T) {
	root := moduleRoot(t)
	for _, p := range goPackages(t) {
		from, _ := room(p.ImportPath)
		if len(p.CgoFiles) > 0 {
			t.Errorf("%s uses cgo: %v", p.ImportPath, p.CgoFiles)
		}
		// Files for other systems count too.
		for _, name := range append(slices.Clone(p.GoFiles), p.IgnoredGoFiles...) {
			file := filepath.Join(p.Dir, name)
			short, err := filepath.Rel(root, file)
			if err != nil {
				t.Fatal(err)
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, spec := range parsed.Imports {
				path, _ := strconv.Unquote(spec.Path.Value)
				switch path {
				case "C":
					t.Errorf("%s must not import %q", short, path)
				case "unsafe":
					if !slices.Contains(unsafeFiles, short) {
						t.Errorf("%s must not import %q", short, path)
					}
				}
				if files, watched := kernel[path]; watched && !slices.Contains(files, short) && !slices.Contains(kernelRooms, from) {
					t.Errorf("%s must not import %q: only %v and the files of %v may", short, path, files, kernelRooms)
				}
			}
		}
	}
}

func TestNoTestCodeInProduct(t *testing.T) {
	for _, p := range goPackages(t) {
		for _, path := range p.Imports {
			for _, prefix := range testsOnly {
				if path == prefix || strings.HasPrefix(path, prefix+"/") {
					t.Errorf("%s must not import %s outside its tests", p.ImportPath, path)
				}
			}
			if strings.HasPrefix(path, module+"/tests") && !strings.HasPrefix(p.ImportPath, module+"/tests") {
				t.Errorf("%s must not import %s: it is for tests", p.ImportPath, path)
			}
		}
	}
}

// rule gives what a room may import: its own entry, else that of the longest
// "room/" around it.
func rule(room string) ([]string, bool) {
	if list, ok := arrows[room]; ok {
		return list, true
	}
	for _, entry := range slices.SortedFunc(maps.Keys(arrows), func(a, b string) int { return len(b) - len(a) }) {
		if strings.HasSuffix(entry, "/") && strings.HasPrefix(room+"/", entry) {
			return arrows[entry], true
		}
	}
	return nil, false
}

func covers(entry, room string) bool {
	return entry == room || strings.HasSuffix(entry, "/") && strings.HasPrefix(room, entry)
}

func drawn(allowed []string) string {
	if len(allowed) == 0 {
		return "none"
	}
	return strings.Join(allowed, ", ")
}

func goPackages(t *testing.T) (all []goPackage) {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=Dir,ImportPath,Name,GoFiles,CgoFiles,IgnoredGoFiles,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = moduleRoot(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("go list gave %d packages only", len(all))
	}
	return all
}

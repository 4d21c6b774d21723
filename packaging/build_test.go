package packaging_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// Packages must not be larger than this.
const maxPackage = 25 << 20

// oldVersion is that of the package that is upgraded from.
const oldVersion = "0.0.1"

// tools are what the tests run on this machine. Making the base system needs
// debootstrap besides.
var tools = []string{"make", "tar", "gzip", "awk", "unshare", "nsenter", "mount", "chroot", "ip", "tcpreplay", "dpkg", "rpm", "lintian", "rpmlint"}

// goal skips what takes minutes, root and more than Go, unless it is asked for.
// Then nothing is skipped any more.
func goal(t *testing.T) {
	t.Helper()
	if os.Getenv("TRAILHOUND_TEST_PACKAGE") == "" {
		t.Skip("builds and installs packages, which takes minutes and root: make test-package")
	}
	if os.Getuid() != 0 {
		t.Fatal("make test-package needs root")
	}
	var missing []string
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			missing = append(missing, tool)
		}
	}
	if len(missing) > 0 {
		t.Fatalf("make test-package needs %s", strings.Join(missing, ", "))
	}
}

// needs skips a test of every day for want of a tool; with make test-package
// nothing is skipped.
func needs(t *testing.T, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err == nil {
		return
	} else if os.Getenv("TRAILHOUND_TEST_PACKAGE") != "" {
		t.Fatalf("make test-package needs %s: %v", tool, err)
	}
	t.Skipf("needs %s", tool)
}

// A build is a copy of the source in which packages were made.
type build struct{ dir string }

var (
	buildOnce sync.Once
	theBuild  build
	buildErr  error
	twin      string // the second build of the same source, in another directory
)

// built makes all packages twice, in two directories, and an old one for
// upgrades; once for all tests.
func built(t *testing.T) build {
	t.Helper()
	buildOnce.Do(func() { theBuild, twin, buildErr = buildAll() })
	if buildErr != nil {
		t.Fatal(buildErr)
	}
	return theBuild
}

func TestMain(m *testing.M) {
	code := m.Run()
	if theBuild.dir != "" {
		os.RemoveAll(filepath.Dir(theBuild.dir))
	}
	os.Exit(code)
}

func buildAll() (build, string, error) {
	source, err := filepath.Abs("..")
	if err != nil {
		return build{}, "", err
	}
	removeLeftovers()
	top, err := os.MkdirTemp("", fmt.Sprintf("%s%d-", topName, os.Getpid()))
	if err != nil {
		return build{}, "", err
	}
	// The base system's packages are read by unprivileged users too.
	if err := os.Chmod(top, 0o755); err != nil {
		return build{}, "", err
	}
	first, second, old := filepath.Join(top, "a"), filepath.Join(top, "another-directory", "b"), filepath.Join(top, "old")
	b := build{dir: first}
	steps := []string{
		`mkdir -p "$first" "$(dirname "$second")"`,
		// bin and dist are what is built; the rest is the source, with the history.
		`tar -C "$source" --exclude=./bin --exclude=./dist -cf - . | tar -C "$first" -xf -`,
		`cp -a "$first" "$second"`,
		`cp -a "$first" "$old"`,
		`cd "$first" && umask 022 && make --no-print-directory package`,
		// Another day, another place on earth, another umask, another home.
		`cd "$second" && umask 077 && TZ=Pacific/Kiritimati LANG=C HOSTNAME=elsewhere make --no-print-directory package`,
		// The old one has another configuration, so that an upgrade changes it.
		`cd "$old" && sed -i 's/^# Trailhound configuration\.$/# Trailhound configuration of old./' config.yaml && PACKAGE_VERSION=$version VERSION= packaging/build.sh "$arch"`,
		`cp "$old"/dist/* "$first/dist/"`,
	}
	for _, step := range steps {
		cmd := exec.Command("sh", "-ec", step)
		cmd.Env = append(os.Environ(), "source="+source, "first="+first, "second="+second, "old="+old, "version="+oldVersion, "arch="+runtime.GOARCH, "GOFLAGS="+goflags(source))
		if out, err := cmd.CombinedOutput(); err != nil {
			return b, second, fmt.Errorf("%s: %w\n%s", step, err, out)
		}
	}
	return b, second, nil
}

// topName begins the name of the directory of all that a test makes; the number
// of its process follows.
const topName = "trailhound-package-"

// removeLeftovers removes what tests left that were killed.
func removeLeftovers() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), topName+"*-*"))
	for _, dir := range dirs {
		number, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), topName), "-")
		if pid, err := strconv.Atoi(number); err == nil && syscall.Kill(pid, 0) == syscall.ESRCH {
			os.RemoveAll(dir)
		}
	}
}

// goflags leaves out the stamp of the repository where git cannot read it.
func goflags(source string) string {
	flags := os.Getenv("GOFLAGS")
	if exec.Command("git", "-C", source, "rev-parse", "HEAD").Run() != nil {
		flags += " -buildvcs=false"
	}
	return strings.TrimSpace(flags)
}

// packages lists what was built, by its end; old ones are left out.
func (b build) packages(t *testing.T, end string) (files []string) {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(b.dir, "dist", "*"+end))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range all {
		if !strings.Contains(file, "trailhound_"+oldVersion+"-") && !strings.Contains(file, "trailhound-"+oldVersion+"-") {
			files = append(files, file)
		}
	}
	return files
}

// file names the package for this machine, as seen from a test system.
func (b build) file(t *testing.T, end string) string {
	t.Helper()
	if end == ".deb" {
		end = runtime.GOARCH + end
	} else {
		end = map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH] + end
	}
	files := b.packages(t, end)
	if len(files) != 1 {
		t.Fatalf("packages for this machine: %v", files)
	}
	return "/packages/" + filepath.Base(files[0])
}

// old names the package that is upgraded from.
func (b build) old(t *testing.T, end string) string {
	t.Helper()
	all, _ := filepath.Glob(filepath.Join(b.dir, "dist", "trailhound?"+oldVersion+"-*"+end))
	if len(all) != 1 {
		t.Fatalf("old packages: %v", all)
	}
	return "/packages/" + filepath.Base(all[0])
}

func TestReproducible(t *testing.T) {
	goal(t)
	b := built(t)
	files := b.packages(t, "")
	if len(files) != 4 {
		t.Fatalf("packages: %v, want deb and rpm for amd64 and arm64", files)
	}
	for _, file := range files {
		mine, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		other, err := os.ReadFile(filepath.Join(twin, "dist", filepath.Base(file)))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(mine, other) {
			t.Errorf("%s: built twice from one commit, and the bytes differ", filepath.Base(file))
		}
		if len(mine) > maxPackage {
			t.Errorf("%s: %d bytes, more than %d", filepath.Base(file), len(mine), maxPackage)
		}
		t.Logf("%s: %d bytes", filepath.Base(file), len(mine))
	}
}

// One static file: no interpreter, and the machine it says.
func TestStatic(t *testing.T) {
	goal(t)
	for _, arch := range []string{"amd64", "arm64"} {
		checkStatic(t, filepath.Join(built(t).dir, "bin", "package", arch, "trailhound"), arch)
	}
}

// The linters find no error; what they are wrong about is in their override
// files, with the reason.
func TestLint(t *testing.T) {
	goal(t)
	b := built(t)
	for _, file := range b.packages(t, ".deb") {
		out, code := run(t, "lintian", "--allow-root", "--fail-on", "error,warning", "--display-info", "--pedantic", file)
		if code != 0 {
			t.Errorf("lintian %s:\n%s", filepath.Base(file), out)
		}
	}
	out, code := run(t, append([]string{"rpmlint", "--config", "rpm/rpmlint.toml"}, b.packages(t, ".rpm")...)...)
	if code != 0 || !strings.Contains(out, " 0 errors, 0 warnings") {
		t.Errorf("rpmlint:\n%s", out)
	}
}

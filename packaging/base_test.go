package packaging_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// baseSystem unpacks the Debian system that machines are laid over. It is made
// once by debootstrap and kept in the user's cache directory.
func baseSystem(t *testing.T) string {
	t.Helper()
	baseOnce.Do(func() { baseDir, baseErr = unpackBase(filepath.Dir(built(t).dir)) })
	if baseErr != nil {
		t.Fatal(baseErr)
	}
	return baseDir
}

var (
	baseOnce sync.Once
	baseDir  string
	baseErr  error
)

// basePackages are those of the base beyond the minimum. The name of the tarball
// has a number to be raised with them.
var basePackages = []string{"systemd", "systemd-sysv", "dbus", "iproute2", "rpm", "man-db", "tcpdump", "procps"}

const (
	baseRelease = "bookworm"
	baseName    = baseRelease + "-1"
)

func unpackBase(top string) (string, error) {
	tarball := os.Getenv("TRAILHOUND_BASE")
	if tarball == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		tarball = filepath.Join(cache, "trailhound", "packaging", baseName+"-"+runtime.GOARCH+".tar")
		if err := makeBase(tarball, filepath.Join(top, "bootstrap")); err != nil {
			return "", err
		}
	}
	base := filepath.Join(top, "base")
	if err := os.Mkdir(base, 0o755); err != nil {
		return "", err
	}
	if out, err := exec.Command("tar", "--numeric-owner", "-C", base, "-xpf", tarball).CombinedOutput(); err != nil {
		return "", fmt.Errorf("cannot unpack %s: %w\n%s", tarball, err, out)
	}
	return base, nil
}

func makeBase(tarball, work string) error {
	if err := os.MkdirAll(filepath.Dir(tarball), 0o755); err != nil {
		return err
	}
	// Two test runs at once make one base.
	lock, err := os.OpenFile(tarball+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	if _, err := os.Stat(tarball); err == nil {
		return nil
	}
	for _, tool := range []string{"debootstrap", "unshare", "tar"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("make test-package needs %s: %w", tool, err)
		}
	}
	if err := bootstrap(work); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"sh", "-c", `rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/* "$1"/usr/share/locale/*; : >"$1"/etc/machine-id`, "sh", work},
		{"tar", "--numeric-owner", "-C", work, "-cf", tarball + ".part", "."},
		{"mv", tarball + ".part", tarball},
		{"rm", "-rf", work},
	} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, tail(out))
		}
	}
	return nil
}

// bootstrap makes the system from the first mirror that has it.
func bootstrap(work string) error {
	include := strings.Join(slices.Sorted(slices.Values(basePackages)), ",")
	var errs []error
	for _, mirror := range mirrors(aptSources(), baseRelease) {
		// What debootstrap mounts is gone with it, however it ends.
		args := []string{"unshare", "--mount", "--propagation", "private", "debootstrap", "--variant=minbase", "--include=" + include, baseRelease, work}
		if mirror != "" {
			args = append(args, mirror)
		}
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = aptProxy()
		out, err := cmd.CombinedOutput()
		if err == nil {
			return nil
		}
		errs = append(errs, fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, tail(out)))
		if err := os.RemoveAll(work); err != nil {
			return err
		}
	}
	return fmt.Errorf("cannot make a Debian system (TRAILHOUND_BASE names a tarball to use instead): %w", errors.Join(errs...))
}

// tail is the end of what a long command said.
func tail(out []byte) []byte { return out[max(0, len(out)-4000):] }

package device

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// copyOf copies a file to where every user may run it; the test binary lies in
// a directory of root.
func copyOf(t *testing.T, path string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "thdv-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(dir, "test")
	if err := os.WriteFile(to, b, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return to
}

// unprivileged runs a test of this file's program again as nobody, without any
// capability and with no way to get one; variable is set for it.
func unprivileged(t *testing.T, test, variable string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to give it up")
	}
	if _, err := exec.LookPath("setpriv"); err != nil {
		t.Skip("needs setpriv (util-linux)")
	}
	cmd := exec.Command("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--no-new-privs",
		copyOf(t, os.Args[0]), "-test.run=^"+test+"$")
	cmd.Env = append(os.Environ(), variable+"=1")
	cmd.Dir = "/"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

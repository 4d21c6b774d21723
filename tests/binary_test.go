package tests

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The program must run on any Linux: one static file that the kernel starts
// without a dynamic loader.
func TestStaticBinary(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program; not with -short")
	}
	path := filepath.Join(t.TempDir(), "trailhound")
	cmd := exec.Command("go", "build", "-o", path, "./cmd/trailhound")
	cmd.Dir = moduleRoot(t)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		switch p.Type {
		case elf.PT_INTERP:
			t.Error("the binary has an ELF interpreter")
		case elf.PT_DYNAMIC:
			t.Error("the binary is linked dynamically")
		}
	}
	if libs, err := f.ImportedLibraries(); err == nil && len(libs) > 0 {
		t.Errorf("the binary needs %v", libs)
	}
}

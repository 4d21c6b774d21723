package capture

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
)

func TestHash(t *testing.T) {
	file := gzipBytes(pcapBytes(classic{}, samples()))
	path := write(t, file)
	sum, err := Hash(path)
	if err != nil || sum != sha256.Sum256(file) {
		t.Errorf("%x, %v", sum, err)
	}
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, stream := range []string{"-", pipe, os.DevNull} {
		if _, err := Hash(stream); !errors.Is(err, ErrStream) {
			t.Errorf("%s: %v", stream, err)
		}
	}
	if _, err := Hash(path + ".no"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path+".no") {
		t.Error(err)
	}
	if _, err := Hash(filepath.Dir(path)); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Error(err)
	}
}

func TestSpool(t *testing.T) {
	file, dir := pcapBytes(classic{}, samples()), t.TempDir()
	path, err := Spool(bytes.NewReader(file), dir)
	if err != nil {
		t.Fatal(err)
	}
	if sum, err := Hash(path); err != nil || sum != sha256.Sum256(file) {
		t.Errorf("%x, %v", sum, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	os.Remove(path)
	broken := errors.New("cut off")
	if _, err := Spool(iotest.ErrReader(broken), dir); !errors.Is(err, broken) {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("a failed spool leaves %v", left)
	}
}

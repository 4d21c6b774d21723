package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestPipe: a pipe is read if somebody writes to it, and never waited for.
func TestPipe(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := syscall.Mkfifo("config.yaml", 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("conf.d", 0o700); err != nil {
		t.Fatal(err)
	}
	opt := Options{File: "config.yaml", Explicit: true}
	_, err := Load(opt)
	if want := "config.yaml: cannot be read: nobody writes to this pipe"; err == nil || err.Error() != want {
		t.Errorf("%v, want %q", err, want)
	}
	if err := syscall.Mkfifo("conf.d/x.yaml", 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err = Load(Options{File: "absent.yaml"}); err == nil || !strings.Contains(err.Error(), "x.yaml: cannot be read: nobody writes") {
		t.Errorf("drop-in: %v", err)
	}
	os.Remove("conf.d/x.yaml")

	written := make(chan error, 1)
	r, err := os.OpenFile("config.yaml", os.O_RDONLY|syscall.O_NONBLOCK, 0) // so that the writer does not wait
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w, err := os.OpenFile("config.yaml", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_, err := w.WriteString("log: {level: debug}\n" + strings.Repeat("# more than a pipe holds\n", 8000))
		written <- errors.Join(err, w.Close())
	}()
	c, err := Load(opt)
	if err != nil || c.Log.Level != "debug" {
		t.Errorf("with a writer: %v", err)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
}

// TestStdinPipe: what a shell makes of <(command).
func TestStdinPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := w.WriteString("log: {level: warn}\n"); err != nil {
		t.Fatal(err)
	}
	w.Close()
	c, err := Load(Options{File: fmt.Sprintf("/dev/fd/%d", r.Fd()), Explicit: true})
	if err != nil || c.Log.Level != "warn" {
		t.Errorf("%v", err)
	}
}

// TestPassedOver: what lies in conf.d and is not read is known.
func TestPassedOver(t *testing.T) {
	c := mustLoad(t, map[string]string{
		"config.yaml": "", "conf.d/10-a.yaml": "log: {level: warn}", "conf.d/20-b.yml": "log: {level: debug}",
		"conf.d/.30-c.yaml": "log: {level: debug}", "conf.d/40-d.YAML": "log: {level: debug}",
		"conf.d/README": "", "conf.d/10-a.yaml~": "", "conf.d/10-a.yaml.rpmsave": "",
	}, nil)
	if want := []string{"conf.d/.30-c.yaml", "conf.d/20-b.yml", "conf.d/40-d.YAML"}; !slices.Equal(c.PassedOver(), want) {
		t.Errorf("%q, want %q", c.PassedOver(), want)
	}
	if want := []string{"conf.d/10-a.yaml"}; !slices.Equal(c.DropIns(), want) || c.Log.Level != "warn" {
		t.Errorf("%q, %s", c.DropIns(), c.Log.Level)
	}
}

// TestErrorAt: an error that is found later stands where the value does.
func TestErrorAt(t *testing.T) {
	c := mustLoad(t, map[string]string{
		"config.yaml":      "capture:\n  filter: tcp port\ntrails:\n  whitelist: [/a, /b]\n",
		"conf.d/10-a.yaml": "sensor:\n  name: one\n",
	}, func(o *Options) { o.Set = []string{"log.level=debug"} })
	for key, want := range map[string]string{
		"capture.filter":      "config.yaml:2:11: capture.filter: wrong",
		"trails.whitelist[1]": "config.yaml:4:19: trails.whitelist[1]: wrong",
		"sensor.name":         "conf.d/10-a.yaml:2:9: sensor.name: wrong",
		"log.level":           "--set: log.level: wrong",
		"state":               "state: wrong",
	} {
		err := c.ErrorAt(key, "wrong")
		if err.Error() != want || !errors.As(error(err), new(*Error)) {
			t.Errorf("%q, want %q", err, want)
		}
	}
}

// TestWaysOut: what may not be read is reported with what can be done about it.
func TestWaysOut(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "conf.d")
	if err := os.WriteFile(conf, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(Options{File: filepath.Join(dir, "config.yaml")})
	if want := conf + ": cannot be read: not a directory, move it away or make it a directory"; err == nil || err.Error() != want {
		t.Errorf("%v, want %q", err, want)
	}
	if waysOut(conf, os.ErrNotExist) != "" {
		t.Error("a way out of what is not there")
	}
	for _, c := range []struct {
		mode os.FileMode
		want string
	}{
		{0o700, "read it (it is of uid "},
		{0o750, ", mode 0750), or name another file with -c"},
	} {
		if err := os.Chmod(conf, c.mode); err != nil {
			t.Fatal(err)
		}
		if got := waysOut(conf, &os.PathError{Op: "open", Path: conf, Err: syscall.EACCES}); !strings.Contains(got, c.want) {
			t.Errorf("%v: %q, want %q in it", c.mode, got, c.want)
		}
	}
	if got := waysOut(filepath.Join(conf, "x"), syscall.EACCES); !strings.Contains(got, "search the directories above it") {
		t.Errorf("behind a closed directory: %q", got)
	}
}

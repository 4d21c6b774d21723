package namespace

import (
	"net"
	"os"
	"strings"
	"testing"
)

func names(t *testing.T) (list []string) {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		list = append(list, i.Name)
	}
	return list
}

func TestEntered(t *testing.T) {
	home, err := os.Readlink(present)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("inside", func(t *testing.T) {
		s := Entered(t)
		s.IP("link add v0 type veth peer name v1\n\nlink set lo up")
		if got := strings.Join(names(t), " "); got != "lo v1 v0" && got != "lo v0 v1" {
			t.Errorf("there are %s", got)
		}
		o := New(t)
		s.IP("link set v1 netns " + o.Name())
		if got := strings.Join(names(t), " "); got != "lo v0" {
			t.Errorf("there are %s", got)
		}
		var there []string
		if err := o.Inside(func() error { there = names(t); return nil }); err != nil || strings.Join(there, " ") != "lo v1" {
			t.Errorf("the other one has %s, %v", there, err)
		}
		if out, err := o.Try("ip", "link", "show", "v0"); err == nil || !strings.Contains(err.Error(), "v0") {
			t.Errorf("%q, %v", out, err)
		}
		s.IP("link set v0 up")
		o.IP("link set v1 up")
		if err := Send(s.Socket("v0"), make([]byte, 60)); err != nil {
			t.Error(err)
		}
	})
	if now, err := os.Readlink(present); err != nil || now != home {
		t.Errorf("after the test the thread is in %s, was in %s: %v", now, home, err)
	}
}

package tls_test

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"trailhound/agent/protocol/tls"
)

// observable is a line of observables.jsonl: what an independent dissector
// found in a capture.
type observable struct {
	Capture  string
	Kind     string
	Value    string
	Segments int
}

// TestCorpus reads the shared captures segment by segment and counts the names
// found. No stream is put together here, so names whose message came in
// several segments are not asked for.
func TestCorpus(t *testing.T) {
	root := os.Getenv("TRAILHOUND_SHARED")
	if root == "" {
		root = "../../../../shared"
	}
	dir := filepath.Join(root, "corpus", "captures")
	f, err := os.Open(filepath.Join(dir, "observables.jsonl"))
	if err != nil {
		t.Skip("the shared captures are not here (TRAILHOUND_SHARED)")
	}
	defer f.Close()
	want := map[string][]string{}
	total, found := 0, 0
	for s := bufio.NewScanner(f); s.Scan(); {
		var o observable
		if err := json.Unmarshal(s.Bytes(), &o); err != nil {
			t.Fatal(err)
		}
		if o.Kind == "tls_sni" && o.Segments <= 1 {
			want[o.Capture] = append(want[o.Capture], o.Value)
			total++
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.pcap"))
	if err != nil || len(files) == 0 {
		t.Fatal("no captures", err)
	}
	var h tls.Hello
	var certs tls.Certificates
	for _, file := range files {
		name := filepath.Base(file)
		name = name[:len(name)-len(".pcap")]
		got := map[string]bool{}
		eachTCP(t, file, func(payload []byte) {
			if h.Parse(payload) {
				got[string(h.ServerName)] = true
			}
			certs.Init(payload)
			for _, ok := certs.Next(); ok; _, ok = certs.Next() {
			}
		})
		for _, v := range want[name] {
			if got[v] {
				found++
			} else {
				t.Logf("%s: %q not found", name, v)
			}
		}
	}
	t.Logf("%d of %d server names", found, total)
	if found*100 < total*97 {
		t.Errorf("found %d of %d server names", found, total)
	}
}

// eachTCP calls fn for every TCP payload of a capture file. Damaged ends are
// part of the collection and no error.
func eachTCP(t *testing.T, file string, fn func(payload []byte)) {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := pcapgo.NewReader(bufio.NewReader(f))
	if err != nil {
		return
	}
	var first gopacket.Decoder = r.LinkType()
	if r.LinkType() == layers.LinkTypeIPv4 { // gopacket names it, but has no decoder for it
		first = layers.LayerTypeIPv4
	}
	for {
		frame, _, err := r.ReadPacketData()
		if err != nil {
			if err != io.EOF {
				t.Logf("%s: %v", filepath.Base(file), err)
			}
			return
		}
		p := gopacket.NewPacket(frame, first, gopacket.NoCopy)
		for _, l := range p.Layers() {
			if tcp, ok := l.(*layers.TCP); ok && len(tcp.Payload) > 0 {
				fn(tcp.Payload)
			}
		}
	}
}

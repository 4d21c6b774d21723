package quic_test

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

	"trailhound/agent/protocol/quic"
)

// observable is a line of observables.jsonl: what an independent dissector
// found in a capture.
type observable struct {
	Capture string
	Kind    string
	Value   string
}

// TestCorpus reads the shared captures datagram by datagram and counts the
// names found. A ClientHello in more datagrams than one is not put together here;
// that is what the bound leaves room for. A name beside the list is nonsense.
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
	total, found, looked, passed := 0, 0, 0, 0
	for s := bufio.NewScanner(f); s.Scan(); {
		var o observable
		if err := json.Unmarshal(s.Bytes(), &o); err != nil {
			t.Fatal(err)
		}
		if o.Kind == "quic_sni" {
			want[o.Capture] = append(want[o.Capture], o.Value)
			total++
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.pcap"))
	if err != nil || len(files) == 0 {
		t.Fatal("no captures", err)
	}
	d := quic.NewDecoder()
	for _, file := range files {
		name := filepath.Base(file)
		name = name[:len(name)-len(".pcap")]
		got := map[string]bool{}
		eachUDP(t, file, func(payload []byte) {
			looked++
			if quic.Looks(payload) {
				passed++
			}
			if v, ok := d.ServerName(payload); ok {
				got[string(v)] = true
			}
		})
		known := map[string]bool{}
		for _, v := range want[name] {
			known[v] = true
		}
		for v := range got {
			if !known[v] {
				t.Errorf("%s: %q is not in the list", name, v)
			}
		}
		for _, v := range want[name] {
			if got[v] {
				found++
			} else {
				t.Logf("%s: %q not found", name, v)
			}
		}
	}
	t.Logf("%d of %d server names; %d of %d payloads looked like QUIC", found, total, passed, looked)
	if found*100 < total*85 {
		t.Errorf("found %d of %d server names", found, total)
	}
}

// eachUDP calls fn for every UDP payload of a capture file. Damaged ends are
// part of the collection and no error.
func eachUDP(t *testing.T, file string, fn func(payload []byte)) {
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
			if udp, ok := l.(*layers.UDP); ok && len(udp.Payload) > 0 {
				fn(udp.Payload)
			}
		}
	}
}

package detect

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/agent/packet"
	"trailhound/trails"
	"trailhound/trails/table"
)

// TestCompressedQuestionsAreBounded sends 64 questions of which all but the
// first are a label and a pointer: each is 240 bytes long when written out. The
// first ones are looked up, the last ones are not, and a query of as many plain
// names is read to its end.
func TestCompressedQuestionsAreBounded(t *testing.T) {
	long := strings.Repeat("abcdefghijk.", 19) + "example"
	label := func(i int) string { return "n" + string(rune('a'+i/26)) + string(rune('a'+i%26)) }
	b := table.NewBuilder(table.Options{Seed: 1, Now: time.Unix(1_700_000_000, 0)})
	prov := b.Provenance(trails.Provenance{Info: "x", Reference: trails.ReferenceStatic})
	for i := range 64 {
		b.Add(trails.Domain, []byte(label(i)+"."+long), prov)
		b.Add(trails.Domain, []byte(label(i)+".plain.example"), prov)
	}
	tab, err := b.Memory()
	if err != nil {
		t.Fatal(err)
	}
	ask := func(message []byte) (names []string) {
		w := NewWorker(NewRules(tab, nil, Options{}))
		w.Emit = func(e event.Event) { names = append(names, e.Observable) }
		src, dst := netip.AddrFrom4([4]byte{10, 0, 0, 1}), netip.AddrFrom4([4]byte{10, 0, 0, 2})
		w.p = packet.Packet{Time: time.Unix(1_700_000_000, 0), Src: src, Dst: dst, SrcPort: 4000, DstPort: 53,
			Proto: packet.ProtoUDP, Payload: message}
		w.match()
		return names
	}
	head := []byte{0, 1, 1, 0, 0, 64, 0, 0, 0, 0, 0, 0}
	wire := func(dst []byte, name string) []byte {
		for part := range strings.SplitSeq(name, ".") {
			dst = append(append(dst, byte(len(part))), part...)
		}
		return append(dst, 0)
	}

	packed := wire(head[:12:12], label(0)+"."+long)
	packed = append(packed, 0, 1, 0, 1)
	for i := 1; i < 64; i++ {
		packed = append(append(packed, byte(len(label(i)))), label(i)...)
		packed = binary.BigEndian.AppendUint16(packed, 0xC000|uint16(12+1+len(label(0))))
		packed = append(packed, 0, 1, 0, 1)
	}
	names := ask(packed)
	if len(names) < 4 || names[0] != label(0)+"."+long || names[3] != label(3)+"."+long {
		t.Errorf("%d names, the first ones must be read: %q", len(names), names)
	}
	if read := len(names) * len(long); read > 3*len(packed)+512 {
		t.Errorf("%d bytes of names read from a message of %d", read, len(packed))
	}

	plain := head[:12:12]
	for i := range 64 {
		plain = append(wire(plain, label(i)+".plain.example"), 0, 1, 0, 1)
	}
	if names := ask(plain); len(names) != 64 {
		t.Errorf("%d of 64 plain names", len(names))
	}
}

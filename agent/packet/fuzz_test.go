package packet

import "testing"

func FuzzDecode(f *testing.F) {
	for _, s := range samples() {
		f.Add(uint16(s.link), s.frame)
	}
	f.Fuzz(func(t *testing.T, link uint16, frame []byte) {
		frame = frame[:len(frame):len(frame)]
		var d Decoder
		for range 3 { // the third is decoded at a locked offset
			p := dirty()
			r := d.Decode(LinkType(link), frame, &p)
			checkSane(t, frame, r, &p)
			if there := Fanout(LinkType(link), frame); r == OK && LinkType(link) == LinkEthernet {
				if back := Fanout(LinkEthernet, reversed(&p, LinkEthernet)); there != back {
					t.Fatalf("fanout %#x there, %#x back", there, back)
				}
			}
		}
	})
}

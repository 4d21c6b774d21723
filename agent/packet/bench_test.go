package packet

import (
	"math/rand/v2"
	"testing"
)

// frames gives n frames made from the templates, each with addresses, ports and
// a payload length of its own.
func frames(n int, templates ...[]byte) [][]byte {
	random := rand.New(rand.NewPCG(3, 4))
	list := make([][]byte, n)
	for i := range list {
		list[i] = append(append([]byte(nil), templates[i%len(templates)]...), make([]byte, random.IntN(200))...)
	}
	return list
}

func benchmark(b *testing.B, link LinkType, list [][]byte) {
	var d Decoder
	var p Packet
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		d.Decode(link, list[i&1023], &p)
		i++
	}
	if d.Counts[OK] == 0 {
		b.Fatal("nothing was decoded")
	}
}

func ethernet(typ string, ip []byte) []byte { return cat(macs, typ, ip) }

func BenchmarkDecodeTCP(b *testing.B) {
	random := rand.New(rand.NewPCG(5, 6))
	list := frames(1024, ethernet("0800", tcp4))
	for _, f := range list {
		for _, at := range []int{26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 47} {
			f[at] = byte(random.Uint32())
		}
		f[16], f[17] = byte((len(f)-14)>>8), byte(len(f)-14)
	}
	benchmark(b, LinkEthernet, list)
}

func BenchmarkDecodeMix(b *testing.B) {
	tcp, udp := ethernet("0800", tcp4), ethernet("0800", udp4)
	benchmark(b, LinkEthernet, frames(1024, tcp, tcp, udp, tcp, ethernet("86dd", tcp6), tcp, tcp, ethernet("8100 0064 0800", tcp4)))
}

func BenchmarkDecodeUDP(b *testing.B) {
	benchmark(b, LinkEthernet, frames(1024, ethernet("0800", udp4)))
}

func BenchmarkDecodeIPv6(b *testing.B) {
	benchmark(b, LinkEthernet, frames(1024, ethernet("86dd", tcp6)))
}

func BenchmarkDecodeVLAN(b *testing.B) {
	benchmark(b, LinkEthernet, frames(1024, ethernet("8100 0064 0800", tcp4)))
}

func BenchmarkDecodeInferred(b *testing.B) {
	benchmark(b, linkUnknown, frames(1024, cat(make([]byte, 16), tcp4)))
}

func BenchmarkFanout(b *testing.B) {
	list := frames(1024, ethernet("0800", tcp4))
	b.ReportAllocs()
	var sum uint32
	i := 0
	for b.Loop() {
		sum += Fanout(LinkEthernet, list[i&1023])
		i++
	}
	_ = sum
}

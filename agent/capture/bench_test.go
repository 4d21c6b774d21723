package capture

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"trailhound/agent/packet"
)

// benchFile writes a capture of about 32 MiB in frames of 60 to 1500 bytes.
func benchFile(b *testing.B, name string, build func([]sample) []byte) (path string, frames int) {
	b.Helper()
	var all []sample
	payload := make([]byte, 1500)
	for i := range payload {
		payload[i] = byte(i * 7)
	}
	for n, i := 0, 0; n < 32<<20; i++ {
		size := 60 + i*389%1441
		all = append(all, sample{sec: 1700000000 + int64(i/1000), nano: int64(i%1000) * 1000000, data: payload[:size], length: size})
		n += size + 16
	}
	path = filepath.Join(b.TempDir(), name)
	if err := os.WriteFile(path, build(all), 0o600); err != nil {
		b.Fatal(err)
	}
	return path, len(all)
}

func benchmarkRead(b *testing.B, path string, frames int, opt FileOptions) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		s, err := OpenFile(path, opt)
		if err != nil {
			b.Fatal(err)
		}
		for {
			if _, err = s.Next(); err != nil {
				break
			}
		}
		if n, _ := s.(Progress).Progress(); err != io.EOF || n != uint64(frames) {
			b.Fatal(n, err)
		}
		s.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(frames), "ns/frame")
}

func BenchmarkPcap(b *testing.B) {
	path, n := benchFile(b, "x.pcap", func(s []sample) []byte { return pcapBytes(classic{}, s) })
	benchmarkRead(b, path, n, FileOptions{})
}

func BenchmarkPcapng(b *testing.B) {
	path, n := benchFile(b, "x.pcapng", func(s []sample) []byte { return pcapngBytes(false, s) })
	benchmarkRead(b, path, n, FileOptions{})
}

func BenchmarkPcapSelect(b *testing.B) {
	path, n := benchFile(b, "x.pcap", func(s []sample) []byte { return pcapBytes(classic{}, s) })
	benchmarkRead(b, path, n, FileOptions{Select: func(_ packet.LinkType, d []byte) bool { return len(d)&1 == 0 }})
}

func BenchmarkPcapGzip(b *testing.B) {
	path, n := benchFile(b, "x.pcap", func(s []sample) []byte { return gzipBytes(pcapBytes(classic{}, s)) })
	benchmarkRead(b, path, n, FileOptions{})
}

func BenchmarkPcapZstd(b *testing.B) {
	path, n := benchFile(b, "x.pcap", func(s []sample) []byte { return zstdBytes(pcapBytes(classic{}, s)) })
	benchmarkRead(b, path, n, FileOptions{})
}

// BenchmarkPlainRead is the floor: read(2) into 1 MiB, nothing parsed.
func BenchmarkPlainRead(b *testing.B) {
	path, n := benchFile(b, "x.pcap", func(s []sample) []byte { return pcapBytes(classic{}, s) })
	buf := make([]byte, readSize)
	b.ReportAllocs()
	for b.Loop() {
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			_, err = f.Read(buf)
		}
		f.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/frame")
}

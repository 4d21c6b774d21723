package pattern

import (
	"fmt"
	"runtime"
	"testing"
)

func BenchmarkFindAgent(b *testing.B) {
	for name, patterns := range agentLists(b) {
		s := mustCompile(b, patterns, true)
		for _, text := range []string{office, "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/118.0",
			"Microsoft-Delivery-Optimization/10.0", "masscan/1.0", "chrome x", "Bibliotek/7 (q; 1)"} {
			b.Run(fmt.Sprintf("%s/%.18s", name, text), func(b *testing.B) {
				b.ReportAllocs()
				in := []byte(text)
				for b.Loop() {
					s.Find(in)
				}
			})
		}
	}
}

func BenchmarkFindName(b *testing.B) {
	s := mustCompile(b, readLines(b, "testdata/names.txt"), false)
	for _, text := range []string{"assets.shop.example-1.com", "www.xyzcompany.org", "example.top", "ab-cdefg.top", "byehost77.com"} {
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			in := []byte(text)
			for b.Loop() {
				s.Find(in)
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	for name, patterns := range agentLists(b) {
		b.Run(name, func(b *testing.B) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			kept := mustCompile(b, patterns, true)
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportAllocs()
			for b.Loop() {
				mustCompile(b, patterns, true)
			}
			runtime.KeepAlive(kept)
			b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc)), "B-kept")
		})
	}
}

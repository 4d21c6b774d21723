package config

import (
	"io"
	"testing"

	"trailhound"
)

func BenchmarkDefault(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Default()
	}
}

func BenchmarkLoadShipped(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(int64(len(trailhound.ConfigYAML)))
	for b.Loop() {
		if _, err := loadBytes(trailhound.ConfigYAML, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkShow(b *testing.B) {
	b.ReportAllocs()
	c := Default()
	for b.Loop() {
		if err := c.Show(io.Discard, true); err != nil {
			b.Fatal(err)
		}
	}
}

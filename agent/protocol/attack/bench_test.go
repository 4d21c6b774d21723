package attack

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// browserTexts are percent-decoded targets as browsers ask for them: 60 bytes of path, 200 of query.
var browserTexts = []string{
	"/static/assets/js/vendor/components/navigation/main.bundle.js?utm_source=newsletter&utm_medium=email&utm_campaign=spring_sale_2026&utm_content=button_header&cid=7f3a9c2e-41d8-4b6e-9c0f-2a1b3c4d5e6f&lang=en-gb&theme=dark&session=9f8e7d6c5b4a39281706f5e4",
	"/shop/category/outdoor/hiking-boots/waterproof/mens/index.html?page=3&sort=price_asc&color=brown,black&size=42&brand=northface&material=leather&rating=4&in_stock=true&discount=10&view=grid&per_page=48&ref=homepage_banner&visitor=1029384756&exp=checkout_b",
	"/api/v2/search/suggestions/products/autocomplete/results.json?q=wireless headphones with noise cancelling&limit=20&offset=0&fields=id,name,price,image&locale=de_de&currency=eur&client=web&version=3.14.2&timestamp=1700000000&callback=jquery1123_17000000&token=ab",
	"/news/2026/03/14/world/europe/article-headline-goes-here-long.html?src=rss&origin=https://www.example.org/feed/latest&medium=referral&campaign=daily&click_id=eaiaiqobchmi9s3y5k7f6wivj&gclid=cj0kcqjw2&fbclid=iwar0abcdefghijklmnopqrstuvwxyz0123456789&track=true",
}

// hostileTexts make the filter or a rule work at every place.
func hostileTexts(size int) map[string][]byte {
	texts := map[string][]byte{}
	for name, unit := range map[string]string{
		"letters": "a", "select": "select ", "select-from": "select from ", "or": " or", "or-gap": " or" + strings.Repeat(" ", 40), "or-digits": " or 1" + strings.Repeat("1", 40),
		"case-when": "case when ", "union": "union all ", "dns": "dns1", "pridns": "staticpridn", "onerror": "onerror=x", "template": "${x", "templates": "${{&",
		"script": "<script", "prompt": "prompt((", "filter": "(|(a", "comment": "/*", "comments": "*/or", "mac": "00:11:22:33:44:55:", "at": "a@b.c&", "ats": "@", "domain": "@a.b.c.d.e.",
		"gap": "a@b.cd" + strings.Repeat("@", 98), "dots": "../../x", "null": "      /dev/null", "chmod": "chmod         ", "imei": "imei=12345678901234", "iccid": "iccid=" + strings.Repeat("1", 17),
		"owasp": "owasp%1111", "words": "dropintocaseunionwaitforselect", "wide": "é", "folded": "ſelect ", "broken": "\xff",
	} {
		texts[name] = bytes.Repeat([]byte(unit), size/len(unit)+1)[:size]
	}
	return texts
}

func BenchmarkMatch(b *testing.B) {
	m := NewMatcher()
	var browser [][]byte
	for _, text := range browserTexts {
		browser = append(browser, []byte(text))
	}
	b.Run("browser/warm", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if m.Match(browser[i&3]) != None {
				b.Fatal("a hit")
			}
		}
	})
	b.Run("browser/cold", func(b *testing.B) { cold(b, m.Match) })
	b.Run("short", func(b *testing.B) {
		b.ReportAllocs()
		text := []byte("/index7.html?id=7")
		for b.Loop() {
			m.Match(text)
		}
	})
	for name, text := range hostileTexts(64 << 10) {
		b.Run("hostile/"+name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				m.Match(text)
			}
		})
	}
}

func BenchmarkConditions(b *testing.B) {
	text := []byte(browserTexts[0])
	b.Run("exempt", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Exempt(text)
		}
	})
	b.Run("worth", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Worth(text)
		}
	})
	b.Run("download", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			f := FileOf(text, true)
			f.Download()
			f.ScanFile()
		}
	})
}

func BenchmarkResponse(b *testing.B) {
	page := "HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html; charset=utf-8\r\nCache-Control: no-cache, private\r\n\r\n<!DOCTYPE html><html><head><title>Hiking boots for every day</title>"
	for len(page) < 1460 {
		page += "<p class=\"text\">They say that walking makes you happy, and who are we to know better? <a href=\"/boots/7\">Look</a></p>"
	}
	text := []byte(page[:1460])
	b.Run("sinkhole", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Sinkhole(text)
		}
	})
	b.Run("seized", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Seized(text)
		}
	})
	b.Run("type", func(b *testing.B) {
		b.ReportAllocs()
		value := []byte("text/html; charset=utf-8")
		for b.Loop() {
			ContentType(value)
		}
	})
	hostile := bytes.Repeat([]byte("\nlocation:.sinkdns.org:8 "), 4000)
	b.Run("hostile", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Sinkhole(hostile)
			Seized(hostile)
		}
	})
}

// cold gives match another text at every call, and between two calls 256 KiB
// of something else go through the caches; the text itself has just been
// written, as by percent-decoding. The median of single calls is reported,
// less that of taking the time.
func cold(b *testing.B, match func([]byte) Category) {
	b.ReportAllocs()
	r := rand.New(rand.NewPCG(1, 1))
	other, text := make([]byte, 1<<22), make([]byte, 0, 512)
	at, sum := 0, byte(0)
	var times, empty []time.Duration
	for range b.N {
		for range 4096 {
			at = (at + 64) & (len(other) - 1)
			sum += other[at]
		}
		text = append(text[:0], browserTexts[r.IntN(4)]...)
		for n := 30; n < len(text); n += 17 {
			text[n] = "etaoinshr0123456789"[r.IntN(19)]
		}
		before := time.Now()
		between := time.Now()
		match(text)
		times = append(times, time.Since(between))
		empty = append(empty, between.Sub(before))
	}
	sink = sum
	slices.Sort(times)
	slices.Sort(empty)
	b.ReportMetric(float64(times[len(times)/2]-empty[len(empty)/2]), "median-ns")
}

var sink byte

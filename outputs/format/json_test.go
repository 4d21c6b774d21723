package format

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func TestAppendTime(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	list := []time.Time{{}, time.Unix(0, 0), time.Unix(0, 999_999_999), time.Unix(1709164799, 1000), time.Unix(253402300799, 0),
		time.Unix(253402300800, 0), time.Unix(-62167219201, 0), time.Now().In(time.FixedZone("x", -12345))}
	for range 10_000 {
		list = append(list, time.Unix(r.Int64N(400_000_000_000)-100_000_000_000, r.Int64N(1e9)))
	}
	for _, at := range list {
		if got, want := string(appendTime([]byte("x"), at)), "x"+at.UTC().Format(timeLayout); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	}
}

// Every byte at every place of texts of every short length is escaped when it
// has to be, whatever stands beside it.
func TestQuotedAtEveryPlace(t *testing.T) {
	for n := range 26 {
		for at := range n {
			for c := range 256 {
				s := []byte(strings.Repeat("x", n))
				s[at] = byte(c)
				if at > 0 && c&1 == 0 {
					s[at-1] = 0x1F // its borrow must not hide the one behind it
				}
				text := appendQuoted(nil, string(s))
				var back string
				if err := json.Unmarshal(text, &back); err != nil {
					t.Fatalf("%q: %v", text, err)
				}
				if want := strings.ToValidUTF8(string(s), "\uFFFD"); back != want {
					t.Fatalf("%q reads back as %q", s, back)
				}
				if (c < 0x20 || c == '"' || c == '\\' || c >= 0x80) && isPlain(string(s)) {
					t.Fatalf("%q is taken for plain", s)
				}
			}
		}
	}
}

package event

import (
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestNewID(t *testing.T) {
	at := time.Date(2026, 2, 16, 9, 36, 7, 4_200_000, time.UTC)
	last := ""
	for i := range 1000 {
		when := at.Add(time.Duration(i) * time.Microsecond)
		id := uuid.UUID(NewID(when))
		if id.Version() != 7 || id.Variant() != uuid.RFC4122 {
			t.Fatalf("%s: version %d, variant %v", id, id.Version(), id.Variant())
		}
		if sec, nsec := id.Time().UnixTime(); sec != when.Unix() || nsec/1e6 != int64(when.Nanosecond())/1e6 {
			t.Fatalf("%s holds %d.%09d, want %v", id, sec, nsec, when)
		}
		if id.String() <= last {
			t.Fatalf("%s does not sort behind %s", id, last)
		}
		last = id.String()
	}
	if first, second := NewID(at), NewID(at); first == second {
		t.Error("two ids are equal")
	}
	if id := uuid.UUID(NewID(time.Time{})); id.Version() != 7 {
		t.Errorf("before 1970: %s", id)
	}
}

func TestReplayID(t *testing.T) {
	capture := [32]byte{1, 2, 3}
	id := ReplayID(capture, 7, TrailDNS, 0)
	if u := uuid.UUID(id); u.Version() != 8 || u.Variant() != uuid.RFC4122 {
		t.Errorf("%s: version %d", u, u.Version())
	}
	if id != ReplayID(capture, 7, TrailDNS, 0) {
		t.Error("not the same again")
	}
	// The value is a contract: a receiver that has the events of a replay must
	// know those of the next one, whatever version made them.
	if got := IDString(id); got != "5bef0613-720f-860a-b414-82bf393f1c8e" {
		t.Errorf("id is %s", got)
	}
	for name, other := range map[string][16]byte{
		"capture": ReplayID([32]byte{1, 2, 4}, 7, TrailDNS, 0),
		"packet":  ReplayID(capture, 8, TrailDNS, 0),
		"code":    ReplayID(capture, 7, TrailIP, 0),
		"ordinal": ReplayID(capture, 7, TrailDNS, 1),
	} {
		if other == id {
			t.Errorf("the id does not depend on the %s", name)
		}
	}
}

func TestIDString(t *testing.T) {
	id := NewID(time.Now())
	if IDString(id) != uuid.UUID(id).String() {
		t.Errorf("%s != %s", IDString(id), uuid.UUID(id))
	}
	if IDString([16]byte{}) != "" {
		t.Error("the zero id has a text")
	}
}

func BenchmarkNewID(b *testing.B) {
	at := time.Unix(1771234567, 0)
	b.ReportAllocs()
	for b.Loop() {
		NewID(at)
	}
}

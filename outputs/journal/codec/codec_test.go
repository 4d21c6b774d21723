package codec

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/trails"
)

// dnsEvent is the most common event.
func dnsEvent() *event.Event {
	return &event.Event{
		ID: [16]byte{1, 0x98, 15: 9}, Time: time.UnixMicro(1771234567004200).UTC(), Type: event.DNS, Code: event.TrailDNS, Severity: event.High,
		Confidence: 90, Direction: event.Outbound, Kind: trails.Domain,
		Observable: "cdn.bad-domain.test", Indicator: "bad-domain.test", Trail: "(cdn).bad-domain.test",
		Info: "lumma (malware)", Reference: "(static)",
		Sources: []trails.Source{{Name: "malware/lumma.txt", URLs: []string{"https://blog.test/lumma"}}},
		Src:     netip.MustParseAddr("192.0.2.10"), SrcPort: 51514, Dst: netip.MustParseAddr("198.51.100.53"), DstPort: 53, Protocol: "UDP",
		Application: "dns", DNS: event.DNSFacts{Question: "cdn.bad-domain.test", Type: 1, Class: 1},
		Interface: "eth0", Aggregate: event.Aggregate{ID: [16]byte{5}, Count: 1},
	}
}

func roundTrip(t testing.TB, e *event.Event) {
	t.Helper()
	b := Append(nil, e)
	var got event.Event
	if err := Decode(b, &got); err != nil {
		t.Fatalf("%v: %+v", err, e)
	}
	want := *e
	want.Seq, want.Epoch = 0, 0
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
	if again := Append(nil, &got); !bytes.Equal(again, b) {
		t.Fatalf("the encoding of what was decoded differs: %x, %x", again, b)
	}
}

func TestRoundTrip(t *testing.T) {
	roundTrip(t, &event.Event{})
	roundTrip(t, dnsEvent())
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		var e event.Event
		fill(r, reflect.ValueOf(&e).Elem())
		roundTrip(t, &e)
	}
}

// fill gives everything below v a random value, half of the time.
func fill(r *rand.Rand, v reflect.Value) {
	switch v.Interface().(type) {
	case time.Time:
		if r.IntN(2) == 0 {
			v.Set(reflect.ValueOf(time.UnixMicro(r.Int64N(1<<52) - 1<<51).UTC()))
		}
		return
	case netip.Addr:
		v.Set(reflect.ValueOf(randomAddr(r)))
		return
	}
	if v.Kind() != reflect.Struct && v.Kind() != reflect.Array && r.IntN(2) == 0 {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(r, v.Field(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			v.Index(i).SetUint(r.Uint64N(3) * 120)
		}
	case reflect.Slice:
		n := 1 + r.IntN(5)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(r, v.Index(i))
		}
	case reflect.String:
		b := make([]byte, r.IntN(300))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		v.SetString(string(b))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(math.Float64frombits(r.Uint64N(0x7FF0) << 48))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(r.Uint64() >> r.IntN(64) & (1<<v.Type().Bits() - 1))
	default:
		panic(fmt.Sprintf("no random value for %v", v.Type()))
	}
}

func randomAddr(r *rand.Rand) netip.Addr {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], r.Uint64())
	binary.LittleEndian.PutUint64(b[8:], r.Uint64())
	switch r.IntN(5) {
	case 0:
		return netip.Addr{}
	case 1:
		return netip.AddrFrom4([4]byte(b[:4]))
	case 2:
		return netip.AddrFrom16([16]byte{10: 0xFF, 11: 0xFF, 15: b[0]}) // 4 in 6
	case 3:
		return netip.AddrFrom16(b).WithZone("eth0")
	}
	return netip.AddrFrom16(b)
}

// Each field of an event by itself must come back. A field that is added to
// event.Event and not to this package fails here.
func TestEveryField(t *testing.T) {
	var e event.Event
	seen := 0
	eachField(t, reflect.ValueOf(&e).Elem(), "Event", func(name string) {
		seen++
		if name == "Event.Seq" || name == "Event.Epoch" {
			return // of the place, not of the event
		}
		b := Append(nil, &e)
		var got event.Event
		if err := Decode(b, &got); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !reflect.DeepEqual(got, e) {
			t.Errorf("%s is not part of the encoding: write it in Append and read it in Decode, with a tag of its own", name)
		}
	})
	if seen < 60 {
		t.Errorf("%d fields only", seen)
	}
}

// eachField sets one leaf after the other to something, calls f, and clears it
// again.
func eachField(t *testing.T, v reflect.Value, name string, f func(string)) {
	set := func(to any) {
		v.Set(reflect.ValueOf(to).Convert(v.Type()))
		f(name)
		v.SetZero()
	}
	switch v.Interface().(type) {
	case time.Time:
		set(time.UnixMicro(1).UTC())
		return
	case netip.Addr:
		set(netip.MustParseAddr("2001:db8::1"))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			eachField(t, v.Field(i), name+"."+v.Type().Field(i).Name, f)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		eachField(t, v.Index(0), name+"[]", f)
		v.SetZero()
	case reflect.Array:
		v.Index(3).SetUint(7)
		f(name)
		v.SetZero()
	case reflect.String:
		set("text")
	case reflect.Bool:
		set(true)
	case reflect.Float64:
		set(1.5)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(1<<v.Type().Bits() - 1)
		f(name)
		v.SetZero()
	default:
		t.Fatalf("%s: this test does not know %v", name, v.Type())
	}
}

// oldEvent is dnsEvent as the first version wrote it.
const oldEvent = "03100198000000000000000000000000000904d080f1f2b5bba5060903444e530b09747261696c2e646e730c030e5a11086f7574626f756e64131363646e2e62" +
	"61642d646f6d61696e2e74657374150f6261642d646f6d61696e2e74657374160119152863646e292e6261642d646f6d61696e2e746573741b0f6c756d6d6120" +
	"286d616c77617265291d0828737461746963291f2c03116d616c776172652f6c756d6d612e747874051768747470733a2f2f626c6f672e746573742f6c756d6d" +
	"612104c000020a2304c633643524ba9203263529035544502d03646e732f1363646e2e6261642d646f6d61696e2e74657374300132014504657468304b100500" +
	"00000000000000000000000000004e01"

// What older versions wrote stays readable: tags and forms never change.
func TestOldJournal(t *testing.T) {
	old, err := hex.DecodeString(oldEvent)
	if err != nil {
		t.Fatal(err)
	}
	var got event.Event
	if err := Decode(old, &got); err != nil || !reflect.DeepEqual(got, *dnsEvent()) {
		t.Errorf("%v: %+v", err, got)
	}
	if again := Append(nil, dnsEvent()); !bytes.Equal(again, old) {
		t.Errorf("the encoding has changed: %x", again)
	}
}

func TestUnknownFieldsAreSkipped(t *testing.T) {
	e := dnsEvent()
	b := binary.AppendUvarint(nil, 4000<<1)
	b = binary.AppendUvarint(b, math.MaxUint64)
	b = Append(b, e)
	b = appendItem(b, 4001, "of a newer program")
	b = binary.AppendUvarint(b, tagTime<<1|1) // a known tag in a form that it never had
	b = append(b, 2, 'h', 'i')
	var got event.Event
	if err := Decode(b, &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, *e) {
		t.Errorf("got %+v", got)
	}
}

func TestMalformed(t *testing.T) {
	whole := Append(nil, dnsEvent())
	var e event.Event
	for n := range whole {
		if err := Decode(whole[:n], &e); err != nil && !errors.Is(err, ErrMalformed) {
			t.Errorf("cut to %d: %v", n, err)
		}
	}
	for name, b := range map[string][]byte{
		"text longer than the rest": {tagTrail<<1 | 1, 5, 'a'},
		"huge length":               append([]byte{tagTrail<<1 | 1}, binary.AppendUvarint(nil, math.MaxUint64)...),
		"overlong number":           append([]byte{tagNumber << 1}, bytes.Repeat([]byte{0x80}, 11)...),
		"number over 64 bits":       append([]byte{tagNumber << 1}, append(bytes.Repeat([]byte{0xFF}, 9), 2)...),
		"port over 16 bits":         append([]byte{tagSrcPort << 1}, binary.AppendUvarint(nil, 1<<16)...),
		"flag over 1":               {tagSummary << 1 & 0x7F, 2},
		"id of 15 bytes":            append([]byte{tagID<<1 | 1, 15}, make([]byte, 15)...),
		"address of 5 bytes":        append([]byte{tagSrc<<1 | 1, 5}, make([]byte, 5)...),
		"odd list of ports":         append([]byte{tagVLANs<<1 | 1, 3}, make([]byte, 3)...),
		"source with a cut text":    {tagSource<<1 | 1, 3, tagSourceName<<1 | 1, 9, 'a'},
	} {
		if err := Decode(b, &e); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDecodedEventStandsAlone(t *testing.T) {
	b := Append(nil, dnsEvent())
	var e event.Event
	if err := Decode(b, &e); err != nil {
		t.Fatal(err)
	}
	clear(b)
	if !reflect.DeepEqual(e, *dnsEvent()) {
		t.Error("the event changed with the bytes it was read from")
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	e := dnsEvent()
	e.Health.Measures = []event.Measure{{Name: strings.Repeat("m", 200), Value: 0.5}}
	buf := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { buf = Append(buf[:0], e) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add(Append(nil, dnsEvent()))
	full := event.NewHealth(time.Unix(1, 0), event.HealthHeartbeat, "x", event.HealthFacts{Measures: []event.Measure{event.Count("a", 1)}})
	full.Aggregate.Dsts = []netip.Addr{netip.MustParseAddr("::1"), {}}
	full.Aggregate.Trails = []string{"", "b"}
	f.Add(Append(nil, &full))
	f.Fuzz(func(t *testing.T, b []byte) {
		var e event.Event
		if err := Decode(b, &e); err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		if lists := len(e.Sources) + len(e.VLANs) + len(e.Aggregate.Dsts) + len(e.Aggregate.Trails) + len(e.Health.Measures) + len(e.DNS.Answers) + len(e.Retro.Hosts); lists > len(b) {
			t.Fatalf("%d list items from %d bytes", lists, len(b))
		}
		// What was understood survives another trip.
		again := Append(nil, &e)
		var same event.Event
		if err := Decode(again, &same); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(Append(nil, &same), again) {
			t.Fatal("a second trip changes it")
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	e := dnsEvent()
	buf := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buf = Append(buf[:0], e)
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkDecode(b *testing.B) {
	buf := Append(nil, dnsEvent())
	var e event.Event
	b.ReportAllocs()
	for b.Loop() {
		if err := Decode(buf, &e); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(buf)))
}

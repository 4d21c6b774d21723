package journal

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs/journal/codec"
)

// swell sets every text, list and number below v to the largest that it can be.
func swell(v reflect.Value, text string) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.UnixMicro(1 << 52).UTC()))
		return
	case netip.Addr:
		v.Set(reflect.ValueOf(netip.IPv6LinkLocalAllNodes()))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			swell(v.Field(i), text)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 300, 300))
		for i := range v.Len() {
			swell(v.Index(i), text)
		}
	case reflect.Array:
		for i := range v.Len() {
			swell(v.Index(i), text)
		}
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(1e300)
	default:
		v.SetUint(1<<v.Type().Bits() - 1)
	}
}

// Whatever an event holds, it fits into a record when it is shortened. A field
// that is added to event.Event and not bounded in shorten fails here.
func TestShortenedEventFits(t *testing.T) {
	var e event.Event
	swell(reflect.ValueOf(&e).Elem(), strings.Repeat("x", maxPayload))
	s := shorten(&e)
	if n := len(codec.Append(nil, &s)); n > maxPayload {
		t.Errorf("%d bytes, %d fit", n, maxPayload)
	}
	if len(e.Trail) != maxPayload || len(e.DNS.Answers) != 300 || len(e.DNS.Answers[0]) != maxPayload || len(e.Health.Measures[0].Name) != maxPayload {
		t.Error("the event itself was changed")
	}
}

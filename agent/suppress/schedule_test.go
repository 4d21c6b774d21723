package suppress

import (
	"strings"
	"testing"
	"time"
)

func TestSchedule(t *testing.T) {
	weekend := Schedule{Days: []string{"sat", "Sunday"}, Zone: "UTC"}
	night := Schedule{Days: []string{"fri"}, From: "22:00", To: "4:00", Zone: "UTC"}
	office := Schedule{Days: []string{"mon-fri"}, From: "08:00", To: "17:30", Zone: "Europe/Berlin"}
	over := Schedule{Days: []string{"sat-mon"}, From: "12:00", Zone: "UTC"}
	whole := Schedule{Days: []string{"wed"}, From: "10:00", To: "10:00", Zone: "UTC"}
	late := Schedule{From: "20:00", To: "24:00", Zone: "UTC"}
	midnight := Schedule{Days: []string{"tue"}, From: "20:00", To: "00:00", Zone: "UTC"}
	dst := Schedule{From: "02:00", To: "03:00", Zone: "Europe/Berlin"}
	around := Schedule{Days: []string{"sat"}, From: "22:00", To: "04:00", Zone: "Europe/Berlin"}
	for _, c := range []struct {
		name string
		s    *Schedule
		at   string
		want bool
	}{
		{"saturday", &weekend, "2026-02-14T00:00:00Z", true}, // a Saturday
		{"sunday's end", &weekend, "2026-02-15T23:59:59Z", true},
		{"monday", &weekend, "2026-02-16T00:00:00Z", false},
		{"friday before", &night, "2026-02-13T21:59:59Z", false},
		{"friday", &night, "2026-02-13T22:00:00Z", true},
		{"the night after", &night, "2026-02-14T03:59:59Z", true},
		{"its end", &night, "2026-02-14T04:00:00Z", false},
		{"saturday night is another", &night, "2026-02-14T23:00:00Z", false},
		{"friday morning is thursday's", &night, "2026-02-13T03:00:00Z", false},
		{"berlin winter", &office, "2026-02-16T07:00:00Z", true},
		{"berlin winter before", &office, "2026-02-16T06:59:59Z", false},
		{"berlin summer", &office, "2026-07-13T06:00:00Z", true},
		{"berlin summer end", &office, "2026-07-13T15:30:00Z", false},
		{"over the week's end", &over, "2026-02-15T12:00:00Z", true},
		{"monday of it", &over, "2026-02-16T23:00:00Z", true},
		{"tuesday is none", &over, "2026-02-17T13:00:00Z", false},
		{"a whole day from ten", &whole, "2026-02-19T09:59:00Z", true},
		{"its begin", &whole, "2026-02-18T10:00:00Z", true},
		{"its end", &whole, "2026-02-19T10:00:00Z", false},
		{"to 24:00", &late, "2026-02-16T23:59:59Z", true},
		{"to 24:00, not on the next day", &late, "2026-02-16T00:00:00Z", false},
		{"to 00:00 is that too", &midnight, "2026-02-17T23:59:59Z", true},
		{"and ends there", &midnight, "2026-02-18T00:00:00Z", false},
		// On 2026-03-29 the hour from 02:00 to 03:00 is left out in Berlin ...
		{"put forward, before", &dst, "2026-03-29T00:59:59Z", false},
		{"put forward, after", &dst, "2026-03-29T01:00:00Z", false},
		{"the night over it", &around, "2026-03-29T01:59:59Z", true},
		{"ends by the clock", &around, "2026-03-29T02:00:00Z", false},
		// ... and on 2026-10-25 it comes twice.
		{"put back, first", &dst, "2026-10-25T00:30:00Z", true},
		{"put back, second", &dst, "2026-10-25T01:30:00Z", true},
		{"put back, after", &dst, "2026-10-25T02:00:00Z", false},
		{"the longer night", &around, "2026-10-25T02:59:59Z", true},
		{"ends by the clock", &around, "2026-10-25T03:00:00Z", false},
	} {
		w, errs := c.s.read()
		if len(errs) > 0 {
			t.Fatalf("%s: %v", c.name, errs)
		}
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.holds(at); got != c.want {
			t.Errorf("%s: %v at %s (%v)", c.name, got, c.at, at.Weekday())
		}
	}
	if w, errs := (&Schedule{}).read(); len(errs) > 0 || !w.holds(start) || w.zone != time.Local {
		t.Errorf("the empty schedule is always: %v", errs)
	}
}

func TestScheduleProblems(t *testing.T) {
	s := Schedule{Days: []string{"mo", "mon-", "mon"}, From: "25:00", To: "10", Zone: "Mars/Base"}
	_, errs := s.read()
	var all []string
	for _, err := range errs {
		all = append(all, err.Error())
	}
	text := strings.Join(all, "\n")
	for _, want := range []string{`"mo" is no day`, `"mon-" is no day`, `schedule.from: "25:00"`, `schedule.to: "10"`, `"Mars/Base" is no time zone`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	for _, clock := range []string{"24:00", "1:60", "24:01", "aa:bb", "1234", "12:3x", "-1:00", "+1:00", "00:00:00"} {
		if _, errs := (&Schedule{From: clock}).read(); len(errs) != 1 {
			t.Errorf("from %s: %v", clock, errs)
		}
	}
}

package suppress

import (
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // a container may have no files of time zones
)

// window is a Schedule that was read. It goes by the clock on the wall: on the
// day on which the clock is put forward or back, a window over that hour is an
// hour shorter or longer.
type window struct {
	days     [7]bool // by time.Weekday
	from, to int     // minutes of the day; to is 1 to 1440, or at most from: on the next day
	zone     *time.Location
}

const minutesPerDay = 24 * 60

func (s *Schedule) read() (w window, errs []error) {
	bad := func(key string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("schedule.%s: %w", key, err))
		}
	}
	for _, d := range s.Days {
		bad("days", w.add(d))
	}
	if len(s.Days) == 0 {
		w.days = [7]bool{true, true, true, true, true, true, true}
	}
	var err error
	w.from, err = readClock(s.From, 0)
	if err == nil && w.from == minutesPerDay {
		err = errors.New("the last time of a day to begin at is 23:59")
	}
	bad("from", err)
	w.to, err = readClock(s.To, minutesPerDay)
	bad("to", err)
	if w.zone, err = time.LoadLocation(s.Zone); err != nil {
		bad("zone", fmt.Errorf("%q is no time zone, write one such as Europe/Berlin or UTC", clip(s.Zone)))
	}
	if s.Zone == "" {
		w.zone = time.Local
	}
	return w, errs
}

// add reads a day or a span of days, which may go over the week's end.
func (w *window) add(text string) error {
	first, last, span := strings.Cut(text, "-")
	if !span {
		last = first
	}
	from, ok := readDay(first)
	to, also := readDay(last)
	if !ok || !also {
		return fmt.Errorf("%q is no day, write mon to sun or a span such as mon-fri", clip(text))
	}
	for d := from; ; d = (d + 1) % 7 {
		w.days[d] = true
		if d == to {
			return nil
		}
	}
}

func readDay(text string) (time.Weekday, bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	for d := time.Sunday; d <= time.Saturday; d++ {
		if name := strings.ToLower(d.String()); text == name || text == name[:3] {
			return d, true
		}
	}
	return 0, false
}

// readClock reads "HH:MM" as minutes, at most 24:00.
func readClock(text string, empty int) (int, error) {
	if text == "" {
		return empty, nil
	}
	if len(text) == 4 {
		text = "0" + text
	}
	digit := func(i int) int { return int(text[i] - '0') }
	if len(text) != 5 || text[2] != ':' || strings.Trim(text[:2]+text[3:], "0123456789") != "" {
		return 0, fmt.Errorf("%q is no time of day, write one such as 22:00", clip(text))
	}
	hour, minute := 10*digit(0)+digit(1), 10*digit(3)+digit(4)
	if hour > 24 || minute > 59 || hour == 24 && minute > 0 {
		return 0, fmt.Errorf("%q is no time of day, the last one is 24:00", clip(text))
	}
	return 60*hour + minute, nil
}

// holds says whether a moment is inside.
func (w *window) holds(t time.Time) bool {
	t = t.In(w.zone)
	minute, day := 60*t.Hour()+t.Minute(), t.Weekday()
	if w.from < w.to {
		return w.days[day] && w.from <= minute && minute < w.to
	}
	return w.days[day] && minute >= w.from || w.days[(day+6)%7] && minute < w.to
}

// readTime reads a day, whose first moment in UTC it gives, or a moment after
// RFC 3339. The empty text is the zero time.
func readTime(text string) (t time.Time, day bool, err error) {
	if text == "" {
		return t, false, nil
	}
	if t, err = time.Parse(time.DateOnly, text); err == nil {
		return t, true, nil
	}
	if t, err = time.Parse(time.RFC3339, text); err == nil {
		return t.UTC(), false, nil
	}
	return time.Time{}, false, fmt.Errorf("%q is neither a day such as 2026-05-17 nor a time such as 2026-05-17T18:00:00Z", clip(text))
}

// clip shortens what an error quotes.
func clip(text string) string {
	if len(text) > 80 {
		return text[:80] + "..."
	}
	return text
}

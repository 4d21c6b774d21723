package suppress

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
	"time"

	"trailhound/agent/event"
)

// key is what makes two detections the same: client, indicator (of a heuristic
// its display trail), code and info, and the rule that marked them; of many
// trails client, code and rule. It is hashed so that what is remembered of an
// event does not grow with what an attacker put into it.
type key [16]byte

func keyOf(e *event.Event, many bool) (k key) {
	h := sha256.New()
	src := e.Client().As16()
	h.Write(src[:])
	text := func(s string) {
		var size [4]byte
		binary.BigEndian.PutUint32(size[:], uint32(len(s)))
		h.Write(size[:])
		io.WriteString(h, s)
	}
	if many {
		h.Write([]byte{0xFF, 0xFF, 0xFF, 0xFF}) // no text is that long
		text(string(e.Code))
	} else {
		indicator := e.Indicator
		if indicator == "" {
			indicator = e.Trail
		}
		text(indicator)
		text(string(e.Code))
		text(e.Info)
	}
	if s := &e.Suppression; s.Rule != "" {
		// What stays here must not be counted in a summary that leaves.
		text(s.Rule)
		if s.Local {
			h.Write([]byte{1})
		}
	}
	if e.IsRetro() {
		h.Write([]byte{2}) // what was seen long ago is no repeat of what is seen now
	}
	copy(k[:], h.Sum(nil))
	return k
}

func (o *group) end() time.Time { return o.start.Add(o.window) }

// schedule is a heap of groups by the end of their windows. Equal ends keep the
// order in which the groups came, so that replays agree, also when the same
// packets are in other files; of those from a checkpoint that of their ids.
type schedule []*group

func (s schedule) Len() int { return len(s) }
func (s schedule) Less(i, j int) bool {
	a, b := s[i].end(), s[j].end()
	if a.Equal(b) {
		if s[i].came != s[j].came {
			return s[i].came < s[j].came
		}
		return string(s[i].id[:]) < string(s[j].id[:])
	}
	return a.Before(b)
}
func (s schedule) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].at, s[j].at = i, j
}
func (s *schedule) Push(x any) {
	g := x.(*group)
	g.at = len(*s)
	*s = append(*s, g)
}
func (s *schedule) Pop() any {
	old := *s
	g := old[len(old)-1]
	old[len(old)-1] = nil
	*s = old[:len(old)-1]
	return g
}

package format

import (
	"bytes"
	"time"

	"trailhound/agent/event"
)

// AppendMaltrail appends the event as a line of the reference's log, LF
// included: eleven columns with a space between, the time in loc. Where a
// summary saw several ports or destinations they are joined with commas, which
// is how the reference writes what it merged. For what is
// BeyondReference nothing is appended.
func AppendMaltrail(dst []byte, e *event.Event, id *event.Identity, loc *time.Location) []byte {
	if e.BeyondReference() {
		return dst
	}
	dst = append(dst, '"')
	dst = e.Time.In(loc).AppendFormat(dst, "2006-01-02 15:04:05.000000")
	dst = append(dst, '"', ' ')

	dst = appendSafe(dst, id.Name)
	at := len(dst)
	dst = seal(appendSource(dst, e.Src, e.ForwardedSource()), at)
	dst = append(appendPorts(dst, e.Aggregate.SrcPorts, e.SrcPort), ' ')
	if len(e.Aggregate.Dsts) > 0 {
		dst = append(appendAddrList(dst, e.Aggregate.Dsts), ' ')
	} else {
		dst = append(appendAddr(dst, e.Dst), ' ')
	}
	dst = append(appendPorts(dst, e.Aggregate.DstPorts, e.DstPort), ' ')
	dst = appendSafe(dst, e.Protocol)
	dst = appendSafe(dst, string(e.Type))
	dst = appendSafe(dst, e.Trail)
	dst = appendSafe(dst, e.Info)
	dst = appendSafe(dst, e.Reference)
	dst[len(dst)-1] = '\n'
	return dst
}

func appendSafe(dst []byte, value string) []byte {
	at := len(dst)
	return seal(append(dst, value...), at)
}

// seal makes dst[at:] a column by the reference's safe-value rule: empty is
// "-", CR and LF become a space each, and what holds a space or a double quote
// is quoted. Everything else stays raw. The separator is appended.
func seal(dst []byte, at int) []byte {
	if len(dst) == at {
		return append(dst, '-', ' ')
	}
	for i, c := range dst[at:] {
		if c == '\r' || c == '\n' {
			dst[at+i] = ' '
		}
	}
	if bytes.IndexByte(dst[at:], ' ') >= 0 || bytes.IndexByte(dst[at:], '"') >= 0 {
		dst = enclose(dst, at)
	}
	return append(dst, ' ')
}

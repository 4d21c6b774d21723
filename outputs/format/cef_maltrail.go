package format

import (
	"time"

	"trailhound/agent/event"
)

// MaltrailVersion is the version that the CEF lines of the reference's profile
// name: that of the reference which they are the same as.
const MaltrailVersion = "3.1.2"

// AppendMaltrailCEF appends the event as the datagram that the reference sends
// to its SYSLOG_SERVER: local time without a year and with a leading zero in the
// day, the host's name, and a CEF record whose event class is the date of the
// trails. There is no priority before it and no LF behind. Like the reference's
// it has "-" where there is no port and lists of ports and addresses where
// repeats were merged, which readers with types refuse. A record larger than size
// bytes, unless that is 0, is cut as in AppendCEFWith. For what is
// BeyondReference nothing is appended.
func AppendMaltrailCEF(dst []byte, e *event.Event, id *event.Identity, trails time.Time, loc *time.Location, size int) (out []byte, cut, ok bool) {
	if e.BeyondReference() {
		return dst, false, true
	}
	return within(dst, size, func(dst []byte, most, rest int) []byte {
		return appendMaltrailCEF(dst, e, id, trails, loc, most, rest)
	})
}

func appendMaltrailCEF(dst []byte, e *event.Event, id *event.Identity, trails time.Time, loc *time.Location, most, rest int) []byte {
	dst = e.Time.In(loc).AppendFormat(dst, "Jan 02 15:04:05")
	dst = append(appendCEFHeader(append(dst, ' '), id.Hostname, min(cefText, max(rest, 1))), ' ')
	dst = append(dst, "CEF:0|Maltrail|sensor|"+MaltrailVersion+"|"...)
	dst = append(trails.In(loc).AppendFormat(dst, "2006-01-02"), '|')
	dst = append(appendCEFHeader(dst, e.Info, min(cefName, rest)), '|')
	dst = append(dst, '0'+maltrailSeverity(e.Severity), '|')
	dst = appendAddr(append(dst, "src="...), e.Src)
	if forwarded := e.ForwardedSource(); forwarded != "" {
		dst = appendCEFText(append(dst, ','), forwarded, min(cefText, rest), '=', false)
	}
	dst = appendPorts(append(dst, " spt="...), e.Aggregate.SrcPorts, e.SrcPort)
	dst = append(dst, " dst="...)
	if len(e.Aggregate.Dsts) > 0 {
		dst = appendAddrList(dst, e.Aggregate.Dsts)
	} else {
		dst = appendAddr(dst, e.Dst)
	}
	dst = appendPorts(append(dst, " dpt="...), e.Aggregate.DstPorts, e.DstPort)
	dst = appendCEFText(append(dst, " trail="...), e.Trail, min(cefCustom, most), '=', false)
	return appendCEFText(append(dst, " ref="...), e.Reference, min(cefText, rest), '=', false)
}

// maltrailSeverity is the number in the reference's records.
func maltrailSeverity(s event.Severity) byte {
	switch s {
	case event.High:
		return 2
	case event.Medium:
		return 1
	}
	return 0
}

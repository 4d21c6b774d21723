package codec

import (
	"encoding/binary"
	"math"
	"net/netip"
	"time"

	"trailhound/agent/event"
	"trailhound/trails"
)

// Append appends the encoding of an event. It does not allocate when dst has
// room.
func Append(dst []byte, e *event.Event) []byte {
	dst = appendID(dst, tagID, &e.ID)
	dst = appendTime(dst, tagTime, e.Time)
	dst = appendUint(dst, tagNumber, e.Number)
	dst = appendText(dst, tagType, string(e.Type))
	dst = appendText(dst, tagCode, string(e.Code))
	dst = appendUint(dst, tagSeverity, uint64(e.Severity))
	dst = appendUint(dst, tagConfidence, uint64(e.Confidence))
	dst = appendText(dst, tagDirection, string(e.Direction))
	dst = appendText(dst, tagObservable, e.Observable)
	dst = appendText(dst, tagIndicator, e.Indicator)
	dst = appendUint(dst, tagKind, uint64(e.Kind))
	dst = appendText(dst, tagTrail, e.Trail)
	dst = appendText(dst, tagInfo, e.Info)
	dst = appendText(dst, tagReference, e.Reference)
	for i := range e.Sources {
		dst = appendSource(dst, &e.Sources[i])
	}
	dst = appendAddr(dst, tagSrc, e.Src)
	dst = appendAddr(dst, tagDst, e.Dst)
	dst = appendUint(dst, tagSrcPort, uint64(e.SrcPort))
	dst = appendUint(dst, tagDstPort, uint64(e.DstPort))
	dst = appendText(dst, tagProtocol, e.Protocol)
	dst = appendText(dst, tagForwarded, e.Forwarded)
	dst = appendText(dst, tagApplication, e.Application)
	dst = appendText(dst, tagQuestion, e.DNS.Question)
	dst = appendUint(dst, tagQuestionType, uint64(e.DNS.Type))
	dst = appendUint(dst, tagQuestionClass, uint64(e.DNS.Class))
	dst = appendText(dst, tagMethod, e.HTTP.Method)
	dst = appendText(dst, tagHost, e.HTTP.Host)
	dst = appendText(dst, tagTarget, e.HTTP.Target)
	dst = appendUint(dst, tagStatus, uint64(e.HTTP.Status))
	dst = appendText(dst, tagUserAgent, e.HTTP.UserAgent)
	dst = appendText(dst, tagServerName, e.TLS.ServerName)
	dst = appendText(dst, tagSHA1, e.TLS.SHA1)
	dst = appendText(dst, tagSHA256, e.TLS.SHA256)
	dst = appendText(dst, tagInterface, e.Interface)
	dst = appendText(dst, tagAlias, e.Alias)
	dst = appendNumbers(dst, tagVLANs, e.VLANs)
	dst = appendAggregate(dst, &e.Aggregate)
	dst = appendText(dst, tagRule, e.Suppression.Rule)
	dst = appendFlag(dst, tagLocal, e.Suppression.Local)
	dst = appendText(dst, tagState, string(e.Health.State))
	dst = appendTime(dst, tagSince, e.Health.Since)
	dst = appendText(dst, tagCause, e.Health.Cause)
	for i := range e.Health.Measures {
		dst = appendMeasure(dst, &e.Health.Measures[i])
	}
	dst = appendText(dst, tagCommunityID, e.CommunityID)
	dst = appendText(dst, tagSrcGroup, e.SrcGroup)
	dst = appendText(dst, tagDstGroup, e.DstGroup)
	dst = appendUint(dst, tagOutcome, uint64(e.Outcome))
	dst = appendRetro(dst, &e.Retro)
	dst = appendUint(dst, tagRCode, uint64(e.DNS.RCode))
	dst = appendFlag(dst, tagHasRCode, e.DNS.HasRCode)
	for _, a := range e.DNS.Answers {
		dst = appendItem(dst, tagAnswers, a)
	}
	dst = appendText(dst, tagContentType, e.HTTP.ContentType)
	dst = appendText(dst, tagBody, e.HTTP.Body)
	dst = appendText(dst, tagJA3, e.TLS.JA3)
	return appendText(dst, tagJA4, e.TLS.JA4)
}

func appendRetro(dst []byte, r *event.Retro) []byte {
	dst = appendTime(dst, tagRetroFirst, r.First)
	dst = appendTime(dst, tagRetroLast, r.Last)
	for _, h := range r.Hosts {
		dst = appendListed(dst, tagRetroHosts, h)
	}
	return dst
}

func appendAggregate(dst []byte, a *event.Aggregate) []byte {
	dst = appendID(dst, tagAggregateID, &a.ID)
	dst = appendFlag(dst, tagSummary, a.Summary)
	dst = appendUint(dst, tagCount, a.Count)
	dst = appendTime(dst, tagFirst, a.First)
	dst = appendTime(dst, tagLast, a.Last)
	dst = appendNumbers(dst, tagSrcPorts, a.SrcPorts)
	dst = appendNumbers(dst, tagDstPorts, a.DstPorts)
	for _, d := range a.Dsts {
		dst = appendListed(dst, tagDsts, d)
	}
	dst = appendUint(dst, tagMoreSrcPorts, uint64(a.MoreSrcPorts))
	dst = appendUint(dst, tagMoreDstPorts, uint64(a.MoreDstPorts))
	dst = appendUint(dst, tagMoreDsts, uint64(a.MoreDsts))
	for _, t := range a.Trails {
		dst = appendItem(dst, tagTrails, t)
	}
	return appendUint(dst, tagMoreTrails, uint64(a.MoreTrails))
}

func appendSource(dst []byte, s *trails.Source) []byte {
	return appendNested(dst, tagSource, func(dst []byte) []byte {
		dst = appendText(dst, tagSourceName, s.Name)
		for _, u := range s.URLs {
			dst = appendItem(dst, tagSourceURL, u)
		}
		return appendTime(dst, tagSourceLastSeen, s.LastSeen)
	})
}

func appendMeasure(dst []byte, m *event.Measure) []byte {
	return appendNested(dst, tagMeasure, func(dst []byte) []byte {
		dst = appendText(dst, tagMeasureName, m.Name)
		dst = appendUint(dst, tagMeasureValue, math.Float64bits(m.Value))
		return appendFlag(dst, tagMeasureShare, m.Share)
	})
}

// appendNested writes the fields first and moves them up by the length of
// their length, which is one byte as a rule.
func appendNested(dst []byte, tag uint64, fields func([]byte) []byte) []byte {
	dst = binary.AppendUvarint(dst, tag<<1|1)
	start := len(dst)
	dst = fields(append(dst, 0))
	n := len(dst) - start - 1
	if n < 0x80 {
		dst[start] = byte(n)
		return dst
	}
	var length [binary.MaxVarintLen64]byte
	more := binary.PutUvarint(length[:], uint64(n)) - 1
	dst = append(dst, length[:more]...)
	copy(dst[start+1+more:], dst[start+1:start+1+n])
	copy(dst[start:], length[:more+1])
	return dst
}

func appendUint(dst []byte, tag, v uint64) []byte {
	if v == 0 {
		return dst
	}
	return binary.AppendUvarint(binary.AppendUvarint(dst, tag<<1), v)
}

func appendFlag(dst []byte, tag uint64, v bool) []byte {
	if !v {
		return dst
	}
	return appendUint(dst, tag, 1)
}

// appendTime leaves out the zero time and nothing else: 1970 began too.
func appendTime(dst []byte, tag uint64, t time.Time) []byte {
	if t.IsZero() {
		return dst
	}
	us := t.UnixMicro()
	return binary.AppendUvarint(binary.AppendUvarint(dst, tag<<1), uint64(us)<<1^uint64(us>>63))
}

func appendText(dst []byte, tag uint64, s string) []byte {
	if s == "" {
		return dst
	}
	return appendItem(dst, tag, s)
}

// appendItem writes also what is empty: in a list it counts.
func appendItem(dst []byte, tag uint64, s string) []byte {
	dst = binary.AppendUvarint(dst, tag<<1|1)
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

func appendID(dst []byte, tag uint64, id *[16]byte) []byte {
	if *id == ([16]byte{}) {
		return dst
	}
	dst = binary.AppendUvarint(dst, tag<<1|1)
	dst = append(dst, 16)
	return append(dst, id[:]...)
}

func appendAddr(dst []byte, tag uint64, a netip.Addr) []byte {
	if !a.IsValid() {
		return dst
	}
	return appendListed(dst, tag, a)
}

// appendListed writes 4 bytes, or 16 and the zone; an invalid address is empty.
func appendListed(dst []byte, tag uint64, a netip.Addr) []byte {
	dst = binary.AppendUvarint(dst, tag<<1|1)
	dst = binary.AppendUvarint(dst, uint64(a.BitLen()/8+len(a.Zone())))
	switch {
	case a.Is4():
		b := a.As4()
		return append(dst, b[:]...)
	case a.IsValid():
		b := a.As16()
		return append(append(dst, b[:]...), a.Zone()...)
	}
	return dst
}

// appendNumbers writes ports or VLANs with two bytes each, little endian.
func appendNumbers(dst []byte, tag uint64, list []uint16) []byte {
	if len(list) == 0 {
		return dst
	}
	dst = binary.AppendUvarint(dst, tag<<1|1)
	dst = binary.AppendUvarint(dst, uint64(2*len(list)))
	for _, n := range list {
		dst = binary.LittleEndian.AppendUint16(dst, n)
	}
	return dst
}

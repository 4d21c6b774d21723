package codec

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"time"

	"trailhound/agent/event"
	"trailhound/trails"
)

// ErrMalformed is what every error of Decode is: the bytes are not an encoded
// event.
var ErrMalformed = errors.New("malformed event")

// Decode reads an encoded event into e, which it overwrites. The event does
// not refer to b. Decode allocates no more than a small multiple of len(b):
// one string that all texts are parts of, and the lists.
func Decode(b []byte, e *event.Event) error {
	*e = event.Event{}
	d := fields{all: string(b)}
	for d.next() {
		if err := d.into(e); err != nil {
			return err
		}
	}
	return d.err
}

// into puts the current field where it belongs; what it does not know it
// skips.
func (d *fields) into(e *event.Event) error {
	switch d.key {
	case tagID<<1 | 1:
		d.id(&e.ID)
	case tagTime << 1:
		e.Time = d.time()
	case tagNumber << 1:
		e.Number = d.value
	case tagType<<1 | 1:
		e.Type = event.Type(d.text)
	case tagCode<<1 | 1:
		e.Code = event.Code(d.text)
	case tagSeverity << 1:
		e.Severity = event.Severity(d.uint(math.MaxUint8))
	case tagConfidence << 1:
		e.Confidence = uint8(d.uint(math.MaxUint8))
	case tagDirection<<1 | 1:
		e.Direction = event.Direction(d.text)
	case tagObservable<<1 | 1:
		e.Observable = d.text
	case tagIndicator<<1 | 1:
		e.Indicator = d.text
	case tagKind << 1:
		e.Kind = trails.Kind(d.uint(math.MaxUint8))
	case tagTrail<<1 | 1:
		e.Trail = d.text
	case tagInfo<<1 | 1:
		e.Info = d.text
	case tagReference<<1 | 1:
		e.Reference = d.text
	case tagSource<<1 | 1:
		e.Sources = append(e.Sources, d.source())
	case tagSrc<<1 | 1:
		e.Src = d.addr()
	case tagDst<<1 | 1:
		e.Dst = d.addr()
	case tagSrcPort << 1:
		e.SrcPort = uint16(d.uint(math.MaxUint16))
	case tagDstPort << 1:
		e.DstPort = uint16(d.uint(math.MaxUint16))
	case tagProtocol<<1 | 1:
		e.Protocol = d.text
	case tagForwarded<<1 | 1:
		e.Forwarded = d.text
	case tagApplication<<1 | 1:
		e.Application = d.text
	case tagInterface<<1 | 1:
		e.Interface = d.text
	case tagAlias<<1 | 1:
		e.Alias = d.text
	case tagVLANs<<1 | 1:
		e.VLANs = d.numbers()
	case tagCommunityID<<1 | 1:
		e.CommunityID = d.text
	case tagSrcGroup<<1 | 1:
		e.SrcGroup = d.text
	case tagDstGroup<<1 | 1:
		e.DstGroup = d.text
	case tagOutcome << 1:
		e.Outcome = event.Outcome(d.uint(math.MaxUint8))
	default:
		d.intoFacts(e)
		d.intoRetro(&e.Retro)
		d.intoAggregate(&e.Aggregate)
		d.intoHealth(&e.Health)
	}
	return d.err
}

func (d *fields) intoFacts(e *event.Event) {
	switch d.key {
	case tagQuestion<<1 | 1:
		e.DNS.Question = d.text
	case tagQuestionType << 1:
		e.DNS.Type = uint16(d.uint(math.MaxUint16))
	case tagQuestionClass << 1:
		e.DNS.Class = uint16(d.uint(math.MaxUint16))
	case tagRCode << 1:
		e.DNS.RCode = uint8(d.uint(math.MaxUint8))
	case tagHasRCode << 1:
		e.DNS.HasRCode = d.uint(1) == 1
	case tagAnswers<<1 | 1:
		e.DNS.Answers = append(e.DNS.Answers, d.text)
	case tagMethod<<1 | 1:
		e.HTTP.Method = d.text
	case tagHost<<1 | 1:
		e.HTTP.Host = d.text
	case tagTarget<<1 | 1:
		e.HTTP.Target = d.text
	case tagStatus << 1:
		e.HTTP.Status = uint16(d.uint(math.MaxUint16))
	case tagUserAgent<<1 | 1:
		e.HTTP.UserAgent = d.text
	case tagContentType<<1 | 1:
		e.HTTP.ContentType = d.text
	case tagBody<<1 | 1:
		e.HTTP.Body = d.text
	case tagServerName<<1 | 1:
		e.TLS.ServerName = d.text
	case tagSHA1<<1 | 1:
		e.TLS.SHA1 = d.text
	case tagSHA256<<1 | 1:
		e.TLS.SHA256 = d.text
	case tagJA3<<1 | 1:
		e.TLS.JA3 = d.text
	case tagJA4<<1 | 1:
		e.TLS.JA4 = d.text
	case tagRule<<1 | 1:
		e.Suppression.Rule = d.text
	case tagLocal << 1:
		e.Suppression.Local = d.uint(1) == 1
	}
}

func (d *fields) intoRetro(r *event.Retro) {
	switch d.key {
	case tagRetroFirst << 1:
		r.First = d.time()
	case tagRetroLast << 1:
		r.Last = d.time()
	case tagRetroHosts<<1 | 1:
		r.Hosts = append(r.Hosts, d.addr())
	}
}

func (d *fields) intoAggregate(a *event.Aggregate) {
	switch d.key {
	case tagAggregateID<<1 | 1:
		d.id(&a.ID)
	case tagSummary << 1:
		a.Summary = d.uint(1) == 1
	case tagCount << 1:
		a.Count = d.value
	case tagFirst << 1:
		a.First = d.time()
	case tagLast << 1:
		a.Last = d.time()
	case tagSrcPorts<<1 | 1:
		a.SrcPorts = d.numbers()
	case tagDstPorts<<1 | 1:
		a.DstPorts = d.numbers()
	case tagDsts<<1 | 1:
		a.Dsts = append(a.Dsts, d.addr())
	case tagMoreSrcPorts << 1:
		a.MoreSrcPorts = uint32(d.uint(math.MaxUint32))
	case tagMoreDstPorts << 1:
		a.MoreDstPorts = uint32(d.uint(math.MaxUint32))
	case tagMoreDsts << 1:
		a.MoreDsts = uint32(d.uint(math.MaxUint32))
	case tagTrails<<1 | 1:
		a.Trails = append(a.Trails, d.text)
	case tagMoreTrails << 1:
		a.MoreTrails = uint32(d.uint(math.MaxUint32))
	}
}

func (d *fields) intoHealth(h *event.HealthFacts) {
	switch d.key {
	case tagState<<1 | 1:
		h.State = event.HealthState(d.text)
	case tagSince << 1:
		h.Since = d.time()
	case tagCause<<1 | 1:
		h.Cause = d.text
	case tagMeasure<<1 | 1:
		h.Measures = append(h.Measures, d.measure())
	}
}

func (d *fields) source() (s trails.Source) {
	in := fields{all: d.text}
	for in.next() {
		switch in.key {
		case tagSourceName<<1 | 1:
			s.Name = in.text
		case tagSourceURL<<1 | 1:
			s.URLs = append(s.URLs, in.text)
		case tagSourceLastSeen << 1:
			s.LastSeen = in.time()
		}
	}
	d.fail(in.err)
	return s
}

func (d *fields) measure() (m event.Measure) {
	in := fields{all: d.text}
	for in.next() {
		switch in.key {
		case tagMeasureName<<1 | 1:
			m.Name = in.text
		case tagMeasureValue << 1:
			m.Value = math.Float64frombits(in.value)
		case tagMeasureShare << 1:
			m.Share = in.uint(1) == 1
		}
	}
	d.fail(in.err)
	return m
}

// fields walks a sequence of fields.
type fields struct {
	all   string
	at    int // of the next field
	key   uint64
	value uint64 // of a number
	text  string // of bytes
	err   error
}

// next takes the next field and says whether there is one.
func (d *fields) next() bool {
	if d.err != nil || d.at >= len(d.all) {
		return false
	}
	d.key = d.uvarint()
	d.value = d.uvarint()
	if d.err == nil && d.key&1 == 1 {
		if left := len(d.all) - d.at; d.value > uint64(left) {
			d.fail(fmt.Errorf("%w: field %d has %d bytes where %d are left", ErrMalformed, d.key>>1, d.value, left))
			return false
		}
		end := d.at + int(d.value)
		d.text = d.all[d.at:end]
		d.at = end
	}
	return d.err == nil
}

// uvarint is binary.Uvarint on a string.
func (d *fields) uvarint() (v uint64) {
	if d.at < len(d.all) && d.all[d.at] < 0x80 {
		d.at++
		return uint64(d.all[d.at-1])
	}
	rest := d.all[d.at:]
	for i := 0; i < len(rest) && i < 10; i++ {
		c := rest[i]
		if c < 0x80 {
			if i == 9 && c > 1 {
				break
			}
			d.at += i + 1
			return v | uint64(c)<<(7*i)
		}
		v |= uint64(c&0x7F) << (7 * i)
	}
	d.fail(fmt.Errorf("%w: cut or overlong number", ErrMalformed))
	return 0
}

func (d *fields) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

func (d *fields) uint(most uint64) uint64 {
	if d.value > most {
		d.fail(fmt.Errorf("%w: field %d is %d, at most %d", ErrMalformed, d.key>>1, d.value, most))
		return 0
	}
	return d.value
}

func (d *fields) time() time.Time {
	return time.UnixMicro(int64(d.value>>1) ^ -int64(d.value&1)).UTC()
}

func (d *fields) id(id *[16]byte) {
	if len(d.text) != len(id) {
		d.fail(fmt.Errorf("%w: id of %d bytes", ErrMalformed, len(d.text)))
		return
	}
	copy(id[:], d.text)
}

func (d *fields) addr() netip.Addr {
	switch n := len(d.text); {
	case n == 0:
		return netip.Addr{}
	case n == 4:
		return netip.AddrFrom4([4]byte([]byte(d.text)))
	case n >= 16:
		return netip.AddrFrom16([16]byte([]byte(d.text[:16]))).WithZone(d.text[16:])
	}
	d.fail(fmt.Errorf("%w: address of %d bytes", ErrMalformed, len(d.text)))
	return netip.Addr{}
}

func (d *fields) numbers() []uint16 {
	if len(d.text)%2 != 0 {
		d.fail(fmt.Errorf("%w: list of %d bytes", ErrMalformed, len(d.text)))
		return nil
	}
	list := make([]uint16, len(d.text)/2)
	for i := range list {
		list[i] = uint16(d.text[2*i]) | uint16(d.text[2*i+1])<<8
	}
	return list
}

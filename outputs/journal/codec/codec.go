// Package codec writes events as bytes and reads them back. It is what the
// records of the journal hold.
//
// An encoded event is a sequence of fields. A field is a key and a value, and
// a key is an unsigned varint (encoding/binary):
//
//	key = tag<<1      the value is an unsigned varint: numbers, flags, times
//	key = tag<<1 | 1  the value is a varint length and that many bytes: texts,
//	                  addresses, ids, lists, and nested sequences of fields
//
// A field that is zero is not written, so what is absent stays absent. A
// decoder skips tags that it does not know: an older program reads what a
// newer one wrote, less the newer fields. A tag is never used for another
// meaning and never changes its form.
//
// Times have microseconds (event.Event) and are written as zigzag varints of
// Unix microseconds. Sequence number and epoch are not part of the encoding:
// they belong to the place where an event is stored.
//
// The encoding of an event is the same for the same event. Decoding what
// Append wrote gives an equal event, with nil for empty lists.
package codec

// The tags of an event.
const (
	tagID = 1 + iota
	tagTime
	tagNumber
	tagType
	tagCode
	tagSeverity
	tagConfidence
	tagDirection
	tagObservable
	tagIndicator
	tagKind
	tagTrail
	tagInfo
	tagReference
	tagSource // nested, repeated
	tagSrc
	tagDst
	tagSrcPort
	tagDstPort
	tagProtocol
	tagForwarded
	tagApplication
	tagQuestion
	tagQuestionType
	tagQuestionClass
	tagMethod
	tagHost
	tagTarget
	tagStatus
	tagUserAgent
	tagServerName
	tagSHA1
	tagSHA256
	tagInterface
	tagAlias
	tagVLANs
	tagAggregateID
	tagSummary
	tagCount
	tagFirst
	tagLast
	tagSrcPorts
	tagDstPorts
	tagDsts // repeated
	tagMoreSrcPorts
	tagMoreDstPorts
	tagMoreDsts
	tagTrails // repeated
	tagMoreTrails
	tagRule
	tagLocal
	tagState
	tagSince
	tagCause
	tagMeasure // nested, repeated
	tagCommunityID
	tagSrcGroup
	tagDstGroup
	tagOutcome
	tagRetroFirst
	tagRetroLast
	tagRetroHosts // repeated
	tagRCode
	tagHasRCode
	tagAnswers // repeated
	tagContentType
	tagBody
	tagJA3
	tagJA4
)

// The tags inside a source and inside a measure.
const (
	tagSourceName = 1 + iota
	tagSourceURL  // repeated
	tagSourceLastSeen
)

const (
	tagMeasureName  = 1 + iota
	tagMeasureValue // the bits of a float64, IEEE 754
	tagMeasureShare
)

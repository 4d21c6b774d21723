package quic

// Versions as they stand in the header.
const (
	Version1 = 0x00000001 // RFC 9000
	Version2 = 0x6b3343cf // RFC 9369

	draftMask = 0xff000000 // IETF drafts: the low byte is the draft's number

	mvfst22  = 0xfaceb001 // Facebook's own: draft 22
	mvfst27  = 0xfaceb002 // draft 27
	mvfstExp = 0xfaceb00e // draft 27

	googleQ050 = 0x51303530 // gQUIC with encrypted Initials: CHLO in them
	googleT050 = 0x54303530 // the same with TLS
	googleT051 = 0x54303531
)

// The salts that Initial secrets are extracted with: RFC 9001 5.2, RFC 9369
// 3.3.1, section 5.2 of the drafts of RFC 9001, and for Google's versions
// quic/core/crypto/crypto_utils.cc of Chromium.
const (
	salt1    = "\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a"
	salt2    = "\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9"
	salt29   = "\xaf\xbf\xec\x28\x99\x93\xd2\x4c\x9e\x97\x86\xf1\x9c\x61\x11\xe0\x43\x90\xa8\x99" // to draft 32
	salt23   = "\xc3\xee\xf7\x12\xc7\x2e\xbb\x5a\x11\xa7\xd2\x43\x2b\xb4\x63\x65\xbe\xf9\xf5\x02" // to draft 28
	salt22   = "\x7f\xbc\xdb\x0e\x7c\x66\xbb\xe9\x19\x3a\x96\xcd\x21\x51\x9e\xbd\x7a\x02\x64\x4a"
	saltQ050 = "\x50\x45\x74\xef\xd0\x66\xfe\x2f\x9d\x94\x5c\xfc\xdb\xd3\xa7\xf0\xd3\xb5\x6b\x45"
	saltT050 = "\x7f\xf5\x79\xe5\xac\xd0\x72\x91\x55\x80\x30\x4c\x43\xa2\x36\x7c\x60\x48\x83\x10"
	saltT051 = "\x7a\x4e\xde\xf4\xe7\xcc\xee\x5f\xa4\x50\x6c\x19\x12\x4f\xc8\xcc\xda\x6e\x03\x3d"
)

// salt returns the salt of a version. Unknown ones, reserved ones (0x?a?a?a?a)
// too, are taken for version 1 in another's clothes.
func salt(version uint32) string {
	switch version {
	case Version2:
		return salt2
	case mvfst22:
		return salt22
	case mvfst27, mvfstExp:
		return salt23
	case googleQ050:
		return saltQ050
	case googleT050:
		return saltT050
	case googleT051:
		return saltT051
	}
	if version&^0xff == draftMask {
		switch draft := version & 0xff; {
		case draft <= 22:
			return salt22
		case draft <= 28:
			return salt23
		case draft <= 32:
			return salt29
		}
	}
	return salt1
}

// known says whether the version is one whose packets are surely QUIC.
func known(version uint32) bool {
	switch version {
	case Version1, Version2, mvfst22, mvfst27, mvfstExp:
		return true
	}
	return version&^0xff == draftMask && version != draftMask || googleFrames(version)
}

// googleFrames says whether the plain text of an Initial holds gQUIC frames.
func googleFrames(version uint32) bool {
	return version == googleQ050 || version == googleT050 || version == googleT051
}

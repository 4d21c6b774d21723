package attack

import "bytes"

// rest tries what no window of three bytes stands for: rules around a rare
// character, which the standard library finds faster.
func (s *scan) rest() (found set) {
	if s.want&(1<<SQLInjection|1<<LDAPInjection) != 0 && bytes.IndexByte(s.text, '*') >= 0 {
		switch {
		case s.want.has(SQLInjection) && s.comment():
			found |= 1 << SQLInjection
		case s.want.has(LDAPInjection) && s.directory():
			found |= 1 << LDAPInjection
		}
	}
	if s.want.has(SSTI) && bytes.IndexByte(s.text, '$') >= 0 && s.template() {
		found |= 1 << SSTI
	}
	if s.want.has(DataLeakage) {
		if at := bytes.IndexByte(s.text, ':'); at >= 0 && s.hardware(at) {
			found |= 1 << DataLeakage
		} else if at := bytes.IndexByte(s.text, '@'); at >= 0 && s.addresses(at) {
			found |= 1 << DataLeakage
		}
	}
	return found
}

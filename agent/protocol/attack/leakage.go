package attack

import "bytes"

// leakageRules find what tells of a device or its owner.
var leakageRules = []rule{
	{word: "imei=", category: DataLeakage, check: func(s *scan, _, end int) bool { return s.times(end, 15, isDigit) }},
	{word: "imsi=", category: DataLeakage, check: func(s *scan, _, end int) bool { return s.times(end, 15, isDigit) }},
	{word: "iccid=", category: DataLeakage, check: func(s *scan, _, end int) bool { return s.times(end, 18, isAlnum) }},
	{word: "sim=", category: DataLeakage, check: func(s *scan, _, end int) bool { return s.times(end, 20, isDigit) }},
	{word: "telnum=", category: DataLeakage, check: subscriber},
	{word: "telcompany=", category: DataLeakage, check: subscriber},
}

func subscriber(s *scan, _, end int) bool { return s.any(end, isAlnum) || s.byteIs(end, '-') }

// hardware: the address of an interface behind one of three names.
func (s *scan) hardware(colon int) bool {
	for {
		if s.octets(colon-2) && (s.is(colon-6, "mac=") || s.is(colon-13, "macaddress=") || s.is(colon-6, "sid=")) {
			return true
		}
		n := bytes.IndexByte(s.text[colon+1:], ':')
		if n < 0 {
			return false
		}
		colon += n + 1
		s.steps += n + 1
	}
}

// octets reports whether six hexadecimal octets with colons between stand at i.
func (s *scan) octets(i int) bool {
	if i < 0 || len(s.text)-i < 17 {
		return false
	}
	for n, c := range s.text[i : i+17] {
		s.steps++
		if n%3 == 2 && c != ':' || n%3 != 2 && classes[c]&isHex == 0 {
			return false
		}
	}
	return true
}

const (
	addressCount = 4   // so many e-mail addresses
	addressGap   = 100 // with at most so many characters between
)

// addresses looks for four e-mail addresses with little between them. What an
// address takes before and behind its @ may vary: one of them, at an @, takes
// at least a character before and ends anywhere in a run of letters behind a
// dot. So for chains of each length the greatest end is kept that leaves room
// for what follows. at is the first @.
func (s *scan) addresses(at int) bool {
	var end, tight [addressCount]int // by length of the chain, less one; tight ends where the next @ stands
	for n := range end {
		end[n], tight[n] = -1, -1
	}
	for floor := 0; ; {
		start := at
		for start > floor && s.any(start-1, isLocal) {
			start--
		}
		s.steps += at - start + 1
		least, most, to := s.domain(at + 1)
		if start < at && least >= 0 {
			length := 0
			for length < addressCount-1 && end[length] >= 0 && end[length] >= start-addressGap {
				length++
			}
			if length == addressCount-1 {
				return true
			}
			for n := range end {
				end[n], tight[n] = max(end[n], tight[n]), -1
				if n > length {
					continue
				}
				if most < to || !s.byteIs(to, '@') {
					end[n] = most
				} else {
					tight[n] = most
					if before := s.endBefore(at+1, most); before >= least {
						end[n] = before
					}
				}
			}
		} else {
			for n := range end {
				end[n], tight[n] = max(end[n], tight[n]), -1
			}
		}
		n := bytes.IndexByte(s.text[to:], '@')
		if n < 0 {
			return false
		}
		s.steps += n + 1
		floor, at = at+1, to+n
	}
}

// domain reads what stands behind an @ from i on: the least and the greatest
// end of an address, -1 if it is none, and the end of the run of characters.
func (s *scan) domain(i int) (least, most, to int) {
	least, most, to = -1, -1, s.run(i, isDomain)
	for dot := i + 1; dot < to; dot++ {
		if s.text[dot] != '.' || !s.any(dot+1, isAlnum) || s.any(dot+1, isDigit) {
			continue
		}
		if least < 0 {
			least = dot + 2
		}
		for most = dot + 2; most < to && s.any(most, isAlnum) && !s.any(most, isDigit); {
			most++
		}
		s.steps += most - dot
		dot = most - 1
	}
	return least, most, to
}

// endBefore returns the greatest end of an address before most, -1 if there is
// none; i is where its domain starts.
func (s *scan) endBefore(i, most int) int {
	if s.text[most-2] != '.' {
		return most - 1
	}
	_, most, _ = s.domainIn(i, most-2)
	return most
}

// domainIn is domain of text[:to].
func (s *scan) domainIn(i, to int) (least, most, end int) {
	whole := s.text
	s.text = whole[:to]
	least, most, end = s.domain(i)
	s.text = whole
	return least, most, end
}

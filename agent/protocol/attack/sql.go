package attack

import "bytes"

var sqlRules = []rule{
	{word: "information_schema", category: SQLInjection},
	{word: "sysdatabases", category: SQLInjection},
	{word: "sysusers", category: SQLInjection},
	{word: "floor(rand(", category: SQLInjection},
	{word: "odbc;driver", category: SQLInjection},
	{word: "varchar(", category: SQLInjection},
	{word: "order by ", category: SQLInjection, check: orderBy},
	{word: "convert(", category: SQLInjection, check: wordStart},
	{word: "count(*)", category: SQLInjection, check: wordStart},
	{word: "sleep(", category: SQLInjection, check: wordStart},
	{word: "pg_sleep(", category: SQLInjection, check: wordStart},
	{word: "updatexml(", category: SQLInjection, check: wordStart},
	{word: "extractvalue(", category: SQLInjection, check: wordStart},
	{word: "union", category: SQLInjection, check: union},
	{word: "select", category: SQLInjection, check: selection},
	{word: "case", category: SQLInjection, check: caseWhen},
	{word: "waitfor", category: SQLInjection, check: waitFor},
	{word: "into", category: SQLInjection, check: intoFile},
	{word: "drop", category: SQLInjection, check: drop},
	{word: "and", category: SQLInjection, check: comparison},
	{word: "or", category: SQLInjection, check: comparison},
}

func thenDigit(s *scan, _, end int) bool { return s.any(end, isDigit) }

// orderBy: ORDER BY 10. In a form nothing but a column's number may follow: "in
// order by 1st of May".
func orderBy(s *scan, _, end int) bool {
	if !s.form || !s.any(end, isDigit) {
		return s.any(end, isDigit)
	}
	at := s.run(end, isDigit)
	return !s.any(at, isWord) && !s.any(s.run(at, isSpace), isWord)
}

// union: UNION SELECT, UNION ALL SELECT.
func union(s *scan, start, end int) bool {
	at := s.run(end, isSpace)
	if at == end || !wordStart(s, start, end) {
		return false
	}
	if all, ok := s.oneOf(at, "all"); ok {
		if at = s.run(all, isSpace); at == all {
			return false
		}
	}
	end, ok := s.oneOf(at, "select")
	return ok && wordEnd(s, at, end)
}

// selection: SELECT name FROM name, and SELECT … FROM … with one of three
// words behind, anything between.
func selection(s *scan, start, end int) bool {
	if !wordStart(s, start, end) || s.form && !statement(s, start, end) {
		return false
	}
	if s.byteIs(end, ' ') {
		name := end + 1
		if at := s.run(name, isWord); at > name {
			if to, ok := s.oneOf(at, " from "); ok && s.any(to, isWord) {
				return true
			}
		}
	}
	if s.selected || !wordEnd(s, start, end) {
		return false
	}
	s.selected = true
	from := s.lookForWord(end, "from")
	if from < 0 {
		return false
	}
	for _, word := range []string{"where", "group", "order"} {
		if s.lookForWord(from+4, word) >= 0 {
			return true
		}
	}
	return false
}

// statement tells SELECT of a statement from that of a sentence: it stands behind a
// parenthesis or a semicolon, or there is more than a word behind it.
func statement(s *scan, start, end int) bool {
	if !wordEnd(s, start, end) {
		return false
	}
	for start--; s.any(start, isSpace); start-- {
		s.steps++
	}
	if s.byteIs(start, '(') || s.byteIs(start, ';') {
		return true
	}
	at := s.run(s.run(end, isSpace), isWord)
	return at < len(s.text) && bytes.IndexByte([]byte("(*,@`"), s.text[at]) >= 0
}

// caseWhen: CASE WHEN … THEN. In a form something is compared in between.
func caseWhen(s *scan, start, end int) bool {
	at := s.gap(end)
	if at == end || s.cased || !wordStart(s, start, end) || !s.is(at, "when") {
		return false
	}
	s.cased = true
	from := at + 4
	for at = from; ; at++ {
		if at = s.lookFor(at, "then"); at < 0 || wordEnd(s, at, at+4) {
			return at >= 0 && (!s.form || bytes.ContainsAny(s.text[from:at], "=<>("))
		}
	}
}

func waitFor(s *scan, start, end int) bool {
	at := s.gap(end)
	if at == end || !wordStart(s, start, end) {
		return false
	}
	end, ok := s.oneOf(at, "delay")
	return ok && wordEnd(s, at, end)
}

func drop(s *scan, start, end int) bool {
	at := s.gap(end)
	if at == end || !wordStart(s, start, end) {
		return false
	}
	end, ok := s.oneOf(at, "table", "database")
	return ok && wordEnd(s, at, end)
}

func intoFile(s *scan, start, end int) bool {
	at := s.run(end, isSpace)
	if at == end || !wordStart(s, start, end) {
		return false
	}
	_, ok := s.oneOf(at, "outfile", "dumpfile")
	return ok
}

// comparison: OR 1=1, AND '1'='1.
func comparison(s *scan, start, end int) bool {
	at := s.gap(end)
	if at == end || !wordStart(s, start, end) {
		return false
	}
	digits := at
	if at = s.run(digits, isDigit); at == digits {
		return false
	}
	if s.byteIs(at, '\'') || s.byteIs(at, '"') || s.byteIs(at, ')') || s.byteIs(at, ' ') {
		at++
	}
	if !s.byteIs(at, '=') && !s.byteIs(at, '>') && !s.byteIs(at, '<') {
		return false
	}
	at++
	if s.byteIs(at, '\'') || s.byteIs(at, '"') || s.byteIs(at, '(') || s.byteIs(at, ' ') {
		at++
	}
	return s.any(at, isDigit)
}

var (
	commentOpen  = []byte("/*")
	commentClose = []byte("*/")
)

// comment: one of three words and a comment, in either order.
func (s *scan) comment() bool {
	open := bytes.Index(s.text, commentOpen)
	if open < 0 {
		return false
	}
	first := bytes.Index(s.text[open+2:], commentClose)
	if first < 0 {
		return false
	}
	s.steps += 4 * len(s.text)
	first += open + 4
	last := bytes.LastIndex(s.text, commentClose)
	last = bytes.LastIndex(s.text[:last], commentOpen)
	return s.operator(0, last) || s.operator(first, len(s.text))
}

// operator reports whether text[i:end] holds AND, OR or SELECT as a word. No
// word reaches over i or end.
func (s *scan) operator(i, end int) bool {
	for i < end {
		if classes[s.text[i]]&isWord == 0 {
			i++
			continue
		}
		to := s.run(i, isWord)
		switch to - i {
		case 2, 3, 6:
			if got, ok := s.oneOf(i, "or", "and", "select"); ok && got == to {
				return true
			}
		}
		i = to
	}
	return false
}

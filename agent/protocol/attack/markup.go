package attack

import "bytes"

// markupRules are those of XML, PHP, scripts in pages, and entities.
var markupRules = []rule{
	{word: "/text()='", category: XMLInjection},
	{word: "<?php", category: PHPInjection},
	{word: "php://input", category: PHPInjection},
	{word: "<script", category: XSS, check: tagEnd},
	{word: "alert(", category: XSS, check: alert},
	{word: "confirm(", category: XSS, check: argument},
	{word: "prompt(", category: XSS, check: argument},
	{word: "onmouseover=", category: XSS, check: handler},
	{word: "onerror=", category: XSS, check: handler},
	{word: "onfocus=", category: XSS, check: handler},
	{word: "ontransitionend=", category: XSS, check: handler},
	{word: "[<!entity", category: XXE},
}

func tagEnd(s *scan, _, end int) bool {
	return s.tag.find(s, end, ">") < len(s.text)
}

func alert(s *scan, start, end int) bool {
	return wordStart(s, start, end) || argument(s, start, end)
}

// argument is one that a probe for scripts hands to a dialogue.
func argument(s *scan, _, end int) bool {
	if s.any(end, isDigit) || s.is(end, "document.") || s.is(end, "response.write(") {
		return true
	}
	return s.is(s.gap(end), "xss")
}

// handler: a call in the value of an event's attribute.
func handler(s *scan, _, end int) bool {
	if end >= len(s.text) || bytes.IndexByte([]byte("&;\n"), s.text[end]) >= 0 {
		return false
	}
	return s.byteIs(s.call.find(s, end+1, "(&;\n"), '(')
}

var (
	filterOpen     = []byte("(|(")
	expressionOpen = []byte("${")
	doubleClose    = []byte("}}")
)

// directory is LDAP injection: (|(name=*.
func (s *scan) directory() bool {
	for at := 0; ; {
		n := bytes.Index(s.text[at:], filterOpen)
		if n < 0 {
			return false
		}
		at += n + 3
		s.steps += n + 3
		if end := s.run(at, isWord); end > at && s.is(end, "=*") {
			return true
		}
	}
}

// template is SSTI: ${name}, ${{name}}.
func (s *scan) template() bool {
	last := -1 // where the last }} is, once looked for
	for at := 0; ; {
		n := bytes.Index(s.text[at:], expressionOpen)
		if n < 0 {
			return false
		}
		at += n + 2
		s.steps += n + 2
		if at >= len(s.text) {
			return false
		}
		if s.text[at] != '&' && s.byteIs(s.expression.find(s, at+1, "}&"), '}') {
			return true
		}
		if s.text[at] == '{' {
			if last < 0 {
				s.steps += len(s.text)
				if last = bytes.LastIndex(s.text, doubleClose); last < 0 {
					last = 0
				}
			}
			if last > at {
				return true
			}
		}
	}
}

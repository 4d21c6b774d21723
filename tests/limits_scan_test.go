package tests

import (
	"testing"

	. "trailhound/tests/corpus"
)

// Item 24: the parameters of one page are no segments of their own.
func TestLimit24QueryStrings(t *testing.T) { runCases(t, Limit(24)) }

// Item 27: a scan across what would be the border of two windows, and one in the
// last second of a capture.
func TestLimit27Windows(t *testing.T) { runCases(t, Limit(27)) }

// Item 28: a busy scanner from outside makes nothing of its own network the home.
func TestLimit28LocalPrefix(t *testing.T) { runCases(t, Limit(28)) }

// Item 29: scans are found whatever the number of workers; each case here and
// elsewhere runs with 1, 2, 3, 4 and 8.
func TestLimit29Workers(t *testing.T) { runCases(t, Limit(29)) }

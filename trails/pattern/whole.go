package pattern

// maxWhole is the longest text that is looked up as a whole.
const maxWhole = 63

// wholes are the patterns that match a few whole texts: \Aagent\Z.
type wholes struct {
	lengths uint64 // bit n: some text has n bytes
	entries map[string][]uint16
}

// add takes all texts of a pattern, in lower case; false if they are too many
// or too long.
func (w *wholes) add(id uint16, texts []string) bool {
	if len(texts) > maxProduct {
		return false
	}
	for _, text := range texts {
		if len(text) > maxWhole {
			return false
		}
	}
	if w.entries == nil {
		w.entries = make(map[string][]uint16)
	}
	for _, text := range texts {
		w.lengths |= 1 << len(text)
		w.entries[text] = append(w.entries[text], id)
	}
	return true
}

// find gives the patterns for a text; most lengths are no pattern's.
func (w *wholes) find(text []byte) []uint16 {
	if len(text) > maxWhole || w.lengths>>len(text)&1 == 0 {
		return nil
	}
	var buf [maxWhole]byte
	for i, c := range text {
		buf[i] = lower(c)
	}
	return w.entries[string(buf[:len(text)])]
}

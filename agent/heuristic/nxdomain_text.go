package heuristic

// texts keeps names of up to 255 bytes in chains of blocks.
type texts struct {
	blocks []textBlock // the first is never used: 0 is no text
	free   uint32      // a chain
	left   int         // blocks in it
}

const (
	textBlockBytes = 32
	textRoom       = textBlockBytes - 4
)

// textBlock is a part of a text. The first byte of a text is its length.
type textBlock struct {
	next uint32
	text [textRoom]byte
}

func makeTexts(bytes int) texts {
	n := max(bytes/textBlockBytes, 2)
	t := texts{blocks: make([]textBlock, n), free: 1, left: n - 1}
	for i := 1; i < n-1; i++ {
		t.blocks[i].next = uint32(i + 1)
	}
	return t
}

// blocksOf is how many blocks a text of so many bytes takes.
func blocksOf(length int) int { return (1 + length + textRoom - 1) / textRoom }

// put keeps a text and gives its place; 0: there is no room.
func (t *texts) put(text []byte) uint32 {
	n := blocksOf(len(text))
	if n > t.left || len(text) > 255 {
		return 0
	}
	t.left -= n
	at := t.free
	b := &t.blocks[at]
	b.text[0] = byte(len(text))
	text = text[copy(b.text[1:], text):]
	for len(text) > 0 {
		b = &t.blocks[b.next]
		text = text[copy(b.text[:], text):]
	}
	t.free, b.next = b.next, 0
	return at
}

// append appends a text.
func (t *texts) append(dst []byte, at uint32) []byte {
	b := &t.blocks[at]
	left := int(b.text[0])
	n := min(left, textRoom-1)
	dst = append(dst, b.text[1:1+n]...)
	for left -= n; left > 0; left -= n {
		b = &t.blocks[b.next]
		n = min(left, textRoom)
		dst = append(dst, b.text[:n]...)
	}
	return dst
}

// remove gives a text's room back.
func (t *texts) remove(at uint32) {
	last := &t.blocks[at]
	t.left++
	for last.next != 0 {
		last = &t.blocks[last.next]
		t.left++
	}
	last.next, t.free = t.free, at
}

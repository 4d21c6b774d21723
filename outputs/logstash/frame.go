package logstash

import (
	"encoding/binary"
	"fmt"

	"github.com/klauspost/compress/zlib"

	"trailhound/agent/event"
)

// Frames of Lumberjack version 2, as the Beats send and Logstash's beats input
// reads them: a byte with the version, a byte with the kind, numbers in network
// byte order.
//
//	2 W count                how many events follow before an acknowledgement
//	2 J sequence length text one event; the sequence counts from 1 in each window
//	2 C length zlib          frames, compressed; one for the whole window
//	2 A sequence             from the receiver: it has all events up to this one;
//	                         0: it is still busy with the window
const (
	version         = '2'
	kindWindow      = 'W'
	kindJSON        = 'J'
	kindCompressed  = 'C'
	kindAcknowledge = 'A'

	shortHeader = 6  // W, C, A
	jsonHeader  = 10 // J
)

// windowBytes is how much text a window holds before its last event; what the
// receiver has to keep is that and one event.
const windowBytes = 4 << 20

// encoder appends one event as JSON, without LF.
type encoder func(dst []byte, e *event.Event, step int) []byte

// framer makes windows. Its buffers are used again, so a window is valid until
// the next one is made.
type framer struct {
	encode encoder
	zip    *zlib.Writer // nil: no compression
	plain  []byte       // the frames to be compressed
	out    buffer
}

func newFramer(encode encoder, level int) (*framer, error) {
	f := &framer{encode: encode}
	if level == 0 {
		return f, nil
	}
	zip, err := zlib.NewWriterLevel(&f.out, level)
	if err != nil {
		return nil, fmt.Errorf("compression: %w", err)
	}
	f.zip = zip
	return f, nil
}

// window makes the frames of as many events as fit into one window, and says how
// many those are: at least one.
func (f *framer) window(batch []event.Event) (frames []byte, n int) {
	f.out = appendHeader(f.out[:0], kindWindow, 0)
	if f.zip == nil {
		f.out, n = f.events(f.out, batch)
	} else {
		f.plain, n = f.events(f.plain[:0], batch)
		f.out = appendHeader(f.out, kindCompressed, 0)
		at := len(f.out)
		// Writing to memory cannot fail.
		f.zip.Reset(&f.out)
		f.zip.Write(f.plain)
		f.zip.Close()
		binary.BigEndian.PutUint32(f.out[at-4:], uint32(len(f.out)-at))
	}
	binary.BigEndian.PutUint32(f.out[2:], uint32(n))
	return f.out, n
}

func (f *framer) events(dst []byte, batch []event.Event) ([]byte, int) {
	start := len(dst)
	for i := range batch {
		if i > 0 && len(dst)-start >= windowBytes {
			return dst, i
		}
		dst = appendHeader(dst, kindJSON, i+1)
		at := len(dst)
		dst = f.encode(append(dst, 0, 0, 0, 0), &batch[i], 0)
		binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	}
	return dst, len(batch)
}

func appendHeader(dst []byte, kind byte, number int) []byte {
	return binary.BigEndian.AppendUint32(append(dst, version, kind), uint32(number))
}

// buffer is a slice that can be written to.
type buffer []byte

func (b *buffer) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}

// ackReader puts acknowledgements together from what a connection gives, however
// it is cut. Whatever the receiver sends, it holds six bytes.
type ackReader struct {
	frame [shortHeader]byte
	have  int
}

// rest is where the next bytes go.
func (a *ackReader) rest() []byte { return a.frame[a.have:] }

// add takes n bytes that were read into rest. It gives the sequence of an
// acknowledgement that is complete; ok is false when it is not yet. Anything
// else than an acknowledgement is an error.
func (a *ackReader) add(n int) (sequence uint32, ok bool, err error) {
	a.have += n
	if a.have > 0 && a.frame[0] != version || a.have > 1 && a.frame[1] != kindAcknowledge {
		return 0, false, fmt.Errorf("%w: the answer is no acknowledgement but begins with %q", errProtocol, a.frame[:a.have])
	}
	if a.have < len(a.frame) {
		return 0, false, nil
	}
	a.have = 0
	return binary.BigEndian.Uint32(a.frame[2:]), true, nil
}

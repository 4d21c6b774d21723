package detect

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"time"

	"trailhound/agent/event"
	"trailhound/agent/packet"
	"trailhound/trails"
)

// Bounds of the conversations that are watched for an answer.
const (
	maxWatched = 4096
	watchWays  = 16
	watchSets  = maxWatched / watchWays
	frontBits  = 1 << 16
	// answerGrace is how long after a question silence means something: what is
	// pushed out then was not answered.
	answerGrace = int64(5 * time.Second)
	// watchSlack is by how much frames may be out of order: what is over stays as
	// long, lest it depends on the frames of others.
	watchSlack = int64(30 * time.Second)
)

// watch holds the conversations that events were raised about until their answer
// came, or it is too late for one. Packets are held against its front first: a
// bit for all conversations of a client with a port of a server. Memory is taken
// with the first event.
type watch struct {
	n     int    // conversations that are watched, at most
	since int    // events since the front was made
	asked uint32 // packets that were held against the front
	seed  maphash.Seed
	front *[frontBits / 64]uint64
	// Hashes of the conversations by the low bits of the hash; 0: a free place.
	hashes *[watchSets][watchWays]uint64
	all    *[watchSets][watchWays]watched
}

// watched is a conversation.
type watched struct {
	base         uint64
	conversation event.Conversation
	over         int64 // Unix nanoseconds
	asked        int64 // since when it waits
	waiting      bool  // for an answer, also after a refusal: it may be tried again, or the refusal be made up
	refused      bool  // which was told
	status       bool  // waiting for the status of an HTTP response
}

// open says whether something is waited for.
func (e *watched) open(at int64) bool { return e.over >= at && (e.waiting || e.status) }

// Odd numbers without a pattern (digits of pi).
const (
	mixA = 0x243F6A8885A308D3
	mixB = 0x13198A2E03707345
	mixC = 0xA4093822299F31D1
)

func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// conversation hashes what a packet shares with all others of its conversation:
// both addresses, as they stand in the IP header, the server's port, and the
// protocol. Reply says that the packet is the server's. It is 0 for a header that
// is not there.
func conversation(p *packet.Packet, reply bool, port uint16) uint64 {
	ip := p.IP
	if len(ip) < 20 {
		return 0
	}
	other := (uint64(port)<<8 | uint64(p.Proto)) ^ mixB
	if ip[0]>>4 == 4 {
		pair := binary.LittleEndian.Uint64(ip[12:20])
		if !reply {
			pair = bits.RotateLeft64(pair, 32)
		}
		return mix(pair^mixA, other)
	}
	if len(ip) < 40 {
		return 0
	}
	src := mix(binary.LittleEndian.Uint64(ip[8:])^mixA, binary.LittleEndian.Uint64(ip[16:])^mixC)
	dst := mix(binary.LittleEndian.Uint64(ip[24:])^mixA, binary.LittleEndian.Uint64(ip[32:])^mixC)
	if !reply {
		src, dst = dst, src
	}
	return mix(src+bits.RotateLeft64(dst, 32), other)
}

// hashOf is the place of a connection from a client's port.
func (w *watch) hashOf(base uint64, client uint16) uint64 {
	return mix(base^mixA, mixC^uint64(client)) | 1
}

// hashOfQuestion is the place of a conversation of DNS about one question.
func (w *watch) hashOfQuestion(base uint64, question []byte, qtype uint16) uint64 {
	return mix(base^maphash.Bytes(w.seed, question), mixC^uint64(qtype)) | 1
}

// maybe says whether the packet may be an answer to something.
func (w *watch) maybe(p *packet.Packet) bool {
	bit := conversation(p, true, p.SrcPort) >> 48
	return w.front[bit>>6]>>(bit&63)&1 != 0
}

// find gives the conversation with a hash, unless it is over.
func (w *watch) find(hash uint64, at int64) *watched {
	set := hash >> 1 % watchSets
	for i, h := range &w.hashes[set] {
		if h != hash {
			continue
		}
		if e := &w.all[set][i]; e.over >= at {
			return e
		}
		w.free(set, i)
		return nil
	}
	return nil
}

// free forgets a conversation. The last one to go clears the front.
func (w *watch) free(set uint64, i int) {
	w.hashes[set][i], w.all[set][i] = 0, watched{}
	if w.n--; w.n == 0 {
		clear(w.front[:])
		w.since = 0
	}
}

// sweep forgets what is over, and makes the front anew.
func (w *watch) sweep(at int64) {
	clear(w.front[:])
	w.since = 0
	for set := range w.hashes {
		for i, h := range &w.hashes[set] {
			if h == 0 {
				continue
			}
			if e := &w.all[set][i]; e.over >= at-watchSlack {
				w.mark(e.base)
			} else {
				w.free(uint64(set), i)
			}
		}
	}
}

func (w *watch) mark(base uint64) {
	bit := base >> 48
	w.front[bit>>6] |= 1 << (bit & 63)
}

// place makes room for a conversation. Pushed out is one that has its answer, or
// else the one that is over first. Lost says that its answer may still come.
func (w *watch) place(hash uint64, at int64) (e *watched, pushed event.Conversation, lost bool) {
	set, way := hash>>1%watchSets, 0
	for i, h := range &w.hashes[set] {
		if h == 0 {
			way = i
			break
		}
		a, b := &w.all[set][i], &w.all[set][way]
		if of, than := a.open(at), b.open(at); !of && than || of == than && a.over < b.over {
			way = i
		}
	}
	e = &w.all[set][way]
	if w.hashes[set][way] != 0 {
		lost, pushed = e.over >= at && e.waiting && !e.refused && at-e.asked < answerGrace, e.conversation
	} else {
		w.n++
	}
	w.hashes[set][way], *e = hash, watched{}
	return e, pushed, lost
}

// watch waits for an answer to what the present packet, which raised an event,
// asks for. What a server said is an answer itself.
func (w *Worker) watch(e *event.Event) {
	f, p, t := &w.facts, &w.p, &w.watched
	c, ok := event.ConversationOf(e)
	if !ok || f.reply {
		return
	}
	if t.all == nil {
		t.seed, t.front = maphash.MakeSeed(), new([frontBits / 64]uint64)
		t.hashes, t.all = new([watchSets][watchWays]uint64), new([watchSets][watchWays]watched)
	}
	at := p.Time.UnixNano()
	if t.since++; t.since > maxWatched {
		t.sweep(at)
	}
	base := conversation(p, false, p.DstPort)
	hash := t.hashOf(base, p.SrcPort)
	if c.Question != "" {
		hash = t.hashOfQuestion(base, f.question, f.qtype)
	}
	known := t.find(hash, at)
	if known == nil {
		room, pushed, lost := t.place(hash, at)
		if lost {
			w.tell(event.Answer{Conversation: pushed, Outcome: event.OutcomeUnknown})
		}
		known = room
		known.base, known.conversation = base, c
		t.mark(base)
	}
	known.over = at + int64(w.Await)
	if !known.waiting {
		known.asked = at
	}
	known.waiting, known.refused = true, false
	known.status = known.status || f.app == "http"
}

// tell tells of an answer.
func (w *Worker) tell(a event.Answer) {
	a.Time, a.Number = w.p.Time.UTC().Truncate(time.Microsecond), w.p.Number
	w.Answer(a)
}

// answeredBy sets the outcome of an event that a server's packet raised: by what
// it says, or because it is the answer to what raised another. That the resolver
// answered says nothing of the host behind an address.
func (w *Worker) answeredBy(e *event.Event) {
	if e.Code == event.TrailDNSAnswer || e.Code == event.TrailIPAnswer {
		return
	}
	server := w.facts.reply || e.Kind == trails.Certificate
	if p, t := &w.p, &w.watched; !server && t.n > 0 {
		asked := t.find(t.hashOf(conversation(p, true, p.SrcPort), p.DstPort), p.Time.UnixNano())
		server = asked != nil && asked.conversation.Client == p.Dst && asked.conversation.Server == p.Src
	}
	if server {
		e.Outcome = event.Answered
	}
}

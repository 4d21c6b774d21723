// Package journal is the durable log of events: one goroutine appends, each
// output reads with a cursor of its own, at its own pace.
//
// # Promises
//
//   - What Append returned is kept against the end of the process however it
//     comes, and by the policy (Sync) against a loss of power.
//   - An epoch and a sequence number together name one event, for ever. Numbers
//     begin at 1, have no holes, and never go back. Whenever it is not certain
//     which numbers were given, they go on in a new epoch.
//   - For every cursor at every moment, over its life: last - start = delivered +
//     filtered + dead-lettered + evicted + quarantined + pending. Nothing is lost
//     without being counted there, and told as an Incident.
//   - It always starts and always appends, whatever the disk holds or does.
//   - It is bounded on disk (bytes, age, what must stay free), in memory (16 MiB
//     while the disk fails, 0.6 MiB for each cursor that reads), and in what it
//     believes: every length and number is checked before it is used.
//
// # Files
//
//	lock                      flock(2): one process writes
//	state                     epoch, where the journal begins and has got to (slots.go)
//	cursor-NAME               place and sums of one output, and what its last
//	                          heartbeat told (cursor_file.go, slots.go)
//	00000000000000000001.seg  a segment: the records from number 1 on
//	00000000000000090210.seg.bad   a segment in which damage was met
//	spare                     blocks for the next segment
//
// A segment is a header (segment.go) and records (record.go) one after the
// other: length, crc32c, number, time, event. A segment has an eighth of the
// bytes of the journal, at most 16 MiB, and goes as a whole. Its blocks are
// allocated when it is made, and those of the next one (spare) too, so that a
// full disk is met between segments and not inside one. Each header has a
// random salt, which begins the checksum of the segment's records: bytes that
// lie around from an earlier use of the blocks, or that an attacker got into an
// event, are never taken for records. So a reader that met damage may look for
// the next good record at every byte, and be certain of what it finds.
//
// Each header also names the segment before it and that one's last number.
// Opening reads the headers and the records of the last segment; damage in the
// middle is met by who reads there.
//
// Cursors and state are two slots in one file that take turns, each with a
// checksum and a generation: written in place, without new blocks, by one
// pwrite(2).
//
// # What happens when
//
// The process is killed inside a write: the last record is cut off. Append had
// not returned, no reader had seen it. The tail is cut; TornTail.
//
// The power goes: what was not synced is gone, or partly there. The tail is cut
// or its damage is counted. State or a cursor may have been written later than
// the records: then the numbers between are lost, quarantined for whom they
// were pending (Missing, CursorAhead). The boot id in the state differs, and
// the journal was not closed: new epoch, the numbers go on behind the highest
// one that anything knows of.
//
// A bit flips in the middle: the reader that meets it passes over what is not
// whole, counts those numbers as quarantined, and goes on with the next whole
// record. The file gets the suffix .bad and stays part of the journal until it
// is its turn to go. One copy of a header may be damaged; without both, the
// segment's records cannot be told from others, and all are quarantined.
//
// A segment is missing: its numbers are quarantined for whom they were pending;
// the first number is known from the state, the others from the chain. When the
// newest one is missing, nobody knows its last number: new epoch.
//
// A cursor is ahead of the data, because an older copy was put back: numbers go
// on behind the cursor in a new epoch; the others count what lies between as
// quarantined. A cursor's file is damaged in both slots: it begins at the oldest
// event, and some come twice. It is gone: the name is a new one.
//
// A bound is met: the oldest segment goes. Cursors are prefixes, so what
// everybody has delivered goes first by itself. Cursors that had not read it
// count it as evicted. Before a file goes, the cursors that have read in it and
// the mark of where the journal begins are synced: after a crash nothing that
// was delivered is taken for evicted, and nothing evicted for missing. Age is
// time that the sensor ran (clock.go): no jump of the clock makes an event old.
//
// The disk is full (ENOSPC, EDQUOT): Full is raised when the spare segment cannot
// be made, so there are up to two segments left. Then the oldest segment's
// blocks are used again in place if everybody has delivered it. Then events go
// to memory, 16 MiB of them, and to disk as soon as there is room. Only when
// that is full as well, something is lost: the oldest segment on disk gives its
// blocks to what is in memory. So the oldest events are lost, as with any bound
// of a journal, as late as possible; the price is that a process that is killed
// in that time loses the newest. Giving up the newest instead would lose
// the same number, and leave a SIEM blind for the present.
//
// The disk refuses otherwise (EIO, EROFS, a failed sync), or the directory
// cannot be used from the start: the segment ends at the last good write, events
// go to memory, the oldest there are given up when it is full; InMemory is
// raised. The disk is tried again after 1, 2, 4 ... 60 seconds. Then what is in
// memory becomes segments on disk, in order. Numbers given in memory are of an
// epoch of their own, for a crash would forget them.
//
// Another process has the lock: as before. Should the lock become free, the
// journal that is there has numbers of its own, which readers of this process
// do not know. So it stays in memory, and on Close what was not delivered is
// appended to the journal that is there.
//
// # Order of locks
//
// writing (append, roll, move to disk, other bounds), then evicting (give up a
// segment, write the state) or syncing, then a cursor's file, then mu (all that
// is known). Readers do not read files under a lock: they note whether the
// segment went in the meantime and then forget what they read.
//
// A View has no lock at all: the state says where the journal begins before a
// file goes, so what vanished while it looked is known to be evicted.
package journal

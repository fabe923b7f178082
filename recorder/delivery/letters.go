package delivery

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/varvehq/varve/history"
)

// maxLetters is how many dead letters of a subscription are kept, the newest by
// sequence.
const maxLetters = 10_000

// letters are the dead letters of one subscription: each a document, of which no
// more than the sequence is held in memory once it is written.
type letters struct {
	seqs   []history.Seq               // of all there are, ascending
	writes map[history.Seq]*DeadLetter // not yet written; nil: to be deleted
}

// put keeps a letter, and tells how many were dropped for it.
func (l *letters) put(letter *DeadLetter) (dropped int) {
	at, found := slices.BinarySearch(l.seqs, letter.Seq)
	if !found {
		l.seqs = slices.Insert(l.seqs, at, letter.Seq)
	}
	l.write(letter.Seq, letter)
	for len(l.seqs) > maxLetters {
		l.remove(l.seqs[0])
		dropped++
	}
	return dropped
}

func (l *letters) remove(seq history.Seq) {
	if at, found := slices.BinarySearch(l.seqs, seq); found {
		l.seqs = slices.Delete(l.seqs, at, at+1)
		l.write(seq, nil)
	}
}

func (l *letters) write(seq history.Seq, letter *DeadLetter) {
	if l.writes == nil {
		l.writes = map[history.Seq]*DeadLetter{}
	}
	l.writes[seq] = letter
}

// has reports whether there is a letter of that sequence.
func (l *letters) has(seq history.Seq) bool {
	_, found := slices.BinarySearch(l.seqs, seq)
	return found
}

// letterOf is what is kept of an entry that is given up.
func letterOf(e *entry, reason string, now history.Moment) *DeadLetter {
	first := e.first
	if first == 0 {
		first = now
	}
	return &DeadLetter{
		Seq: e.seq, Previous: e.previous, Key: e.key, RecordedAt: e.recorded, Attempts: e.attempts,
		FirstFailure: first, LastFailure: now, Reason: short(reason, maxFailureReason), FilterError: e.filterError,
	}
}

// Dead letters stand in a collection of each subscription, by sequence in as many
// digits as there may be.
func letterCollection(subscription string) string { return "dead-letter/" + subscription }

func letterName(seq history.Seq) string { return fmt.Sprintf("%020d", uint64(seq)) }

func (l *DeadLetter) encode() ([]byte, error) { return json.Marshal(l) }

func decodeLetter(doc history.Document) (DeadLetter, error) {
	seq, err := strconv.ParseUint(doc.Name, 10, 64)
	if err != nil {
		return DeadLetter{}, fmt.Errorf("dead letter %q: %w", doc.Name, err)
	}
	l := DeadLetter{Reason: "what is kept of it cannot be read"}
	if err := json.Unmarshal(doc.Body, &l); err != nil {
		l = DeadLetter{Reason: l.Reason}
	}
	l.Seq = history.Seq(seq)
	return l, nil
}

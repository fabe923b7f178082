package delivery

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
)

var withInside = cmp.AllowUnexported(progress{}, counts{}, entry{})

func someProgress(n int) (*progress, []*entry) {
	p := &progress{position: "here", read: 1 << 40, previous: 77, counts: counts{1, 2, 3, 4, 5, 6, 7, math.MaxUint64},
		lastDelivered: 5, lastFailure: Failure{At: -3, Seq: 9, Reason: "ä\n"}}
	var list []*entry
	for i := range n {
		e := &entry{seq: history.Seq(3 * (i + 1)), previous: history.Seq(2 * i), recorded: history.Moment(1e15 + rand.Int64N(1e6))}
		if i%3 == 0 {
			e.attempts, e.first, e.next = i+1, e.recorded+5, e.recorded+4
		}
		if i%5 == 0 {
			e.filterError = "undecided"
		}
		e.alone = i%7 == 0
		list = append(list, e)
	}
	return p, list
}

func TestProgressRoundTrips(t *testing.T) {
	for _, n := range []int{0, 1, 2, 500} {
		p, list := someProgress(n)
		gotP, got, err := decodeProgress(p.encode(list))
		if err != nil {
			t.Fatal(err)
		}
		if list == nil {
			list = []*entry{}
		}
		if d := cmp.Diff(p, gotP, withInside) + cmp.Diff(list, got, withInside); d != "" {
			t.Error(d)
		}
	}
}

// Whatever bit is lost, it is noticed.
func TestDamagedProgressIsNoticed(t *testing.T) {
	p, list := someProgress(20)
	whole := p.encode(list)
	for i := range whole {
		for bit := range 8 {
			b := bytes.Clone(whole)
			b[i] ^= 1 << bit
			if _, _, err := decodeProgress(b); !errors.Is(err, history.DataLoss) {
				t.Fatalf("byte %d, bit %d: %v", i, bit, err)
			}
		}
		if _, _, err := decodeProgress(whole[:i]); !errors.Is(err, history.DataLoss) {
			t.Fatalf("cut to %d bytes: %v", i, err)
		}
	}
	b := append([]byte{2}, whole[1:len(whole)-4]...)
	if _, _, err := decodeProgress(sealed(b)); !errors.Is(err, history.NewerFormat) {
		t.Error(err)
	}
}

func sealed(b []byte) []byte { return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b)) }

// A state with as much in it as there may be is still a document.
func TestFullProgressFits(t *testing.T) {
	p := &progress{position: history.Position(strings.Repeat("x", 100)), read: math.MaxInt64, lastFailure: Failure{Reason: strings.Repeat("ü", 1000)}}
	var list []*entry
	for i := range maxOutstanding + page {
		list = append(list, &entry{seq: history.Seq(i+1) << 40, attempts: 1000, alone: true, recorded: history.Moment(i) << 40, first: math.MaxInt64,
			next: 1, filterError: strings.Repeat("ü", 1000)})
	}
	body := p.encode(list)
	if len(body) > history.MaxDocument {
		t.Errorf("%d bytes", len(body))
	}
	_, got, err := decodeProgress(body)
	if err != nil || len(got) != len(list) {
		t.Errorf("%d, %v", len(got), err)
	}
}

func FuzzProgress(f *testing.F) {
	for _, n := range []int{0, 1, 20} {
		p, list := someProgress(n)
		b := p.encode(list)
		f.Add(b[:len(b)-4])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, list, err := decodeProgress(sealed(bytes.Clone(b)))
		if err != nil {
			if !errors.Is(err, history.DataLoss) && !errors.Is(err, history.NewerFormat) {
				t.Error(err)
			}
			return
		}
		again, listAgain, err := decodeProgress(p.encode(list))
		p.lastFailure.Reason = short(p.lastFailure.Reason, maxFailureReason)
		for _, e := range list {
			e.filterError = short(e.filterError, maxFilterError)
		}
		if d := cmp.Diff(p, again, withInside) + cmp.Diff(list, listAgain, withInside); err != nil || d != "" {
			t.Error(err, d)
		}
	})
}

func TestShort(t *testing.T) {
	for _, test := range []struct{ s, want string }{
		{"", ""}, {"abcdefgh", "abcdefgh"}, {"abcdefghi", "abcde…"}, {"aaaaüüü", "aaaa…"}, {"aaaüüü", "aaa…"}, {"a\xffb", "a?b"}, {"\x80\x80\x80\x80\x80\x80\x80\x80\x80", "…"},
	} {
		if got := short(test.s, 8); got != test.want {
			t.Errorf("%q: %q, want %q", test.s, got, test.want)
		}
	}
}

package history

import (
	"math"
	"strconv"
	"time"
)

// Moment is a point in time in whole microseconds since the Unix epoch, UTC.
// The zero Moment means "none given".
type Moment int64

// The moments a source may give: after the epoch, before the year 10000.
const (
	FirstMoment Moment = 1
	LastMoment  Moment = 253402300799999999

	// Newest is later than every moment: as a question, the newest state.
	Newest Moment = math.MaxInt64
)

// MomentOf cuts t to microseconds. The zero time gives the zero Moment.
func MomentOf(t time.Time) Moment {
	if t.IsZero() {
		return 0
	}
	return Moment(t.UnixMicro())
}

// Time returns m in UTC; the zero time for the zero Moment.
func (m Moment) Time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(m)).UTC()
}

// Valid reports whether a source may give m.
func (m Moment) Valid() bool { return m >= FirstMoment && m <= LastMoment }

// String is RFC 3339 in UTC with as many fractional digits as needed;
// "" for none, "now" for Newest.
func (m Moment) String() string {
	switch m {
	case 0:
		return ""
	case Newest:
		return "now"
	}
	return m.Time().Format(time.RFC3339Nano)
}

// Revision orders what the store learned: every accepted observation and every
// completed run has one, greater than all before it. Zero is before everything.
type Revision uint64

// String is decimal.
func (r Revision) String() string { return strconv.FormatUint(uint64(r), 10) }

// Seq numbers the changes of one partition, dense from 1.
type Seq uint64

// String is decimal.
func (s Seq) String() string { return strconv.FormatUint(uint64(s), 10) }

// At fixes a question on both axes of time. The zero At asks for the newest
// state as known now.
type At struct {
	Captured Moment   // zero: the newest state
	Known    Revision // zero: all that is known when the reader is made
}

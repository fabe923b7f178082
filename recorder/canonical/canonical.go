package canonical

// What [Limits] stand for when they are not set, and how far they can be raised.
const (
	DefaultMaxBytes = 16 << 20
	DefaultMaxDepth = 512

	// HighestMaxBytes keeps offsets within 32 bits, which halves the memory
	// that a large document takes.
	HighestMaxBytes = 1 << 30

	// HighestMaxDepth is the depth at which jsontext stops, so that whatever
	// is accepted here can also be read there.
	HighestMaxDepth = 10_000
)

// Limits bound the documents that are accepted. The zero value means the
// defaults; a value above the highest means the highest.
type Limits struct {
	// MaxBytes bounds the length of the source, white space included.
	MaxBytes int

	// MaxDepth bounds how many arrays and objects may be open at once:
	// a string has depth 0, [] has 1, {"a":[]} has 2.
	MaxDepth int
}

// effective returns the limits in force, defaults and bounds applied.
func (l Limits) effective() Limits {
	if l.MaxBytes <= 0 {
		l.MaxBytes = DefaultMaxBytes
	}
	if l.MaxDepth <= 0 {
		l.MaxDepth = DefaultMaxDepth
	}
	return Limits{
		MaxBytes: min(l.MaxBytes, HighestMaxBytes),
		MaxDepth: min(l.MaxDepth, HighestMaxDepth),
	}
}

// Append appends the canonical form of the document src to dst and returns the
// longer slice. It neither changes nor keeps src, which must not overlap the
// spare capacity of dst.
//
// If src is refused, Append returns dst as it was, and an [*Error].
//
// Any JSON value is a document, null and other scalars included. Append may be
// called by several goroutines at once.
func Append(dst, src []byte, lim Limits) ([]byte, error) {
	s := newScanner(dst, src, lim.effective())
	defer s.release()

	if err := s.document(); err != nil {
		return dst, err
	}
	return s.finish(), nil
}

// Form returns the canonical form of the document src in a slice of its own.
// It refuses what [Append] refuses.
func Form(src []byte, lim Limits) ([]byte, error) {
	form, err := Append(nil, src, lim)
	if err != nil {
		return nil, err
	}
	return form, nil
}

// IsCanonical reports whether src is a document in canonical form, at about the
// cost of reading it once. Limits other than the highest do not matter: a form
// that was accepted under generous limits stays canonical under narrow ones.
func IsCanonical(src []byte) bool {
	s := newScanner(nil, src, Limits{HighestMaxBytes, HighestMaxDepth})
	defer s.release()

	return s.document() == nil && s.untouched()
}

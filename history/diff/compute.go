package diff

import "fmt"

// Options choose how [Compute] writes a patch. Whatever they say, the patch
// applied to the first document gives the second. The zero value gives add,
// remove and replace operations, arrays compared index by index.
type Options struct {
	// LCS compares arrays by their longest common subsequence, so that elements
	// inserted or removed here and there cost one operation each. It is quadratic
	// and therefore bounded: what remains of two arrays between a common beginning
	// and a common end is compared this way if the product of its lengths is at
	// most 262,144 (512 × 512). If it is more, elements that occur once on each
	// side are taken as fixed points first, the stretches between them are
	// compared this way if they are small enough, and the others index by index.
	LCS bool

	// Factorize writes a member that is removed from an object and added to the
	// same object under another key as one move. It does not look further, and it
	// never writes a copy.
	Factorize bool

	// Tests puts a test of the old value before every remove, replace and move,
	// so that [Apply] refuses a document which is not the one compared.
	Tests bool
}

// Compute returns the patch that turns before into after. Values in it are
// canonical JSON with every digit of the documents.
//
// A nil or empty before means that there was no document: the patch is one add
// of the whole document at the empty path. A nil or empty after means that it is
// gone: the patch is one remove at the empty path. Equal documents, and two that
// do not exist, give an empty patch.
//
// Operations come in the order of the documents, keys sorted by their bytes,
// inner differences at the place of their container; among the operations on one
// array, removals at its end may come first. The error wraps [ErrDocument] and
// says which document it means.
func Compute(before, after []byte, opts Options) (Patch, error) {
	a, b, err := parseBoth(before, after)
	if err != nil {
		return nil, err
	}
	d := differ{opts: opts}
	switch {
	case a != nil && b != nil:
		d.compare(*a, *b)
	case a != nil:
		d.remove(*a)
	case b != nil:
		d.add(*b)
	}
	return d.patch(), nil
}

// parseBoth reads two documents; one that does not exist is nil.
func parseBoth(before, after []byte) (a, b *value, err error) {
	if a, err = parseOptional(before); err != nil {
		return nil, nil, fmt.Errorf("diff: before: %w", err)
	}
	if b, err = parseOptional(after); err != nil {
		return nil, nil, fmt.Errorf("diff: after: %w", err)
	}
	return a, b, nil
}

func parseOptional(raw []byte) (*value, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	v, err := parse(raw)
	if err != nil {
		return nil, err
	}
	return &v, nil
}

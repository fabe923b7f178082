package awsconfig

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"reflect"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/history"
)

// cursor is where an answer goes on: after something, as known at the revision
// that the first page saw.
type cursor struct {
	known history.Revision
	after string // the operation's own; empty on the first page
}

// A token holds a form, what it is bound to (caller, operation and question), the
// cursor, and a checksum against accidents: who forges one gets a page of what he
// may read anyway.
const (
	tokenForm  = 1
	boundBytes = 8
)

// next is the token that goes on after a cursor in the answer to a question.
func next(c Caller, question any, at cursor) string {
	b := append([]byte{tokenForm}, bound(c, question)...)
	b = binary.AppendUvarint(b, uint64(at.known))
	b = append(b, at.after...)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return base64.RawURLEncoding.EncodeToString(b)
}

// resume reads the token of a question, a pointer to its input; no token is the
// zero cursor. InvalidNextTokenException if it is none, or of another question.
func resume(c Caller, question any, token string) (cursor, error) {
	if token == "" {
		return cursor{}, nil
	}
	bad := refuse("InvalidNextTokenException", "The nextToken provided in the request is invalid; take it from the answer before, and ask the same again")
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) < 1+boundBytes+1+4 || b[0] != tokenForm {
		return cursor{}, bad
	}
	b, sum := b[:len(b)-4], b[len(b)-4:]
	if crc32.ChecksumIEEE(b) != binary.BigEndian.Uint32(sum) || string(b[1:1+boundBytes]) != string(bound(c, question)) {
		return cursor{}, bad
	}
	known, n := binary.Uvarint(b[1+boundBytes:])
	if n <= 0 {
		return cursor{}, bad
	}
	return cursor{history.Revision(known), string(b[1+boundBytes+n:])}, nil
}

// bound tells questions apart, but for what may differ from page to page.
func bound(c Caller, question any) []byte {
	v := reflect.ValueOf(question).Elem()
	asked := reflect.New(v.Type())
	asked.Elem().Set(v)
	for _, field := range []string{"NextToken", "Limit", "MaxResults"} {
		if f := asked.Elem().FieldByName(field); f.IsValid() {
			f.SetZero()
		}
	}
	text, _ := shape.Encode(asked.Interface()) // it was decoded
	h := sha256.New()
	for _, part := range []string{c.Account, c.Region, v.Type().Name(), string(text)} {
		h.Write(binary.AppendUvarint(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	return h.Sum(nil)[:boundBytes]
}

// pageOf is how many entries a page has that was asked for with a limit.
func pageOf(limit int32, usual int) int {
	if limit == 0 {
		return usual
	}
	return int(limit)
}

package webhook

import (
	"bytes"
	"sync"

	"github.com/klauspost/compress/gzip"
)

var writers = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is one
	return w
}}

// compressed is a body as it is sent, and its Content-Encoding, if it gets
// shorter.
func compressed(body []byte) ([]byte, string) {
	var out bytes.Buffer
	w := writers.Get().(*gzip.Writer)
	defer writers.Put(w)
	w.Reset(&out)
	if _, err := w.Write(body); err != nil {
		return body, ""
	}
	if err := w.Close(); err != nil || out.Len() >= len(body) {
		return body, ""
	}
	return out.Bytes(), "gzip"
}

package format

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"github.com/google/uuid"

	"github.com/varvehq/varve/recorder/delivery"
)

// eventID names the event of a notice: STORE/PARTITION/SEQUENCE/RECORDED, the
// last in microseconds since the epoch. It is the same for every subscription and
// every time it is told. A store that was restored gives sequences anew which the
// lost incarnation gave before; the moment of recording tells them apart.
func eventID(n *delivery.Notice) string {
	b := append([]byte(uuid.UUID(n.StoreID).String()), '/')
	b = append(strconv.AppendUint(b, uint64(n.Partition), 10), '/')
	b = append(strconv.AppendUint(b, uint64(n.Seq), 10), '/')
	return string(strconv.AppendInt(b, int64(n.RecordedAt), 10))
}

// messageID names what one subscription is told by one message: the same however
// often it is sent, another one for another subscription or other notices. It has
// letters, digits and an underscore only.
func messageID(notices []*delivery.Notice) string {
	h := sha256.New()
	var b []byte
	for _, n := range notices {
		b = append(b[:0], n.StoreID[:]...)
		b = binary.BigEndian.AppendUint32(b, uint32(len(n.Subscription)))
		b = append(b, n.Subscription...)
		b = binary.BigEndian.AppendUint16(b, n.Partition)
		b = binary.BigEndian.AppendUint64(b, uint64(n.Seq))
		b = binary.BigEndian.AppendUint64(b, uint64(n.RecordedAt))
		h.Write(b)
	}
	return "msg_" + hex.EncodeToString(h.Sum(nil)[:16])
}

package engine

import (
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// rowIDs makes the ids of log rows: of PocketBase's length and letters, and
// rising with time, so that a thousand of them lie on a few pages of the
// table's index. Random ones lie on a thousand, and each of these is written.
type rowIDs struct{ next atomic.Uint64 }

// newRowIDs begins anywhere, because another process may write to the table.
func newRowIDs() *rowIDs {
	ids := &rowIDs{}
	ids.next.Store(rand.Uint64())
	return ids
}

const (
	idDigits  = "0123456789abcdefghijklmnopqrstuvwxyz"
	idMoment  = 8 // digits of the time in milliseconds, enough until 2059
	idCounter = 7
)

// append writes the id of a row that is made now. Two are the same only 78
// billion rows later within the same millisecond.
func (ids *rowIDs) append(b []byte, now time.Time) []byte {
	var id [idMoment + idCounter]byte
	moment, count := uint64(now.UnixMilli()), ids.next.Add(1)
	for i := idMoment - 1; i >= 0; i-- {
		id[i], moment = idDigits[moment%36], moment/36
	}
	for i := len(id) - 1; i >= idMoment; i-- {
		id[i], count = idDigits[count%36], count/36
	}
	return append(b, id[:]...)
}

package engine

import (
	"context"
	"encoding/json/v2"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bungalow/hooks/kit/sqlite"
)

// TestNoAnswerIsOlderThanTheLastAcknowledgedWrite counts up in one record while
// others read it, and has SQLite begin its log anew all the time: then the
// header of the log changes before the commit that it belongs to can be read.
func TestNoAnswerIsOlderThanTheLastAcknowledgedWrite(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]*sqlite.Options{"the queue": {}, "plain connections": {NoQueue: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serveOn(t, o, "", everything)
			library(t, s, 40)
			must(t, tryExec(s, "PRAGMA wal_autocheckpoint = 1"))
			last := 60
			if n, err := strconv.Atoi(os.Getenv("BUNGALOW_TRUTH")); err == nil {
				last = n / 10
			}
			var acknowledged atomic.Int64
			ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
			defer stop()
			var readers sync.WaitGroup
			for _, path := range []string{"/api/collections/books/records/" + id("book3"), "/api/collections/books/records?filter=title%3D'counter'&fields="} {
				readers.Go(func() {
					for ctx.Err() == nil {
						least := acknowledged.Load()
						_, _, text := s.get(path, "")
						var shown struct {
							Pages int64
							Items []struct{ Pages int64 }
						}
						must(t, json.Unmarshal([]byte(text), &shown, json.MatchCaseInsensitiveNames(true)))
						if len(shown.Items) > 0 {
							shown.Pages = shown.Items[0].Pages
						}
						if shown.Pages < least && least > 0 {
							t.Errorf("%s shows %d after %d was acknowledged", path, shown.Pages, least)
							stop()
						}
					}
				})
			}
			for n := 1; n <= last && ctx.Err() == nil; n++ {
				must(t, tryExec(s, fmt.Sprintf("UPDATE books SET title='counter', pages=%d WHERE id='%s'", n, id("book3"))))
				acknowledged.Store(int64(n))
				for reads := Of(s.App).responses.hits.Load(); n%4 == 0 && Of(s.App).responses.hits.Load() == reads && ctx.Err() == nil; {
					time.Sleep(50 * time.Microsecond) // an answer comes from memory
				}
			}
			stop()
			readers.Wait()
		})
	}
}

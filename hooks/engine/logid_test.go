package engine

import (
	"regexp"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

func TestIdsOfLogRowsRiseWithTimeAndAreAsPocketBases(t *testing.T) {
	t.Parallel()
	ids, now, last := newRowIDs(), time.Now(), ""
	form := regexp.MustCompile(`^[a-z0-9]{15}$`)
	seen := map[string]bool{}
	for i := range 2000 {
		at := now.Add(time.Duration(i/20) * time.Millisecond)
		id := string(ids.append(nil, at))
		if !form.MatchString(id) || len(id) != core.DefaultIdLength || seen[id] {
			t.Fatalf("id %d is %q", i, id)
		}
		if i%20 == 0 {
			if id[:idMoment] <= last {
				t.Fatalf("%q does not come after %q", id, last)
			}
			last = id[:idMoment]
		}
		seen[id] = true
	}
	if other := string(newRowIDs().append(nil, now)); seen[other] {
		t.Errorf("%q again", other)
	}
}

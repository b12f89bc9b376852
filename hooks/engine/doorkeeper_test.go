package engine

import (
	"fmt"
	"testing"
)

func TestTheDoorkeeperKnowsWhoCameBefore(t *testing.T) {
	t.Parallel()
	d := newDoorkeeper()
	if d.again("a") || !d.again("a") || !d.again("a") || d.again("b") {
		t.Error("the second time is not the first to be let in")
	}
	for i := range 8 * remembered {
		d.again(fmt.Sprint("other", i))
	}
	if d.again("a") {
		t.Error("a key is remembered among many times as many as there are places")
	}
}

// Answers that are asked for once take no memory.
func TestWhatIsAskedForOnceIsNotKept(t *testing.T) {
	t.Parallel()
	s := serve(t, "", everything)
	library(t, s, 30)
	r := Of(s.App).responses
	before := r.cache.Len()
	for i := range 30 {
		s.get("/api/collections/books/records/"+id(fmt.Sprint("book", i)), "")
	}
	if n := r.cache.Len() - before; n > 0 {
		t.Errorf("%d answers are kept", n)
	}
	for range 2 {
		s.get("/api/collections/books/records/"+id("book1"), "")
	}
	if r.cache.Len() != before+1 || r.hits.Load() != 1 {
		t.Errorf("%d answers are kept, %d were served", r.cache.Len()-before, r.hits.Load())
	}
}

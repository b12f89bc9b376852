package comments_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"bungalow/hooks/comments"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

// What is remembered of threads and of blocked people is dropped with the
// write that changes it.
func TestWhatIsRememberedIsNeverOld(t *testing.T) {
	t.Parallel()
	site := newSite(t, nil)
	want := func(step string, status int) {
		t.Helper()
		if res, body := try(site, map[string]any{"body": "Words of the step " + step}); res.StatusCode != status {
			t.Errorf("%s: %d %s", step, res.StatusCode, body)
		}
	}
	page, err := site.FindFirstRecordByData(schema.Posts, "slug", "hello")
	if err != nil {
		t.Fatal(err)
	}
	set := func(name string, value any) {
		t.Helper()
		page.Set(name, value)
		if err := site.Save(page); err != nil {
			t.Fatal(err)
		}
	}
	want("open", http.StatusCreated)
	set("comments_open", false)
	want("closed in the post", http.StatusForbidden)
	set("comments_open", true)
	want("opened again", http.StatusCreated)
	if err := comments.SetThread(site.TestApp, thread, comments.PolicyClosed); err != nil {
		t.Fatal(err)
	}
	want("closed by a moderator", http.StatusForbidden)
	if err := comments.SetThread(site.TestApp, thread, ""); err != nil {
		t.Fatal(err)
	}
	want("as the site has it", http.StatusCreated)
	set("status", "draft")
	want("a draft", http.StatusNotFound)
	set("status", "published")
	want("published again", http.StatusCreated)
	stop := errors.New("stop")
	err = site.RunInTransaction(func(tx core.App) error {
		page.Set("comments_open", false)
		if err := tx.Save(page); err != nil {
			return err
		}
		if inside, err := comments.FindThread(tx, thread); err != nil || inside.Open() {
			t.Errorf("inside the transaction it is %+v, %v", inside, err)
		}
		return stop
	})
	if !errors.Is(err, stop) {
		t.Fatal(err)
	}
	want("after a change that was taken back", http.StatusCreated)
}

func TestBlockingAPersonHoldsAtOnce(t *testing.T) {
	t.Parallel()
	site := newSite(t, nil)
	first := post(t, site, nil)
	if first.Status != schema.CommentApproved {
		t.Fatalf("%+v", first)
	}
	if err := comments.Block(site.TestApp, by, first.ID); err != nil {
		t.Fatal(err)
	}
	if p := post(t, site, map[string]any{"body": "From the blocked mail address."}); p.Status != schema.CommentSpam {
		t.Errorf("by the mail address: %+v", p)
	}
	if p := post(t, site, map[string]any{"body": "From the same address of the network.", "author": "Bob", "email": "bob@example.org"}); p.Status != schema.CommentSpam {
		t.Errorf("by the network: %+v", p)
	}
	if err := comments.Unblock(site.TestApp, by, "ada@example.org"); err != nil {
		t.Fatal(err)
	}
	if p := post(t, site, map[string]any{"body": "After it was taken back."}); p.Status != schema.CommentApproved {
		t.Errorf("unblocked: %+v", p)
	}
}

// Many at once are written in common, and each is there.
func TestManyCommentsAtOnce(t *testing.T) {
	t.Parallel()
	site := newSite(t, nil)
	root := post(t, site, nil)
	var all sync.WaitGroup
	for i := range 60 {
		fields, want := map[string]any{"parent": root.ID, "body": chatter(12)}, http.StatusCreated
		if i%10 == 3 {
			fields["parent"], want = "nowhere00000000", http.StatusUnprocessableEntity
		}
		all.Go(func() {
			if res, body := try(site, fields); res.StatusCode != want {
				t.Errorf("%d: %d %s", i, res.StatusCode, body)
			}
		})
	}
	all.Wait()
	if l := list(t, site, ""); l.Count != 55 || len(l.Items) != 1 || len(l.Items[0].Replies) != 54 {
		t.Errorf("%d comments, %d at the top", l.Count, len(l.Items))
	}
	conserved(t, site)
	if _, page := site.Get(thread); !strings.Contains(page, "55 comments") {
		t.Error("the page does not count them")
	}
}

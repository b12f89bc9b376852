package comments_test

import (
	"testing"
	"time"

	"bungalow/hooks/comments"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

func TestImportKeepsThreadsDatesAndStatuses(t *testing.T) {
	t.Parallel()
	site := sitetest.New(t)
	at := time.Date(2012, 3, 4, 5, 6, 7, 0, time.UTC)
	batch := []comments.Imported{
		{SourceKey: "x:2", Parent: "x:1", Thread: "/blog/a/", Author: "Bob", HTML: "<p>answer</p>", Status: schema.CommentPending, At: at},
		{SourceKey: "x:1", Thread: "/blog/a/", Author: "Ada", Email: "ada@example.org", URL: "https://ada.example", HTML: `<p onclick="x">hi <script>1</script><a href="javascript:x">a</a> <a href="http://b.example">b</a></p>`, Status: schema.CommentApproved, At: at},
		{SourceKey: "x:3", Parent: "x:gone", Thread: "/blog/a/", URL: "javascript:x", HTML: "spam", Status: schema.CommentSpam},
	}
	for run, want := range [][2]int{{3, 0}, {0, 3}} {
		created, known, err := comments.Import(site.TestApp, batch)
		if err != nil || created != want[0] || known != want[1] {
			t.Fatalf("run %d: %d created, %d known, %v", run, created, known, err)
		}
	}
	get := func(key string) *core.Record {
		r, err := site.FindFirstRecordByData(schema.Comments, "source_key", key)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	first, answer, spam := get("x:1"), get("x:2"), get("x:3")
	if answer.GetString("parent") != first.Id || spam.GetString("parent") != "" {
		t.Errorf("threads: %q %q", answer.GetString("parent"), spam.GetString("parent"))
	}
	if !first.GetDateTime("created").Time().Equal(at) || !answer.GetDateTime("created").Time().Equal(at) {
		t.Errorf("dates: %v", first.GetDateTime("created"))
	}
	if got, want := first.GetString("html"), `<p>hi a <a href="http://b.example" rel="nofollow ugc noopener">b</a></p>`; got != want {
		t.Errorf("html %s, want %s", got, want)
	}
	if spam.GetString("url") != "" || first.GetString("url") == "" || spam.GetString("status") != schema.CommentSpam {
		t.Errorf("%v", spam.FieldsData())
	}
}

func FuzzClean(f *testing.F) {
	f.Add(`<p>a <a href="x" rel="nofollow ugc noopener">b</a><script>c`)
	f.Fuzz(func(t *testing.T, html string) {
		if once := comments.Clean(html); comments.Clean(once) != once {
			t.Errorf("%q: %q, then %q", html, once, comments.Clean(once))
		}
	})
}

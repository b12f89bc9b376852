package moving_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bungalow/hooks/comments/moving"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/dbx"
	"github.com/spf13/cobra"
)

const disqus = `<?xml version="1.0"?><disqus xmlns="http://disqus.com" xmlns:dsq="http://disqus.com/disqus-internals">
<thread dsq:id="2"><id>a</id><link>https://old.example/posts/hello.html?x=1</link><title>Hello</title></thread>
<post dsq:id="5"><message><![CDATA[<p>An <b>answer</b><script>alert(1)</script></p>]]></message><createdAt>2013-10-11T06:51:33Z</createdAt><isDeleted>false</isDeleted><isSpam>false</isSpam><author><email>b@example.org</email><name>Bob</name></author><thread dsq:id="2"/><parent dsq:id="4"/></post>
<post dsq:id="4"><message>First</message><createdAt>2013-10-10T19:20:29Z</createdAt><isDeleted>false</isDeleted><isSpam>false</isSpam><author><name>Ada</name></author><thread dsq:id="2"/></post>
<post dsq:id="6"><message>Buy</message><createdAt>2013-10-10T19:20:29Z</createdAt><isDeleted>false</isDeleted><isSpam>true</isSpam><author><name>x</name></author><thread dsq:id="2"/></post>
<post dsq:id="7"><message>Lost</message><isDeleted>false</isDeleted><isSpam>false</isSpam><author><name>x</name></author><thread dsq:id="99"/></post>
</disqus>`

const remark = `{"version":1,"users":[],"posts":[]}
{"id":"a","pid":"","text":"<p>Hi</p>","user":{"name":"Ada"},"locator":{"url":"https://old.example/posts/hello.html"},"score":3,"time":"2020-01-02T03:04:05.123+02:00","pin":true}
{"id":"b","pid":"a","text":"","orig":"*Well*","user":{"name":"Bob"},"locator":{"url":"https://old.example/posts/hello.html"},"time":"2020-01-02T04:04:05Z"}
{"id":"c","pid":"a","text":"gone","user":{"name":"Eve"},"locator":{"url":"https://old.example/posts/hello.html"},"time":"2020-01-02T04:04:05Z","delete":true}
`

var rules = moving.Options{Map: []string{"https://old.example/posts/hello.html=/blog/hello/"}}

func newSite(t *testing.T) *sitetest.Site {
	t.Helper()
	site := sitetest.New(t)
	sitetest.Make(t, site, schema.Posts, map[string]any{"title": "Hello", "slug": "hello", "body": "x", "status": "published", "comments_open": true})
	return site
}

func TestDisqusKeepsThreadsDatesAuthorsAndStatuses(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	items, err := moving.Disqus(strings.NewReader(disqus))
	if err != nil {
		t.Fatal(err)
	}
	for run, want := range [][2]int{{3, 0}, {0, 3}} {
		report, err := moving.Import(context.Background(), site.TestApp, items, rules)
		if err != nil || report.Created != want[0] || report.Known != want[1] || len(report.Skipped) != 1 || report.Read != 4 || len(report.Notes) != 0 {
			t.Errorf("run %d: %+v %v", run, report, err)
		}
	}
	answer, _ := site.FindFirstRecordByData(schema.Comments, "source_key", "disqus:5")
	first, _ := site.FindFirstRecordByData(schema.Comments, "source_key", "disqus:4")
	if answer.GetString("parent") != first.Id || answer.GetString("root") != first.Id || answer.GetString("thread") != "/blog/hello/" ||
		answer.GetString("html") != "<p>An <b>answer</b></p>" || answer.GetDateTime("created").String() != "2013-10-11 06:51:33.000Z" || answer.GetString("email") != "b@example.org" {
		t.Errorf("%v", answer.FieldsData())
	}
	if n, _ := site.CountRecords(schema.Comments, dbx.HashExp{"status": schema.CommentSpam}); n != 1 {
		t.Errorf("%d are spam", n)
	}
	if _, page := site.Get("/blog/hello/"); !strings.Contains(page, "2 comments") {
		t.Error("the page does not show them")
	}
}

func TestRemark42KeepsVotesAndWhatWasDeleted(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(remark))
	_ = z.Close()
	items, err := moving.Remark42(&packed)
	if err != nil {
		t.Fatal(err)
	}
	report, err := moving.Import(context.Background(), site.TestApp, items, rules)
	if err != nil || report.Created != 3 {
		t.Fatalf("%+v %v", report, err)
	}
	a, _ := site.FindFirstRecordByData(schema.Comments, "source_key", "remark42:a")
	c, _ := site.FindFirstRecordByData(schema.Comments, "source_key", "remark42:c")
	if a.GetInt("votes") != 3 || !a.GetBool("pinned") || a.GetDateTime("created").String() != "2020-01-02 01:04:05.123Z" || c.GetString("status") != schema.CommentTrash || c.GetString("author") != "" {
		t.Errorf("%v %v", a.FieldsData(), c.FieldsData())
	}
}

func TestIssoIsReadFromItsDatabase(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	path := filepath.Join(t.TempDir(), "comments.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		`CREATE TABLE threads (id INTEGER PRIMARY KEY, uri VARCHAR(256), title VARCHAR(256))`,
		`CREATE TABLE comments (tid REFERENCES threads(id), id INTEGER PRIMARY KEY, parent INTEGER, created FLOAT, modified FLOAT, mode INTEGER, remote_addr VARCHAR, text VARCHAR, author VARCHAR, email VARCHAR, website VARCHAR, likes INTEGER DEFAULT 0, dislikes INTEGER DEFAULT 0, voters BLOB)`,
		`INSERT INTO threads VALUES (1, '/blog/hello/', 'Hello')`,
		`INSERT INTO comments (tid, id, parent, created, mode, text, author, likes, dislikes) VALUES (1, 1, NULL, 1500000000.5, 1, '**Hi** <b>x</b>', 'Ada', 5, 2), (1, 2, 1, 1500000100, 2, 'waits', NULL, 0, 0), (1, 3, 1, 1500000200, 4, '', NULL, 0, 0)`,
	} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	_ = db.Close()
	items, err := moving.Isso(path)
	if err != nil {
		t.Fatal(err)
	}
	report, err := moving.Import(context.Background(), site.TestApp, items, moving.Options{})
	if err != nil || report.Created != 3 {
		t.Fatalf("%+v %v", report, err)
	}
	one, _ := site.FindFirstRecordByData(schema.Comments, "source_key", "isso:1")
	two, _ := site.FindFirstRecordByData(schema.Comments, "source_key", "isso:2")
	if one.GetString("html") != "<p><strong>Hi</strong> &lt;b&gt;x&lt;/b&gt;</p>" || one.GetInt("votes") != 3 || two.GetString("status") != schema.CommentPending || two.GetString("parent") != one.Id {
		t.Errorf("%v %v", one.FieldsData(), two.FieldsData())
	}
	other := filepath.Join(t.TempDir(), "x.db")
	_ = os.WriteFile(other, []byte("no database"), 0o600)
	if _, err := moving.Isso(other); !errors.Is(err, moving.ErrBroken) {
		t.Errorf("another file: %v", err)
	}
}

func TestWhatIsLetOutComesBack(t *testing.T) {
	t.Parallel()
	from, to := newSite(t), newSite(t)
	items, _ := moving.Disqus(strings.NewReader(disqus))
	if _, err := moving.Import(context.Background(), from.TestApp, items, rules); err != nil {
		t.Fatal(err)
	}
	var first, second bytes.Buffer
	if n, err := moving.Export(from.TestApp, &first); err != nil || n != 3 {
		t.Fatalf("%d %v", n, err)
	}
	items, err := moving.Lines(bytes.NewReader(first.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if report, err := moving.Import(context.Background(), to.TestApp, items, moving.Options{DryRun: true}); err != nil || report.Created != 3 {
		t.Errorf("%+v %v", report, err)
	}
	if n, _ := to.CountRecords(schema.Comments); n != 0 {
		t.Errorf("a dry run wrote %d", n)
	}
	if report, err := moving.Import(context.Background(), to.TestApp, items, moving.Options{}); err != nil || report.Created != 3 {
		t.Errorf("%+v %v", report, err)
	}
	if _, err := moving.Export(to.TestApp, &second); err != nil || strings.Count(second.String(), "\n") != strings.Count(first.String(), "\n") || !strings.Contains(second.String(), "2013-10-11 06:51:33") {
		t.Errorf("%s %v", second.String(), err)
	}
}

// A file that is cut at any byte gives a report and moves nothing in.
func TestACutFileBringsNothing(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	items, _ := moving.Disqus(strings.NewReader(disqus))
	_, _ = moving.Import(context.Background(), site.TestApp, items, rules)
	var out bytes.Buffer
	_, _ = moving.Export(site.TestApp, &out)
	brokenAnywhere(t, disqus, moving.Disqus)
	brokenAnywhere(t, out.String(), moving.Lines)
}

// brokenAnywhere cuts a file that is whole at every byte.
func brokenAnywhere(t *testing.T, whole string, read func(io.Reader) ([]moving.Item, error)) {
	t.Helper()
	if _, err := read(strings.NewReader(whole)); err != nil {
		t.Fatal(err)
	}
	for n := range len(strings.TrimSpace(whole)) - 1 {
		if _, err := read(strings.NewReader(whole[:n])); !errors.Is(err, moving.ErrBroken) {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
}

// The command says so, exits with an error and has written nothing.
func TestTheCommandReportsACutFile(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	file := filepath.Join(t.TempDir(), "cut.xml")
	for _, cut := range []int{0, 1, len(disqus) / 3, len(disqus) / 2, strings.LastIndex(disqus, "<post"), len(disqus) - 2} {
		if err := os.WriteFile(file, []byte(disqus[:cut]), 0o600); err != nil {
			t.Fatal(err)
		}
		text, err := run(site, "disqus", file)
		if !errors.Is(err, moving.ErrBroken) || !strings.Contains(text, "nothing was moved in") {
			t.Errorf("cut at %d: %q %v", cut, text, err)
		}
		if n, _ := site.CountRecords(schema.Comments); n != 0 {
			t.Fatalf("cut at %d: %d comments were moved in", cut, n)
		}
	}
	if err := os.WriteFile(file, []byte(disqus), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		args []string
		says string
		rows int64
	}{
		{[]string{"--dry-run", "--map", rules.Map[0]}, "nothing was changed", 0},
		{[]string{"--map", rules.Map[0]}, "3 created in 1 threads, 0 here already, 1 skipped", 3},
		{[]string{"--map", rules.Map[0], "--json"}, `"known": 3`, 3},
		{[]string{"--map", "nonsense"}, "", 3},
	} {
		text, err := run(site, "disqus", append([]string{file}, step.args...)...)
		n, _ := site.CountRecords(schema.Comments)
		if !strings.Contains(text, step.says) || n != step.rows || (err != nil) != (step.says == "") {
			t.Errorf("%v: %q %v, %d comments", step.args, text, err, n)
		}
	}
}

// run runs an import command as `import` would, and gives what it printed.
func run(site *sitetest.Site, kind string, args ...string) (string, error) {
	var out bytes.Buffer
	parent := &cobra.Command{Use: "import", SilenceErrors: true, SilenceUsage: true}
	parent.PersistentFlags().Bool("dry-run", false, "")
	parent.PersistentFlags().Bool("json", false, "")
	parent.AddCommand(moving.Imports(site.TestApp)...)
	parent.SetOut(&out)
	parent.SetErr(&out)
	parent.SetArgs(append([]string{kind}, args...))
	err := parent.ExecuteContext(context.Background())
	return out.String(), err
}

func TestTheCommandLetsCommentsOut(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	items, _ := moving.Disqus(strings.NewReader(disqus))
	if _, err := moving.Import(context.Background(), site.TestApp, items, rules); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "comments.jsonl")
	export := func(to string) (string, error) {
		var out bytes.Buffer
		c := moving.Exports(site.TestApp)
		c.SilenceErrors, c.SilenceUsage = true, true
		c.SetOut(&out)
		c.SetArgs([]string{to})
		err := c.ExecuteContext(context.Background())
		return out.String(), err
	}
	if text, err := export(file); err != nil || !strings.Contains(text, "3 comments are in") {
		t.Errorf("%q %v", text, err)
	}
	if _, err := export(file); err == nil || !strings.Contains(err.Error(), "name that is free") {
		t.Errorf("a file that is there is written over: %v", err)
	}
	raw, _ := os.ReadFile(file)
	if text, err := export("-"); err != nil || text != string(raw) {
		t.Errorf("to the standard output: %q %v", text, err)
	}
}

func TestTheMaterialOfDisqusIsReadWhole(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join(sitetest.Material(t, "disqus"), "disqus.xml"))
	if err != nil {
		t.Fatal(err)
	}
	brokenAnywhere(t, string(raw), moving.Disqus)
	items, err := moving.Disqus(bytes.NewReader(raw))
	if err != nil || len(items) < 6 {
		t.Fatalf("%d items, %v", len(items), err)
	}
	site := newSite(t)
	report, err := moving.Import(context.Background(), site.TestApp, items, moving.Options{})
	if err != nil || report.Created+len(report.Skipped) != report.Read || len(report.Skipped) == 0 {
		t.Errorf("%+v %v", report, err)
	}
}

func FuzzReaders(f *testing.F) {
	f.Add(disqus)
	f.Add(remark)
	f.Add(`{"bungalow":"comments 1","count":1}` + "\n" + `{"id":"x","status":"approved","thread":"/a/"}`)
	f.Fuzz(func(t *testing.T, s string) {
		for _, read := range []func() ([]moving.Item, error){
			func() ([]moving.Item, error) { return moving.Disqus(strings.NewReader(s)) },
			func() ([]moving.Item, error) { return moving.Remark42(strings.NewReader(s)) },
			func() ([]moving.Item, error) { return moving.Lines(strings.NewReader(s)) },
		} {
			if _, err := read(); err != nil && !errors.Is(err, moving.ErrBroken) {
				t.Errorf("%v", err)
			}
		}
	})
}

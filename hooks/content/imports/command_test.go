package imports_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"bungalow/hooks/content/imports"
	"bungalow/hooks/kit/safehttp"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
)

// command runs `import …` and returns what it wrote.
func command(site *sitetest.Site, args ...string) (string, error) {
	c := imports.Command(site, importer{})
	var out bytes.Buffer
	c.SetOut(&out)
	c.SetErr(&out)
	c.SilenceUsage, c.SilenceErrors = true, true
	c.SetArgs(args)
	err := c.Execute()
	return out.String(), err
}

func TestCommandReports(t *testing.T) {
	t.Parallel()
	site := sitetest.New(t)
	file := export(t)
	dry, err := command(site, "wordpress", file, "--dry-run", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var report imports.Report
	if err := json.Unmarshal([]byte(dry), &report); err != nil {
		t.Fatalf("%v in %s", err, dry)
	}
	skipped := 0
	for _, c := range report.Counts {
		skipped += c.Skipped
	}
	if !report.DryRun || report.Counts[imports.KindPost].Created != 5 || skipped != len(report.Skipped) || len(state(t, site)) != 0 {
		t.Errorf("%+v", report)
	}
	text, err := command(site, "wordpress", file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"posts              5         0         0         0         0\n", "\nSkipped (4):\n", "it is a pingback, an automatic note of another site",
		`media "https://small.example/a.jpg": it stays at its address; --media brings it here`, `post "Locked": it was protected by a password and is a draft now`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}

func TestCommandFails(t *testing.T) {
	t.Parallel()
	site := sitetest.New(t)
	cut := filepath.Join(t.TempDir(), "cut.xml")
	if err := os.WriteFile(cut, []byte("<rss><channel><item><title>a</title>"), 0o644); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"open what is to be moved in":    {"ghost", "testdata/nothing.json"},
		"not everything could be read":   {"wordpress", cut},
		"accepts 1 arg(s), received 0":   {"markdown"},
		"this is not a Ghost export":     {"ghost", "testdata/ghost/small/input.json.none"},
		"this is not a WordPress export": {"wordpress", "testdata/ghost/small/input.json"},
	} {
		if want == "this is not a Ghost export" {
			args[1] = filepath.Join(t.TempDir(), "x.json")
			if err := os.WriteFile(args[1], []byte("{}"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := command(site, args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", args, err, want)
		}
	}
	if _, err := command(site, "wordpress", cut); !errors.Is(err, imports.ErrIncomplete) {
		t.Errorf("%v", err)
	}
	if _, err := command(sitetest.New(t, "content", "comments"), "ghost", "testdata/ghost/small/input.json"); err == nil || !strings.Contains(err.Error(), "switched off") {
		t.Errorf("without content: %v", err)
	}
}

func TestMediaIsBroughtHere(t *testing.T) {
	t.Parallel()
	site := sitetest.New(t)
	png, err := os.ReadFile("testdata/dot.png")
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	there := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Path != "/files/a.png" {
			http.NotFound(w, r)
			return
		}
		w.Write(png)
	}))
	t.Cleanup(there.Close)
	site.Store().Set("bungalow.imports.client", safehttp.Client(safehttp.Options{AllowLoopback: true}))
	file := export(t, "https://small.example/a.jpg", there.URL+"/files/a.png", "Second ", `<img src="`+there.URL+`/files/a-300x200.png?w=300"> <img src="`+there.URL+`/gone.png"> `,
		"<item><title>Locked", "<item><title>G</title><wp:post_id>50</wp:post_id><wp:post_type>attachment</wp:post_type><wp:attachment_url>"+there.URL+"/gone.png</wp:attachment_url></item><item><title>Locked")
	out, err := command(site, "wordpress", file, "--media")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out, `media "`+there.URL+`/gone.png": it could not be fetched: fetch the file: the server answers 404 Not Found`) {
		t.Errorf("the missing file is not named:\n%s", out)
	}
	media, err := site.FindFirstRecordByFilter(schema.Media, "file != ''")
	if err != nil {
		t.Fatal(err)
	}
	post := bySlug(t, site, schema.Posts, "hello")
	here := "/media/" + media.Id + "/" + media.GetString("file")
	body := post.GetString("body")
	if strings.Count(body, here+`"`) != 3 || !strings.Contains(body, there.URL+"/gone.png") || post.GetString("cover") != media.Id {
		t.Errorf("body %s\ncover %s", body, post.GetString("cover"))
	}
	if media.GetString("alt") != "An A" || media.GetInt("width") != 2 {
		t.Errorf("media %v", media.FieldsData())
	}
	if code, _, _ := get(site, here); code != 200 {
		t.Errorf("%s answers %d", here, code)
	}
	first := asked.Load()
	if _, err := command(site, "wordpress", file, "--media"); err != nil {
		t.Fatal(err)
	}
	if again := asked.Load() - first; again > 1 {
		t.Errorf("the second run asked %d times for what is here", again)
	}
	if got := bySlug(t, site, schema.Posts, "hello"); got.GetString("body") != body || got.GetString("updated") != post.GetString("updated") {
		t.Error("the second run touched the post")
	}
	// A change at the source keeps the pictures that are here.
	changed := strings.ReplaceAll(readFile(t, file), "broken [unknown", "mended [unknown")
	if err := os.WriteFile(file, []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	r := run(t, site, imports.WordPress(file), imports.Options{})
	body = bySlug(t, site, schema.Posts, "hello").GetString("body")
	if r.Counts[imports.KindPost].Updated != 1 || strings.Count(body, here+`"`) != 3 || !strings.Contains(body, "mended") {
		t.Errorf("after a change at the source: %s\n%s", tally(r), body)
	}
}

func readFile(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

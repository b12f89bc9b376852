package imports

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bungalow/hooks/kit/schema"
)

// folder writes files and returns the folder that holds them.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "mine")
	for name, content := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFrontMatter(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ file, title, body, wrong string }{
		"yaml":             {"---\ntitle: A\n---\nB", "A", "B", ""},
		"yaml with dots":   {"---\ntitle: A\n...\nB", "A", "B", ""},
		"windows line end": {"---\r\ntitle: A\r\n---\r\nB", "A", "B", ""},
		"mark":             {"\ufeff---\ntitle: A\n---\nB", "A", "B", ""},
		"toml":             {"+++\ntitle = 'A'\n+++\nB", "A", "B", ""},
		"json":             {"{\"title\": \"A\"}\nB", "A", "\nB", ""},
		"none":             {"# A\n", "", "# A\n", ""},
		"rule":             {"---\n\nA\n", "", "---\n\nA\n", ""},
		"empty":            {"---\n---\nB", "", "B", ""},
		"shortcode first":  {"{{< a >}}", "", "{{< a >}}", ""},
		"yaml not closed":  {"---\ntitle: A\n", "", "---\ntitle: A\n", "no closing ---"},
		"toml not closed":  {"+++\ntitle = 'A'\n", "", "+++\ntitle = 'A'\n", "no closing +++"},
		"bad yaml":         {"---\na: [\n---\nB", "", "B", "no readable YAML"},
		"bad toml":         {"+++\na = \n+++\nB", "", "B", "no readable TOML"},
		"bad json":         {"{\"a\": }\nB", "", "{\"a\": }\nB", "no readable JSON"},
		"yaml list":        {"---\n- a\n---\nB", "", "B", "no readable YAML"},
		"nested":           {"---\na: " + strings.Repeat("[", 60) + "\n---\nB", "", "B", "too deeply"},
		"aliases":          {"---\na: &a x\nb: [" + strings.Repeat("*a, ", 30) + "]\n---\nB", "", "B", "aliases"},
	} {
		m, body, err := splitMatter(c.file)
		if m.text("title") != c.title || body != c.body {
			t.Errorf("%s: %v %q", name, m, body)
		}
		if (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	want := time.Date(2020, 1, 2, 0, 0, 0, 0, time.UTC)
	for _, line := range []string{
		"date: 2020-01-02", "date: '2020-01-02'", "pubDate: 'Jan 02 2020'", "publish_date: January 2, 2020", "date: 2020-01-02 00:00:00 +0000", "date: 2020-01-02T02:00:00+02:00",
		"date: 2 Jan 2020",
	} {
		m, _, err := splitMatter("---\n" + line + "\n---\n")
		if got := dateOf("a.md", m); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v %v", line, got, err)
		}
	}
	if got := dateOf("_posts/2020-1-2-a.md", nil); !got.Equal(want) {
		t.Errorf("from the name: %v", got)
	}
}

func TestMarkdownStatus(t *testing.T) {
	t.Parallel()
	for head, want := range map[string]string{
		"draft: true": schema.StatusDraft, "draft: false": schema.StatusPublished, "published: false": schema.StatusDraft, "private: true": schema.StatusDraft,
		"date: 2999-01-01": schema.StatusScheduled, "expiryDate: 2001-01-01": schema.StatusArchived, "status: private": schema.StatusDraft, "title: x": schema.StatusPublished,
		"draft: 'true'": schema.StatusDraft, "a: [": schema.StatusDraft, "date: 2020-01-01\npublished: true": schema.StatusPublished,
	} {
		items, err := collect(MarkdownFolder(folder(t, map[string]string{"a.md": "---\n" + head + "\n---\nx"})))
		if err != nil || len(items) != 1 || items[0].Status != want {
			t.Errorf("%s: %v %+v", head, err, items)
		}
	}
}

func TestMarkdownFolderStaysInside(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"a.md": "![x](../secret.png) ![y](/../secret.png) [z](../secret.md)", "sub/b.md": "b", "c.txt": "no"})
	outside := filepath.Join(filepath.Dir(dir), "secret")
	for _, ending := range []string{".md", ".png"} {
		if err := os.WriteFile(outside+ending, []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"out.md": outside + ".md", "loop": ".", "sub/loop": "../sub", "gone.md": "nowhere.md", "in.md": "sub/b.md"} {
		if err := os.Symlink(to, filepath.Join(dir, filepath.FromSlash(link))); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}
	items, err := collect(MarkdownFolder(dir))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range items {
		got = append(got, i.Name+": "+i.Skip)
		if strings.Contains(i.Body, "secret\n") || len(i.Images) > 0 {
			t.Errorf("something outside the folder was read: %+v", i)
		}
	}
	want := "gone.md: it is a link that leads nowhere or out of the folder\nloop: it is a link to a folder; import that folder by itself\n" +
		"out.md: it is a link that leads nowhere or out of the folder\nsub/loop: it is a link to a folder; import that folder by itself\n" +
		"a (a.md): \nin (in.md): \nb (sub/b.md): "
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

func TestMarkdownFolderSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ dir, want string }{
		"missing": {"testdata/nowhere", "open the folder"},
		"empty":   {folder(t, map[string]string{"a.txt": "x"}), "no Markdown file"},
		"no text": {"testdata/wordpress/small/input.xml", "no Markdown file"},
	} {
		if _, err := collect(MarkdownFolder(c.dir)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	items, err := collect(MarkdownFolder(folder(t, map[string]string{"big.md": strings.Repeat("x", 3<<20), "latin.md": "caf\xe9"})))
	if err != nil || len(items) != 2 || items[0].Skip != "it is longer than 2 MB" || items[1].Body != "café\n" {
		t.Errorf("%v %.300v", err, items)
	}
}

func FuzzFrontMatter(f *testing.F) {
	for _, seed := range []string{"---\ntitle: A\ntags: [a, b]\n---\nB", "+++\na = 1\n[b]\nc = 2020-01-02\n+++\n", "{\"a\": {\"b\": [1]}}", "---\na: &a [*a]\n---"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file string) {
		m, _, _ := splitMatter(file)
		m.list("tags", "authors")
		dateOf("2020-01-02-a.md", m)
		number(m["weight"])
	})
}

func FuzzMarkdownBody(f *testing.F) {
	f.Add("[a](b.md) ![c](d.png) {{< ref \"b.md\" >}} {% link x %}\n```\n[a](b.md)\n")
	s := &markdownSite{content: ".", files: map[string]*markdownFile{"b.md": {rel: "b.md", at: "/b/"}}}
	root, err := os.OpenRoot(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	s.root = root
	f.Fuzz(func(t *testing.T, body string) {
		var i Item
		s.body(&i, &markdownFile{rel: "a.mdx"}, body)
	})
}

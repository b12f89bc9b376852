package imports

import (
	"strings"
	"testing"
	"time"

	"bungalow/hooks/kit/schema"
)

func TestPermalink(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 2, 3, 4, 5, 6, 0, time.UTC)
	for pattern, want := range map[string]string{
		"date": "/a b/c/2024/02/03/name.html", "pretty": "/a b/c/2024/02/03/name/", "ordinal": "/a b/c/2024/034/name.html", "none": "/a b/c/name.html",
		"/:year/:i_month/:i_day/:title": "/2024/2/3/name", "/:short_year/:month/:slug:output_ext": "/24/02/name.html", "/x/:title/": "/x/name/",
		"/:unknown/:title/": "", "/:year/:titles/": "", "plain": "", "/fixed.html": "/fixed.html", "//a//:day//": "/a/03/",
	} {
		if got := permalink(pattern, at, "name", []string{"A b", "C"}); got != want {
			t.Errorf("%s gives %q, want %q", pattern, got, want)
		}
	}
	if got := permalink("pretty", at, "name", nil); got != "/2024/02/03/name/" {
		t.Errorf("without categories: %q", got)
	}
}

func TestKnownShortcodes(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{{< figure src="/a.png" title="T" >}}`:         `<figure><img src="/a.png" alt="T"><figcaption>T</figcaption></figure>`,
		`{{% figure src=a.png alt="\"q\" <b>" %}}`:      `<figure><img src="a.png" alt="&#34;q&#34; &lt;b&gt;"></figure>`,
		`{{< figure title="no source" >}}`:              `{{< figure title="no source" >}}`,
		`{{</* figure src="a.png" */>}}`:                `{{</* figure src="a.png" */>}}`,
		`a {{< youtube id="x_-1" autoplay="true" >}} b`: `a <https://www.youtube.com/watch?v=x_-1> b`,
		`{{< vimeo 42 >}}`:                              `<https://vimeo.com/42>`,
		`{{< youtube "javascript:x" >}}`:                `{{< youtube "javascript:x" >}}`,
	} {
		if got := knownShortcodes(in); got != want {
			t.Errorf("%s:\n got %s\nwant %s", in, got, want)
		}
	}
}

// What its system did not show to everybody is a draft here.
func TestMarkdownHidesWhatWasHidden(t *testing.T) {
	t.Parallel()
	for head, want := range map[string]string{
		"draft: 1": schema.StatusDraft, "draft: 0": schema.StatusPublished, "isDraft: true": schema.StatusDraft, "password: x": schema.StatusDraft, "headless: true": schema.StatusDraft,
		"visibility: members": schema.StatusDraft, "visibility: public": schema.StatusPublished, "build:\n  render: never": schema.StatusDraft,
		"_build:\n  render: false": schema.StatusDraft, "build:\n  list: never": schema.StatusPublished, "build:\n  render: always": schema.StatusPublished, "build: x": schema.StatusPublished,
	} {
		items, err := collect(MarkdownFolder(folder(t, map[string]string{"a.md": "---\n" + head + "\n---\nx"})))
		if err != nil || len(items) != 1 || items[0].Status != want {
			t.Errorf("%s: %v %+v", head, err, items)
		}
	}
}

func TestFrontMatterFaultsNameTheLine(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"---\na: 1\nb: [\nc: 2\n---\n":                                "YAML: line ",
		"---\na: 1\na: 2\n---\n":                                      "line 3: ",
		"\ufeff---\r\ntitle: a: b\r\n---\r\n":                         "line 2: ",
		"+++\na = 1\nb = = 2\n+++\n":                                  "TOML: line 3: ",
		"+++\na = 1\na = 2\n+++\n":                                    "TOML: ",
		"{\n\"a\": 1,\n\"b\": x\n}\n":                                 "JSON: line 3: ",
		"{\n\"a\": 1":                                                 "JSON: line 2: ",
		"---\na: |\n" + strings.Repeat("  word\n", 12_000) + "---\nx": "longer than 64 KB",
		"{\"a\": \"" + strings.Repeat("x", 70<<10) + "\"}":            "longer than 64 KB",
	} {
		if _, _, err := splitMatter(file); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.40q: %v, want %q", file, err, want)
		}
	}
}

package imports

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"bungalow/hooks/kit/schema"
)

func fromBytes(data []byte) opener {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
}

// collect reads a stream to its end.
func collect(stream Stream) (items []Item, err error) {
	for i, e := range stream {
		if e != nil {
			return items, e
		}
		items = append(items, i)
	}
	return items, nil
}

func wxr(items string) string {
	return `<?xml version="1.0"?><rss><channel><link>https://a.example</link>` + items + `</channel></rss>`
}

func TestWordPressReadsBrokenXML(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ source, body string }{
		"bare ampersand and angle":  {`<item><wp:post_type>post</wp:post_type><title>a & b < c</title><content:encoded><![CDATA[x]]></content:encoded></item>`, "<p>x</p>"},
		"no namespaces":             {`<item><post_type>post</post_type><post_id>3</post_id><title>a</title><content:encoded><![CDATA[x]]></content:encoded></item>`, "<p>x</p>"},
		"other prefixes":            {`</channel><channel xmlns:q="http://wordpress.org/export/1.0/" xmlns:c="http://purl.org/rss/1.0/modules/content/"><item><q:post_type>post</q:post_type><title>a</title><c:encoded><![CDATA[x]]></c:encoded></item>`, "<p>x</p>"},
		"control characters":        {"<item><wp:post_type>post</wp:post_type><title>a\x01\x0b</title><content:encoded><![CDATA[x\x08y]]></content:encoded></item>", "<p>xy</p>"},
		"markup without CDATA":      {`<item><wp:post_type>post</wp:post_type><title>a</title><content:encoded>&lt;b&gt;x&lt;/b&gt; <i>y</i></content:encoded></item>`, "<p><b>x</b> <i>y</i></p>"},
		"section closed too early":  {`<item><wp:post_type>post</wp:post_type><title>a</title><content:encoded><![CDATA[x ]]> <b>y</b>]]></content:encoded></item>`, "<p>x  <b>y</b></p>"},
		"field not closed":          {`<item><wp:post_type>post</wp:post_type><title>a</title><content:encoded><![CDATA[x]]><wp:post_id>4</wp:post_id></item>`, "<p>x</p>"},
		"item not closed":           {`<item><wp:post_type>post</wp:post_type><title>a</title><content:encoded>x</content:encoded><item><title>b</title></item>`, "<p>x</p>"},
		"entities of a DTD":         {`<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><item><wp:post_type>post</wp:post_type><title>a</title><content:encoded>&b;</content:encoded></item>`, "<p>&b;</p>"},
		"windows-1252 in utf-8":     {"<item><wp:post_type>post</wp:post_type><title>a</title><content:encoded>caf\xe9 \x93q\x94</content:encoded></item>", "<p>café “q”</p>"},
		"bytes of a cut character":  {"<item><wp:post_type>post</wp:post_type><title>a</title><content:encoded>\xc3</content:encoded></item>", "<p>Ã</p>"},
		"attribute holds a bracket": {`<item x=">"><wp:post_type>post</wp:post_type><title>a</title><content:encoded>x</content:encoded></item>`, "<p>x</p>"},
	} {
		items, err := collect(readWordPress(fromBytes([]byte(wxr(c.source)))))
		if err != nil || len(items) == 0 || items[0].Body != c.body {
			t.Errorf("%s: %v %+v", name, err, items)
		}
	}
}

func TestWordPressReadsOldEncodings(t *testing.T) {
	t.Parallel()
	item := "<item><title>%s</title><wp:post_type>post</wp:post_type></item>"
	for name, source := range map[string]string{
		"latin 1":       `<?xml version="1.0" encoding="ISO-8859-1"?><rss><channel>` + fmt.Sprintf(item, "caf\xe9") + `</channel></rss>`,
		"windows":       `<?xml version='1.0' encoding='windows-1252'?><rss><channel>` + fmt.Sprintf(item, "caf\xe9") + `</channel></rss>`,
		"mark":          "\xef\xbb\xbf<rss><channel>" + fmt.Sprintf(item, "café") + `</channel></rss>`,
		"utf-16":        utf16(`<?xml version="1.0" encoding="UTF-16"?><rss><channel>` + fmt.Sprintf(item, "café") + `</channel></rss>`),
		"unknown label": `<?xml version="1.0" encoding="klingon"?><rss><channel>` + fmt.Sprintf(item, "café") + `</channel></rss>`,
	} {
		items, err := collect(readWordPress(fromBytes([]byte(source))))
		if err != nil || len(items) != 1 || items[0].Title != "café" {
			t.Errorf("%s: %v %+v", name, err, items)
		}
	}
}

func utf16(s string) string {
	out := []byte{0xff, 0xfe}
	for _, r := range s {
		out = append(out, byte(r), byte(r>>8))
	}
	return string(out)
}

func TestWordPressSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"":                                 "not a WordPress export",
		"<html><body>no</body></html>":     "not a WordPress export",
		"{}":                               "not a WordPress export",
		"<rss><channel>\n<item>\n<title>":  "line 3",
		"<rss><channel>\n\n":               "ends early, at line 3",
		"<rss><channel><item><title>x</ti": `ends early`,
		"<rss><channel><item><title>Hello</title><content:encoded><![CDATA[": `inside the item "Hello" that begins at line 1`,
	} {
		_, err := collect(readWordPress(fromBytes([]byte(source))))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", source, err)
		}
	}
	if _, err := collect(WordPress("testdata/missing.xml")); err == nil || !strings.Contains(err.Error(), "open the export") {
		t.Errorf("missing file: %v", err)
	}
}

// Whatever was not public in WordPress is not published here, wherever the
// status stands in the item.
func TestWordPressPublishesOnlyWhatWasPublic(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ status, date, password, want string }{
		{"publish", "2020-01-01 00:00:00", "", schema.StatusPublished},
		{"publish", "2020-01-01 00:00:00", "x", schema.StatusDraft},
		{"future", "2999-01-01 00:00:00", "", schema.StatusScheduled},
		{"future", "2020-01-01 00:00:00", "", schema.StatusDraft},
		{"future", "2999-01-01 00:00:00", "x", schema.StatusDraft},
		{"draft", "0000-00-00 00:00:00", "", schema.StatusDraft},
		{"pending", "2020-01-01 00:00:00", "", schema.StatusDraft},
		{"private", "2020-01-01 00:00:00", "", schema.StatusDraft},
		{"trash", "2020-01-01 00:00:00", "", schema.StatusArchived},
		{"made-up", "2020-01-01 00:00:00", "", schema.StatusDraft},
		{"", "2020-01-01 00:00:00", "", schema.StatusDraft},
	} {
		source := wxr("<item><title>a</title><wp:status>" + c.status + "</wp:status><wp:post_date_gmt>" + c.date + "</wp:post_date_gmt><wp:post_password>" +
			c.password + "</wp:post_password><wp:post_type>post</wp:post_type></item>")
		items, err := collect(readWordPress(fromBytes([]byte(source))))
		if err != nil || len(items) != 1 || items[0].Status != c.want {
			t.Errorf("%+v: %v %+v", c, err, items)
		}
	}
}

func TestShortcodes(t *testing.T) {
	t.Parallel()
	files := &attachments{byID: map[string]attachment{"5": {url: "/a.jpg", alt: `"A"`}, "6": {url: "/b.pdf"}}, children: map[string][]string{"1": {"5", "6"}}}
	for in, want := range map[string]string{
		`[embed width="1"]https://a.example/x?y=1&amp;z=2[/embed]`: `<p class="embed"><a href="https://a.example/x?y=1&amp;z=2">https://a.example/x?y=1&amp;z=2</a></p>`,
		`[youtube https://youtu.be/x]`:                             `<p class="embed"><a href="https://youtu.be/x">https://youtu.be/x</a></p>`,
		`[gallery]`:                                                `<div class="gallery"><figure><img src="/a.jpg" alt="&#34;A&#34;"></figure></div>`,
		`[gallery ids="9"]`:                                        ``,
		`[audio mp3="http://a.example/a.mp3"][/audio]`:             `<audio src="https://a.example/a.mp3" controls></audio>`,
		`[wp_caption caption="C"]<img src="/a.jpg">[/wp_caption]`:  `<figure class="wp-caption "><img src="/a.jpg"><figcaption>C</figcaption></figure>`,
		`[caption]never closed`:                                    `[caption]never closed`,
		`[[gallery]]`:                                              `[gallery]`,
		`[contact-form to="a"]`:                                    `[contact-form to="a"]`,
		`see [1] and [sic]`:                                        `see [1] and [sic]`,
	} {
		var i Item
		if got := strings.TrimSpace(shortcodes(&i, in, files, "1")); got != want {
			t.Errorf("%s:\n got %s\nwant %s", in, got, want)
		}
		if noted := len(i.Notes) > 0; noted != strings.HasPrefix(in, "[contact") {
			t.Errorf("%s: notes %v", in, i.Notes)
		}
	}
}

func TestParagraphs(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a\n\nb":                          "<p>a</p>\n<p>b</p>\n",
		"a\nb":                            "<p>a<br>\nb</p>\n",
		"a<br>\nb":                        "<p>a<br>\nb</p>\n",
		"<h2>a</h2>b":                     "<h2>a</h2>\n<p>b</p>\n",
		"<ul>\n<li>a</li>\n</ul>":         "<ul>\n<li>a</li>\n</ul>\n",
		"x\n<pre>a\n\nb</pre>\ny":         "<p>x</p>\n<pre>a\n\nb</pre>\n<p>y</p>\n",
		"<div>a</div>\n\n\n<b>c</b>":      "<div>a</div>\n<p><b>c</b></p>\n",
		" \r\n ":                          "",
		"<blockquote>a\n\nb</blockquote>": "<blockquote>\n<p>a</p>\n<p>b</p>\n</blockquote>\n",
	} {
		if got := paragraphs(in); got != want {
			t.Errorf("%q:\n got %q\nwant %q", in, got, want)
		}
	}
}

// Cut anywhere, an export gives the items before the cut and one error.
func TestWordPressCutAnywhere(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"small", "blocks", "classic", "old10", "plugins"} {
		data, err := os.ReadFile("testdata/wordpress/" + name + "/input.xml")
		if err != nil {
			t.Fatal(err)
		}
		whole, err := collect(readWordPress(fromBytes(data)))
		if err != nil {
			t.Fatal(err)
		}
		for cut := 0; cut < len(data); cut += 1 + len(data)/400 {
			items, err := collect(readWordPress(fromBytes(data[:cut])))
			if err == nil && !bytes.Contains(data[:cut], []byte("</channel")) {
				t.Fatalf("%s cut at %d: no error", name, cut)
			}
			if len(items) > len(whole) {
				t.Fatalf("%s cut at %d: %d items, more than the whole", name, cut, len(items))
			}
			if len(items) < len(whole) && whole[len(items)].Kind == KindComment {
				t.Fatalf("%s cut at %d: half a thread", name, cut)
			}
		}
	}
}

func FuzzWXR(f *testing.F) {
	if data, err := os.ReadFile("testdata/wordpress/small/input.xml"); err == nil {
		f.Add(data)
	}
	f.Add([]byte("<rss><item><wp:post_type>post</wp:post_type><content:encoded><![CDATA[[gallery][caption]<!-- wp:a -->"))
	f.Fuzz(func(t *testing.T, data []byte) {
		items, err := collect(readWordPress(fromBytes(data)))
		if err == nil && len(items) == 0 && !bytes.Contains(data, []byte("<")) {
			t.Errorf("%q gives neither items nor an error", data)
		}
		for _, i := range items {
			if i.Skip == "" && i.Key == "" {
				t.Errorf("an item without a key: %+v", i)
			}
		}
	})
}

package browser

import (
	"fmt"
	"path/filepath"
	"testing"

	"bungalow/hooks/kit/sitetest"
	"bungalow/tests/binary"
)

// kept adds a paragraph to a text in the rich-text editor and reports whether
// the site shows all the rest as before. Space between blocks is no difference.
const kept = `(async () => {
	const body = document.querySelector("#f-body"), rich = document.querySelector("#rich"), before = body.value;
	const shown = async (text) => {
		const f = new FormData(); f.append("format", "html"); f.append("body", text);
		const made = await (await fetch("/desk/writing/render/", {method: "POST", body: f, headers: {Accept: "application/json"}})).json();
		return made.html.replace(/\s+/g, " ").replace(/> ?(<(\/?(p|h\d|ul|ol|li|div|figure|figcaption|blockquote|table|tbody|thead|tr|td|th|hr|pre|dl|dt|dd|section|details|audio|video|address)\b))/g, ">$1").replace(/(<\/?(p|h\d|ul|ol|li|div|figure|blockquote|hr|section)[^>]*>) /g, "$1").replace(/ (<\/(p|h\d|li|div|blockquote)>)/g, "$1").replace(/<p><\/p>/g, "").replace(/(<br\/?>)+<\/(p|li|h\d|pre)>/g, "</$2>").trim();
	};
	const p = document.createElement("p"); p.textContent = "Words at the end.";
	rich.append(p);
	rich.dispatchEvent(new Event("input", {bubbles: true}));
	for (let i = 0; i < 200 && body.value === before; i++) await new Promise(r => setTimeout(r, 20));
	const want = await shown(before + "\n<p>Words at the end.</p>"), got = await shown(body.value);
	let at = 0; while (at < want.length && want[at] === got[at]) at++;
	return want === got ? "" : want.slice(Math.max(0, at - 60), at + 120) + "\n   became\n" + got.slice(Math.max(0, at - 60), at + 120);
})()`

// Texts of WordPress's own test data: what the rich-text editor opens it keeps,
// and what it can't keep it leaves to the HTML.
func TestImportedTextsSurviveTheRichTextEditor(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("90 texts take a minute or two")
	}
	material := sitetest.Material(t, "wordpress")
	site := fresh(t)
	for _, file := range []string{"theme-unit-test.wxr.xml", "small-export.wxr.xml", "utf-8-challenges.wxr.xml"} {
		result, err := binary.Run(t.Context(), site.Home, "import", "wordpress", filepath.Join(material, file), "--dir", filepath.Join(site.Home, "pb_data"))
		if err != nil || result.Code != 0 {
			t.Fatalf("import %s: %v, %+v", file, err, result)
		}
	}
	b := site.writer(t, site.writerAccount(t, "Ada", "editor"))
	rich, source := 0, 0
	for _, collection := range []string{"posts", "pages"} {
		var found struct {
			Items []struct{ ID, Title string }
		}
		if err := site.root.Call(t.Context(), "GET", "/api/collections/"+collection+"/records?perPage=500&fields=id,title&filter=format='html'", nil, &found); err != nil {
			t.Fatal(err)
		}
		for _, item := range found.Items {
			b.visit("/desk/" + collection + "/" + item.ID + "/")
			if eval[bool](b, `document.querySelector("#rich").hidden`) {
				source++
				t.Logf("%s %q is shown as HTML", collection, item.Title)
				continue
			}
			rich++
			if lost := eval[string](b, kept); lost != "" {
				t.Errorf("%s %q lost something:\n%s", collection, item.Title, lost)
			}
		}
	}
	fmt.Printf("rich text holds %d of %d imported texts, %d are shown as HTML\n", rich, rich+source, source)
	if rich < 3*source {
		t.Errorf("only %d of %d can be written as rich text", rich, rich+source)
	}
}

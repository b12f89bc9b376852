package browser

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// dropPictures drops files onto the page: two pictures drawn there and a text
// that says it is a picture.
const dropPictures = `(async () => {
	const files = new DataTransfer();
	for (const [i, name] of ["sea.png", "a-photo-with-a-rather-long-name-for-a-narrow-place.png"].entries()) {
		const canvas = Object.assign(document.createElement("canvas"), {width: 600, height: 400 + 200 * i}), c = canvas.getContext("2d");
		const sky = c.createLinearGradient(0, 0, 0, 600);
		sky.addColorStop(0, ["#f7c873", "#9cc9e8"][i]); sky.addColorStop(1, ["#b5446e", "#1c6b52"][i]);
		c.fillStyle = sky; c.fillRect(0, 0, 600, 600);
		c.fillStyle = "#fff"; c.beginPath(); c.arc(430, 140, 60, 0, 7); c.fill();
		files.items.add(new File([await new Promise(r => canvas.toBlob(r))], name, {type: "image/png"}));
	}
	files.items.add(new File(["no picture"], "broken.jpg", {type: "image/jpeg"}));
	document.querySelector("main").dispatchEvent(new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true}));
	return true;
})()`

func TestFilesAreDroppedAndTheirPointIsChosen(t *testing.T) {
	t.Parallel()
	site := fresh(t)
	b := site.writer(t, site.writerAccount(t, "Ada", "author"))
	b.visit("/desk/media/")
	eval[bool](b, dropPictures)
	b.until(`document.querySelectorAll(".file").length === 2 && document.querySelector(".upload-list .failed .state")?.textContent.includes("JPEG")`)
	if kept := eval[int](b, `document.querySelectorAll(".upload-list .kept").length`); kept != 0 {
		t.Errorf("%d finished files are still listed", kept)
	}
	b.clickTo(`.file-link[href]`, `!!document.querySelector("[data-focal-frame] .focal-point")`)
	b.until(`document.querySelector("[data-focal-frame] img").complete`)
	eval[bool](b, `(() => { const img = document.querySelector("[data-focal-frame] img"), a = img.getBoundingClientRect();
		const at = {clientX: a.left + a.width * .25, clientY: a.top + a.height * .8, bubbles: true, pointerId: 1};
		img.parentElement.setPointerCapture = () => {};
		img.dispatchEvent(new PointerEvent("pointerdown", at)); img.dispatchEvent(new PointerEvent("pointerup", at)); return true })()`)
	if at := eval[string](b, `document.querySelector("#focal-x").value + " " + document.querySelector("#focal-y").value`); at != "25 80" {
		t.Errorf("a click chose %s", at)
	}
	b.do(fill("#f-alt", "The sea in the evening"))
	b.clickTo("#words button[type=submit]", deskNotice+`?.includes("saved")`)
	stored := site.list(t, "media").Items
	if got := fmt.Sprint(stored[0]["focal"], stored[1]["focal"]); !strings.Contains(got, "25 80") {
		t.Errorf("stored %s", got)
	}
}

func TestAMenuIsArrangedByKeyboard(t *testing.T) {
	t.Parallel()
	site := fresh(t)
	b := site.writer(t, site.writerAccount(t, "Ada", "editor"))
	id, err := site.create(t.Context(), "menus", map[string]any{"name": "Keys", "items": []map[string]any{{"label": "One", "url": "/"}, {"label": "Two", "url": "/blog/"}, {"label": "Three", "url": "/about/"}}})
	if err != nil {
		t.Fatal(err)
	}
	b.visit("/desk/menus/" + id + "/")
	const handle = `[...document.querySelectorAll(".menu-line")].find(l => l.querySelector("[name=label]").value === %q).querySelector(".handle")`
	key := func(line, name string) {
		t.Helper()
		eval[bool](b, fmt.Sprintf(`(() => { const h = `+handle+`; h.focus(); h.dispatchEvent(new KeyboardEvent("keydown", {key: %q, bubbles: true, cancelable: true})); return document.activeElement === h })()`, line, name))
	}
	key("Three", "ArrowUp")
	key("Two", "ArrowRight")
	if said := eval[string](b, `document.querySelector("[data-live]").textContent`); said != "Line 3 of 3, level 2" {
		t.Errorf("a screen reader hears %q", said)
	}
	if focus := eval[string](b, `document.activeElement.closest(".menu-line")?.querySelector("[name=label]").value ?? ""`); focus != "Two" {
		t.Errorf("the focus is on %q", focus)
	}
	if tree := eval[string](b, `document.querySelector("[data-menu-preview]").innerText.replace(/\s+/g, " ").trim() + " " + document.querySelectorAll("[data-menu-preview] li li").length`); tree != "One Three Two 1" {
		t.Errorf("the preview shows %s", tree)
	}
	b.clickTo(".bar .primary", deskNotice+` === "The menu is saved."`)
	var stored struct {
		Items []struct {
			Label    string
			Children []struct{ Label string }
		}
	}
	if err := site.root.Call(t.Context(), http.MethodGet, "/api/collections/menus/records/"+id, nil, &stored); err != nil {
		t.Fatal(err)
	}
	if len(stored.Items) != 2 || stored.Items[1].Label != "Three" || len(stored.Items[1].Children) != 1 {
		t.Errorf("stored %+v", stored)
	}
	// The same without JavaScript: each step is a form.
	b.scripts(false)
	b.visit("/desk/menus/" + id + "/")
	b.do(chromedp.Click(chromedp.CSS(`button[value="up:1"]`)))
	b.until(`document.querySelector("main .notice")?.innerText === "Not saved yet." && document.querySelector("[name=label]").value === "Three"`)
}

// libraryPages fills a site and lists the pages of its library by name.
func (s *website) libraryPages(t *testing.T, b *tab) map[string]string {
	t.Helper()
	make := func(collection string, fields map[string]any) string {
		t.Helper()
		id, err := s.create(context.Background(), collection, fields)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	b.visit("/desk/media/")
	eval[bool](b, dropPictures)
	b.until(`document.querySelectorAll(".file").length >= 2`)
	picture := fmt.Sprint(s.list(t, "media").Items[0]["id"])
	tag := make("tags", map[string]any{"name": "Carpentry", "description": "All about wood."})
	make("tags", map[string]any{"name": "A tag with quite a long name"})
	author := make("authors", map[string]any{"name": "Ada", "bio": "Builds bungalows.", "avatar": picture})
	make("posts", map[string]any{"title": "A veranda in a week", "body": "x", "status": "published", "cover": picture, "tags": []string{tag}, "authors": []string{author}})
	menu := make("menus", map[string]any{"name": "Sample", "items": []map[string]any{{"label": "Home", "url": "/"},
		{"label": "Blog", "url": "/blog/", "children": []map[string]any{{"label": "Carpentry", "url": "/tag/carpentry/"}, {"label": "Gone", "url": "/gone/"}}}}})
	for i := range 12 {
		make("redirects", map[string]any{"from": fmt.Sprintf("/an/old/address/of/%d", i), "to": "/blog/a-veranda-in-a-week/", "hits": i * 7})
	}
	redirect := make("redirects", map[string]any{"from": "/old", "to": "/blog/", "prefix": true})
	return map[string]string{
		"media": "/desk/media/", "media-list": "/desk/media/?view=list", "media-bin": "/desk/media/?bin=1", "file": "/desk/media/" + picture + "/",
		"tags": "/desk/tags/", "tag": "/desk/tags/" + tag + "/", "authors": "/desk/authors/", "author": "/desk/authors/" + author + "/",
		"menus": "/desk/menus/", "menu": "/desk/menus/" + menu + "/", "redirects": "/desk/redirects/", "redirect": "/desk/redirects/" + redirect + "/",
		"redirects-import": "/desk/redirects/import/", "moves": "/desk/import/", "move": s.moved(t, b),
	}
}

// moved is the page of an import that was tried.
func (s *website) moved(t *testing.T, b *tab) string {
	t.Helper()
	b.visit("/desk/import/")
	eval[bool](b, `(() => { const files = new DataTransfer(); files.items.add(new File(["# Moved\n\nText {{< youtube x >}}"], "one.md"));
		document.querySelector("#f-file").files = files.files; document.querySelector("#f-kind").value = "markdown"; return true })()`)
	b.clickTo(`main form .primary`, `document.querySelector("main .badge")?.textContent === "tried"`)
	return eval[string](b, `location.pathname`)
}

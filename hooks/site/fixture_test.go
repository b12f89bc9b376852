package site

import (
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var fixtureTitles = []string{
	"Everything behind the page, on one floor",
	"How to leave a house with one suitcase",
	"Rain on the tin roof",
	"A table for eight, and what it taught us about queues",
	"Notes on the colour of shutters",
	"Twenty years of a small garden",
	"The quiet upgrade",
}

var fixtureTags = []Link{{"Architecture", "/tag/architecture/"}, {"Notes", "/tag/notes/"}, {"Craft", "/tag/craft/"}, {"Garten", "/tag/garten/"}}

func fixtureImage(n int) *Image {
	src := fmt.Sprintf("/media/cover%d/c.svg", n)
	return &Image{Src: src, SrcSet: src + "?w=640 640w, " + src + "?w=1280 1280w", Width: 1280, Height: 800, Alt: "A drawing of hills"}
}

func fixtureCard(n int) PostCard {
	card := PostCard{
		Title:       fixtureTitles[n%len(fixtureTitles)],
		URL:         fmt.Sprintf("/blog/post-%d/", n),
		Excerpt:     "Most sites grow by addition: a comment service here, a form handler there, a counter that asks every visitor for consent. There is another way to build.",
		PublishedAt: time.Date(2026, 5, 28-3*n, 9, 30, 0, 0, time.UTC),
		Minutes:     4 + n,
		Tags:        fixtureTags[n%3 : n%3+2],
		Authors:     []Link{{"Ada Stone", "/author/ada/"}},
		Featured:    n == 0,
	}
	if n%5 != 2 {
		card.Cover = fixtureImage(1 + n%4)
	}
	return card
}

func fixtureCards(from, n int) []PostCard {
	var cards []PostCard
	for i := range n {
		cards = append(cards, fixtureCard(from+i))
	}
	return cards
}

// fullView is an envelope in which everything that is optional is there.
func fullView(lang, path, title string) View {
	return View{
		Site: Site{Title: "The Veranda", Tagline: "Notes on building small, sound things that last.", URL: "https://example.org", HomeURL: "/",
			BlogURL: "/blog/", ArchiveURL: "/archive/", SearchURL: "/search/", AccentHref: "/assets/accent.css",
			Locale: lang, DefaultLocale: "en", Locales: []string{"en", "de"}},
		Lang: lang, Title: title, Path: path,
		Description: "A description with \"quotes\" & <brackets>.",
		Canonical:   "https://example.org" + path,
		Robots:      "max-image-preview:large",
		OG: OpenGraph{Type: "article", Image: "https://example.org/media/cover1/c.svg", ImageAlt: "Hills", Width: 1280, Height: 800,
			PublishedAt: time.Date(2026, 5, 28, 9, 30, 0, 0, time.UTC), ModifiedAt: time.Date(2026, 6, 1, 9, 30, 0, 0, time.UTC), Tags: []string{"Craft"}},
		JSONLD:     []any{map[string]any{"@context": "https://schema.org", "@type": "WebSite", "name": "</script><script>alert(1)</script>"}},
		Alternates: []Alternate{{"en", "https://example.org" + path}, {"de", "https://example.org/de" + path}, {"x-default", "https://example.org" + path}},
		Feeds:      []Feed{{"The Veranda", "application/atom+xml", "/feed.xml"}},
		Menu: []MenuItem{{Label: "Blog", URL: "/blog/", Current: path == "/blog/", Within: path != "/blog/"},
			{Label: "About", URL: "/about/", Children: []MenuItem{{Label: "The house", URL: "/about/house/"}, {Label: "The people", URL: "/about/people/"}}},
			{Label: "Archive", URL: "/archive/", Current: path == "/archive/"}, {Label: "Contact", URL: "/contact/"}},
		FooterMenu:  []MenuItem{{Label: "Imprint", URL: "/imprint/"}, {Label: "Privacy", URL: "/privacy/", Children: []MenuItem{{Label: "Details", URL: "/privacy/details/"}}}},
		LocaleLinks: []LocaleLink{{"en", "English", path, true}, {"de", "Deutsch", "/de" + path, false}},
		Scripts:     []string{"/embed/count.js"},
	}
}

func readFixture(tb testing.TB, name string) template.HTML {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return template.HTML(b)
}

func fixturePagination() Pagination {
	return Pagination{Page: 2, Pages: 9, PrevURL: "/blog/", NextURL: "/blog/page/3/", Numbers: []PageNumber{
		{1, "/blog/", false}, {2, "/blog/page/2/", true}, {3, "/blog/page/3/", false}, {Number: 0}, {9, "/blog/page/9/", false}}}
}

func fixturePost(tb testing.TB) *Post {
	prev, next := fixtureCard(1), fixtureCard(3)
	card := fixtureCard(0)
	card.Cover.Caption = "Drawn by <a href=\"/author/ada/\">Ada</a>."
	return &Post{
		PostCard: card, HTML: readFixture(tb, "article.html"),
		TOC: []Heading{{2, "plan", "The plan of the house"}, {3, "code", "A room for code"}, {3, "table", "A table that is wider than a phone"},
			{2, "pictures", "Pictures and what is said about them"}, {2, "small-things", "Small things"}},
		Updated: time.Date(2026, 6, 1, 9, 30, 0, 0, time.UTC), Prev: &prev, Next: &next, Related: fixtureCards(4, 3),
		Writers:      []Author{{Name: "Ada Stone", URL: "/author/ada/", Bio: "<p>Ada builds small houses and smaller programs. She lives by the sea.</p>"}},
		CommentsOpen: true, Comments: readFixture(tb, "comments.html"), EditURL: "/desk/posts/1/",
	}
}

// fixtureViews gives each page of the theme with everything that it can show,
// by a name of which the part before "-" is the template's.
func fixtureViews(tb testing.TB) map[string]View {
	tb.Helper()
	views := map[string]View{}
	add := func(name, lang, path, title string, fill func(v *View)) {
		v := fullView(lang, path, title)
		fill(&v)
		views[name] = v
	}
	lead := fixtureCard(0)
	list := &List{Heading: "Blog", Intro: "<p>Everything, newest first.</p>", Posts: fixtureCards(0, 6), Total: 41, Pagination: fixturePagination()}
	add("home", "en", "/", "", func(v *View) {
		v.Home = &Home{Intro: "<p>Essays and field notes by two people who like their software <em>on one floor</em>.</p>", Lead: &lead, Posts: fixtureCards(1, 6), Tags: fixtureTags}
	})
	add("home-first", "en", "/", "", func(v *View) {
		v.Home = &Home{Posts: []PostCard{fixtureCard(2)}}
	})
	add("list", "en", "/blog/", "Blog", func(v *View) { v.List = list })
	add("tag", "de", "/tag/garten/", "Garten", func(v *View) { v.List = &List{Heading: "Garten", Posts: fixtureCards(1, 4), Total: 4} })
	add("author", "en", "/author/ada/", "Ada Stone", func(v *View) {
		v.Author = &Author{Name: "Ada Stone", Bio: "<p>Ada builds small houses and smaller programs.</p>", Website: "https://example.org", Avatar: fixtureImage(2)}
		v.List = &List{Heading: "Ada Stone", Posts: fixtureCards(2, 3), Total: 1}
	})
	add("post", "en", "/blog/post-0/", fixtureTitles[0], func(v *View) {
		v.Post = fixturePost(tb)
		v.Breadcrumbs = []Link{{"Home", "/"}, {"Blog", "/blog/"}}
		v.Notice = &Notice{Kind: "success", Text: "Thank you: your comment is waiting for approval."}
	})
	add("part", "de", "/f/contact", "Schreiben Sie uns", func(v *View) {
		v.Part = &Part{Title: "Schreiben Sie uns", HTML: `<form class="form" method="post" action="/f/contact"><div class="field"><label for="m">Nachricht</label><textarea id="m" name="message"></textarea></div><button class="button" type="submit">Absenden</button></form>`}
	})
	add("page", "en", "/about/house/", "The house", func(v *View) {
		v.Page = &Page{Title: "The house", Intro: "What stands where, and why there is no stair.", HTML: readFixture(tb, "article.html"), Cover: fixtureImage(4),
			Children: []Link{{"The kitchen", "/about/house/kitchen/"}, {"The study", "/about/house/study/"}}, Updated: time.Date(2026, 6, 1, 9, 30, 0, 0, time.UTC),
			Comments: "<h2>Comments</h2>", EditURL: "/desk/pages/1/"}
		v.Breadcrumbs = []Link{{"Home", "/"}, {"About", "/about/"}}
	})
	add("archive", "de", "/archive/", "Archiv", func(v *View) {
		v.Archive = &Archive{Total: 41}
		for year := 2026; year > 2022; year-- {
			y := ArchiveYear{Year: year, Total: 6}
			for _, month := range []time.Month{time.November, time.March} {
				m := ArchiveMonth{Month: time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)}
				m.Posts = append(m.Posts, fixtureCards(year%4, 3)...)
				y.Months = append(y.Months, m)
			}
			v.Archive.Years = append(v.Archive.Years, y)
		}
	})
	items := []SearchItem{{"The house", "/about/house/", "What stands where, and why a <mark>house</mark> needs no stair.", "page", time.Time{}},
		{fixtureTitles[0], "/blog/post-0/", "… you walk from the kitchen to the study of the <mark>house</mark> without …", "post", time.Date(2026, 5, 28, 0, 0, 0, 0, time.UTC)}}
	add("search", "en", "/search/", "Search", func(v *View) {
		v.SearchQuery = "house"
		v.Search = &Search{Query: "house", Items: items, Total: 31, Pagination: fixturePagination()}
	})
	add("search-none", "de", "/search/", "Suche", func(v *View) {
		v.SearchQuery = "\"><b>nothing"
		v.Search = &Search{Query: v.SearchQuery}
	})
	add("search-one", "de", "/search/", "Suche", func(v *View) {
		v.Search = &Search{Query: "Haus", Items: items[:1], Total: 1}
	})
	add("error-404", "en", "/nowhere/", "Not found", func(v *View) { v.Error = &Error{Status: 404, Posts: fixtureCards(1, 3)} })
	add("soon", "de", "/", "Bald", func(v *View) { v.Soon = &Soon{} })
	add("soon-words", "en", "/", "Soon", func(v *View) { v.Soon = &Soon{Text: "In <May>."} })
	views["error-500"] = View{Lang: "en", Error: &Error{Status: 500}}
	return views
}

package site_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

// versioned is something that pages show, with a number that only grows.
type versioned struct {
	name  string
	acked atomic.Int64 // the last version whose write has returned
	write func(version int64) error
	pages []string // where it shows
}

func (v *versioned) label(n int64) string { return fmt.Sprintf("%s version %d end", v.name, n) }

// shown reads the version that a page shows, -1 where it shows none.
func (v *versioned) shown(body string) int64 {
	m := regexp.MustCompile(regexp.QuoteMeta(v.name) + ` version (\d+) end`).FindStringSubmatch(body)
	if m == nil {
		return -1
	}
	n, _ := strconv.ParseInt(m[1], 10, 64)
	return n
}

// field is a versioned field of a record.
func field(t *testing.T, app core.App, r *core.Record, name string, label string, pages ...string) *versioned {
	t.Helper()
	v := &versioned{name: label, pages: pages}
	v.write = func(n int64) error {
		fresh, err := app.FindRecordById(r.Collection().Name, r.Id)
		if err != nil {
			return err
		}
		fresh.Set(name, v.label(n))
		return app.Save(fresh)
	}
	return v
}

// TestNoPageIsOlderThanAnAcknowledgedWrite has writers and readers at once:
// what a reader gets is never older than what was acknowledged before he asked.
func TestNoPageIsOlderThanAnAcknowledgedWrite(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	things := world(t, app)
	for _, v := range things {
		if err := v.write(0); err != nil {
			t.Fatal(err)
		}
	}
	const edits, readers = 40, 4
	var writing atomic.Int64
	writing.Store(int64(len(things)))
	var wg sync.WaitGroup
	for _, v := range things {
		wg.Go(func() {
			defer writing.Add(-1)
			for n := int64(1); n <= edits; n++ {
				if err := v.write(n); err != nil {
					t.Errorf("write %s: %v", v.name, err)
					return
				}
				v.acked.Store(n)
			}
		})
	}
	var reads atomic.Int64
	for range readers {
		wg.Go(func() {
			for writing.Load() > 0 {
				v := things[rand.IntN(len(things))]
				path := v.pages[rand.IntN(len(v.pages))]
				least := v.acked.Load()
				res, body := app.Get(path)
				reads.Add(1)
				if got := v.shown(body); res.StatusCode != http.StatusOK || got < least {
					t.Errorf("%s answers %d with version %d of %s, %d was acknowledged", path, res.StatusCode, got, v.name, least)
					return
				}
			}
		})
	}
	wg.Wait()
	for _, v := range things {
		for _, path := range v.pages {
			if _, body := app.Get(path); v.shown(body) != edits {
				t.Errorf("%s ends with version %d of %s", path, v.shown(body), v.name)
			}
		}
	}
	t.Logf("%d reads beside %d writes", reads.Load(), edits*len(things))
}

// world is a small site of which much changes.
func world(t *testing.T, app *sitetest.Site) []*versioned {
	t.Helper()
	tag := sitetest.Make(t, app, schema.Tags, map[string]any{"name": "Tag", "slug": "tag"})
	author := sitetest.Make(t, app, schema.Authors, map[string]any{"name": "Author", "slug": "author"})
	menu := sitetest.Make(t, app, schema.Menus, map[string]any{"name": "main", "items": []any{}})
	page := sitetest.Make(t, app, schema.Pages, map[string]any{"title": "Page", "slug": "page", "body": "x", "status": "published"})
	things := []*versioned{
		field(t, app, tag, "name", "The tag", "/blog/post-0/", "/tag/tag/", "/"),
		field(t, app, author, "name", "The author", "/blog/post-0/", "/author/author/", "/feed.xml"),
		field(t, app, page, "title", "The page", "/page/"),
	}
	for i := range 3 {
		slug := fmt.Sprintf("post-%d", i)
		post := sitetest.Make(t, app, schema.Posts, map[string]any{
			"title": slug, "slug": slug, "body": "x", "status": "published", "tags": []string{tag.Id}, "authors": []string{author.Id}})
		things = append(things, field(t, app, post, "title", "Post "+strconv.Itoa(i),
			"/", "/blog/", "/blog/"+slug+"/", "/tag/tag/", "/author/author/", "/archive/", "/feed.xml", "/rss.xml", "/feed.json", "/search/?q=post"))
	}
	menus := &versioned{name: "The menu", pages: []string{"/", "/page/", "/blog/"}}
	menus.write = func(n int64) error {
		fresh, err := app.FindRecordById(schema.Menus, menu.Id)
		if err != nil {
			return err
		}
		fresh.Set("items", []any{map[string]any{"label": menus.label(n), "url": "/page/"}})
		return app.Save(fresh)
	}
	title := &versioned{name: "The site", pages: []string{"/", "/page/", "/feed.xml", "/archive/"}}
	title.write = func(n int64) error {
		s, err := settings.LoadSite(app)
		if err != nil {
			return err
		}
		s.Title = title.label(n)
		return settings.Save(app, settings.SiteFeature, s)
	}
	return append(things, menus, title)
}

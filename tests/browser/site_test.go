package browser

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bungalow/tests/binary"
)

// website is a running site with something of everything.
type website struct {
	*binary.Server
	root    binary.Client
	planted atomic.Int64 // vectors stored by plant
}

// themePages are the addresses of the seeded site, one for every page of the
// theme.
var themePages = []struct {
	name, path, title string
	status            int
}{
	{"home", "/", "", http.StatusOK},
	{"list", "/blog/", "", http.StatusOK},
	{"list-2", "/blog/page/2/", "", http.StatusOK},
	{"post", "/blog/a-long-post/", "A long post", http.StatusOK},
	{"page", "/handbook/", "Handbook", http.StatusOK},
	{"child-page", "/handbook/chapter/", "Chapter", http.StatusOK},
	{"tag", "/tag/carpentry/", "Carpentry", http.StatusOK},
	{"author", "/author/ada/", "Ada", http.StatusOK},
	{"archive", "/archive/", "", http.StatusOK},
	{"search", "/search/?q=veranda", "", http.StatusOK},
	{"search-empty", "/search/?q=xylophone", "", http.StatusOK},
	{"not-found", "/no/such/page/", "", http.StatusNotFound},
}

// seeded starts the executable on a folder of its own and fills it, once.
func seeded(t testing.TB) *website {
	t.Helper()
	site, err := seededOnce()
	if err != nil {
		t.Fatal(err)
	}
	return site
}

var seededOnce = sync.OnceValues(func() (*website, error) {
	site, err := startSite(context.Background())
	if err != nil {
		return nil, err
	}
	return site, site.seed(context.Background())
})

// fresh starts the executable on an empty folder for one test, with further
// arguments.
func fresh(t testing.TB, args ...string) *website {
	t.Helper()
	site, err := startSite(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return site
}

func startSite(ctx context.Context, args ...string) (*website, error) {
	home, err := os.MkdirTemp("", "bungalow-browser-")
	if err != nil {
		return nil, err
	}
	atEnd(func() { _ = os.RemoveAll(home) })
	server, err := binary.Start(ctx, binary.Options{Home: home, Args: args})
	if err != nil {
		return nil, err
	}
	atEnd(server.Kill)
	root, err := server.Superuser(ctx)
	return &website{Server: server, root: root}, err
}

// create makes a record and returns its id.
func (s *website) create(ctx context.Context, collection string, fields map[string]any) (string, error) {
	var made struct{ ID string }
	err := s.root.Call(ctx, http.MethodPost, "/api/collections/"+collection+"/records", fields, &made)
	return made.ID, err
}

func (s *website) seed(ctx context.Context) error {
	var firstErr error
	make := func(collection string, fields map[string]any) string {
		id, err := s.create(ctx, collection, fields)
		if err != nil && firstErr == nil {
			firstErr = fmt.Errorf("seed %s: %w", collection, err)
		}
		return id
	}
	tags := []string{
		make("tags", map[string]any{"name": "Carpentry", "slug": "carpentry", "description": "All about wood."}),
		make("tags", map[string]any{"name": "A tag with quite a long name", "slug": "long-tag"}),
	}
	author := make("authors", map[string]any{"name": "Ada", "slug": "ada", "bio": "Builds *bungalows*."})
	at := time.Date(2026, 1, 4, 8, 0, 0, 0, time.UTC)
	for i := range 24 {
		make("posts", published(fmt.Sprintf("Note %d", i), fmt.Sprintf("note-%d", i), at.AddDate(0, 0, i), map[string]any{
			"body": "A short note about the veranda.", "tags": tags[:1+i%2], "authors": []string{author}, "featured": i == 3,
		}))
	}
	make("posts", published("A long post", "a-long-post", at.AddDate(0, 1, 0), map[string]any{
		"body": longBody, "tags": tags, "authors": []string{author}, "comments_open": true,
	}))
	page := make("pages", published("Handbook", "handbook", at, map[string]any{"body": longBody}))
	make("pages", published("Chapter", "chapter", at, map[string]any{"body": "One chapter.", "parent": page}))
	return firstErr
}

// published adds what every published record needs.
func published(title, slug string, at time.Time, more map[string]any) map[string]any {
	fields := map[string]any{
		"title": title, "slug": slug, "status": "published", "published_at": at.Format(time.RFC3339), "format": "markdown",
	}
	for name, value := range more {
		fields[name] = value
	}
	return fields
}

// longBody has every kind of block that Markdown makes, and what breaks narrow
// layouts: long words, long code lines, wide tables.
var longBody = strings.ReplaceAll(`The veranda is where the house meets the garden[^1].

## Wood

Oak, larch and ~~plastic~~ pine, with a link to [the archive](/archive/) and `+"`inline code`"+`.

> Measure twice, cut once.

### Boards

1. Saw
2. Plane
   - by hand
   - by machine
3. Oil

- [x] bought
- [ ] paid

## Numbers

| board | length in millimetres | width in millimetres | price without tax | price with tax | delivered on |
|---|---:|---:|---:|---:|---|
| larch | 4000 | 145 | 1999 | 2379 | 2026-04-01 |
| oak | 3000 | 120 | 4999 | 5949 | 2026-05-01 |

'''go
func area(lengthInMillimetres, widthInMillimetres int) int { return lengthInMillimetres * widthInMillimetres } // a long line
'''

## A heading with Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft

https://example.com/a/very/long/address/without/any/place/to/break/it/that/goes/on/and/on/and/on?and=on&and=on

![A drawing of a house](data:image/svg+xml,%3Csvg%20xmlns='http://www.w3.org/2000/svg'%20width='1600'%20height='400'/%3E)

---

The end.

[^1]: And where the cat sleeps.
`, "'''", "```")

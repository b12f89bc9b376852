package content

import (
	"net/http"
	"strconv"

	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

// Routes are the feature's own addresses.
func Routes(core.App) []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Path: "/api/site/search", Access: web.Public, Do: searchAPI},
	}
}

// hit is one item of the search answer.
type hit struct {
	Kind    string `json:"kind"`
	ID      string `json:"id"`
	Title   string `json:"title"`
	URL     string `json:"url"`
	Snippet string `json:"snippet"`
}

func searchAPI(e *core.RequestEvent) error {
	if web.Shut(e) {
		return web.NotOpen(e)
	}
	q := e.Request.URL.Query()
	site, err := settings.LoadSite(e.App)
	if err != nil {
		return web.Refuse(e, err)
	}
	locale := q.Get("locale")
	if locale == "" {
		locale = site.Locale
	}
	page, _ := strconv.Atoi(q.Get("page"))
	perPage, err := strconv.Atoi(q.Get("perPage"))
	if err != nil {
		perPage = 20
	}
	found, err := Search(e.App, locale, q.Get("q"), page, perPage)
	if err != nil {
		return web.Refuse(e, err)
	}
	items := make([]hit, 0, len(found.Items))
	for _, f := range found.Items {
		r, err := e.App.FindRecordById(f.Collection, f.Record)
		if err != nil || !IsPublic(r) {
			continue
		}
		items = append(items, hit{Kind: kindOf(f.Collection), ID: f.Record, Title: f.Title, URL: Address(site, r), Snippet: f.Snippet})
	}
	e.Response.Header().Set("Cache-Control", "no-store")
	return e.JSON(http.StatusOK, map[string]any{
		"page": found.Page, "perPage": found.PerPage, "totalItems": found.Total, "items": items,
	})
}

func kindOf(collection string) string {
	if collection == schema.Pages {
		return "page"
	}
	return "post"
}

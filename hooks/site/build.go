package site

import (
	"encoding/json"
	"html"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"bungalow/hooks/kit/address"
	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/theme"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

// build is one page in the making: the request, who the site is, the page's
// language, and what the cache must know of it.
type build struct {
	*Server
	*request
	site   settings.Site
	locale string
	deps   *cache.Deps // nil for a page that is not kept
}

// begin reads who the site is. An empty locale is the site's own.
func (s *Server) begin(r *request, locale string, deps *cache.Deps) (*build, error) {
	b, err := s.read(r, locale, deps)
	if err != nil {
		return nil, err
	}
	if b.site.ComingSoon { // it may have been closed since this request came
		inside, err := s.inside(r.RequestEvent)
		if err != nil {
			return nil, err
		}
		if !inside || deps != nil {
			return nil, errSoon
		}
	}
	return b, nil
}

// read is begin for whoever may come in or not.
func (s *Server) read(r *request, locale string, deps *cache.Deps) (*build, error) {
	b := &build{Server: s, request: r, locale: locale, deps: deps}
	b.uses(schema.Settings)
	site, err := settings.LoadSite(r.App)
	if err != nil {
		return nil, err
	}
	b.site = site
	if b.locale == "" {
		b.locale = site.Locale
	}
	return b, nil
}

func (b *build) uses(collection string, ids ...string) {
	if b.deps != nil {
		b.deps.Uses(collection, ids...)
	}
}

func (b *build) noStore() {
	if b.deps != nil {
		b.deps.NoStore()
	}
}

func (b *build) until(t time.Time) {
	if b.deps != nil {
		b.deps.Until(t)
	}
}

// has reports whether the content feature is on.
func (b *build) has() bool { return b.cfg.Content != nil }

// t is a text of the theme in the page's language.
func (b *build) t(key string, args ...any) string {
	return theme.Of(b.App).T(b.locale, key, args...)
}

// path is an address of the page's language: path("/blog/") is /de/blog/.
func (b *build) path(p string) string { return address.Prefix(b.site, b.locale) + p }

// absolute puts the site's address before a path.
func (b *build) absolute(path string) string {
	if strings.HasPrefix(path, "/") {
		return b.base + path
	}
	return path
}

// view begins the view of a page: everything that all pages show.
func (b *build) view(title, canonical string) (*View, error) {
	v := b.bare(title)
	v.Path = canonical
	if canonical != "" {
		v.Canonical = b.absolute(canonical)
	}
	if b.site.HideFromSearch {
		v.Robots = "noindex, nofollow"
	}
	var err error
	if v.Site.LogoURL, err = b.mediaURL(b.site.Logo); err != nil {
		return nil, err
	}
	if v.Site.FaviconURL, err = b.mediaURL(b.site.Favicon); err != nil {
		return nil, err
	}
	if !b.has() {
		v.Site.BlogURL, v.Site.ArchiveURL, v.Site.SearchURL = "", "", ""
		return v, nil
	}
	v.Feeds = []Feed{
		{Title: b.site.Title, Type: "application/atom+xml", URL: b.absolute(b.path("/feed.xml"))},
		{Title: b.site.Title, Type: "application/feed+json", URL: b.absolute(b.path("/feed.json"))},
	}
	if v.Menu, err = b.menu("main", canonical); err != nil {
		return nil, err
	}
	if v.FooterMenu, err = b.menu("footer", canonical); err != nil {
		return nil, err
	}
	v.Notice = b.notice()
	b.languages(v, nil)
	return v, nil
}

// bare is what can be shown without the database.
func (b *build) bare(title string) *View {
	return &View{
		Lang: b.locale, Dir: direction(b.locale), Title: title,
		Site: Site{
			Title: b.site.Title, Tagline: b.site.Tagline, URL: b.base, HomeURL: b.path("/"),
			BlogURL: b.path("/blog/"), ArchiveURL: b.path("/archive/"), SearchURL: b.path("/search/"),
			AccentHref: web.AccentHref(b.site.Accent),
			Locale:     b.locale, DefaultLocale: b.site.Locale, Locales: b.site.AllLocales(),
		},
	}
}

// direction is "rtl" for the languages that are written from the right.
func direction(locale string) string {
	language, _, _ := strings.Cut(locale, "-")
	if slices.Contains([]string{"ar", "fa", "he", "ps", "sd", "ug", "ur", "yi"}, language) {
		return "rtl"
	}
	return ""
}

// mediaURL is the address of a picture of the media library, "" for none.
func (b *build) mediaURL(id string) (string, error) {
	if id == "" || !b.has() {
		return "", nil
	}
	found, err := b.records(schema.Media, map[string]bool{id: true})
	if err != nil {
		return "", err
	}
	if r := found[id]; r != nil {
		if p := b.cfg.Content.Picture(r, ""); p != nil {
			return p.Src, nil
		}
	}
	return "", nil
}

// menu reads a menu; "main.de" wins over "main" on German pages.
func (b *build) menu(name, path string) ([]MenuItem, error) {
	b.uses(schema.Menus)
	names := []string{name}
	if b.locale != b.site.Locale {
		names = []string{name + "." + b.locale, name}
	}
	for _, n := range names {
		record, err := b.App.FindFirstRecordByData(schema.Menus, "name", n)
		if err != nil {
			continue
		}
		var items []MenuItem
		if err := json.Unmarshal([]byte(record.GetString("items")), &items); err != nil {
			continue
		}
		mark(items, path)
		return items, nil
	}
	return nil, nil
}

// mark says which entries are this page or lead to it.
func mark(items []MenuItem, path string) {
	for i := range items {
		item := &items[i]
		item.Current = item.URL == path
		item.Within = !item.Current && len(item.URL) > 1 && strings.HasPrefix(path, strings.TrimSuffix(item.URL, "/")+"/")
		mark(item.Children, path)
	}
}

// notices are the messages that a redirect may ask for; any other value of
// ?notice= shows nothing, so that a link can't put words into the site's mouth.
var notices = map[string]string{
	"sent": "success", "saved": "success", "held": "info", "removed": "success", "failed": "error",
}

func (b *build) notice() *Notice {
	key := b.Request.URL.Query().Get("notice")
	kind, known := notices[key]
	if !known {
		return nil
	}
	b.noStore()
	return &Notice{Kind: kind, Text: b.t("notice." + key)}
}

// languages fills the language switch and hreflang. translations maps a locale
// to this page's address in it; a language without one leads to its home page.
func (b *build) languages(v *View, translations map[string]string) {
	v.LocaleLinks, v.Alternates = nil, nil
	locales := b.site.AllLocales()
	if len(locales) < 2 {
		return
	}
	for _, l := range locales {
		url, translated := translations[l]
		if !translated {
			url = address.Prefix(b.site, l) + "/"
		}
		v.LocaleLinks = append(v.LocaleLinks, LocaleLink{Locale: l, Label: theme.Of(b.App).T(l, "language"), URL: url, Current: l == b.locale})
		if translated {
			v.Alternates = append(v.Alternates, Alternate{Locale: l, URL: b.absolute(url)})
		}
	}
	if url, ok := translations[b.site.Locale]; ok && len(v.Alternates) > 1 {
		v.Alternates = append(v.Alternates, Alternate{Locale: "x-default", URL: b.absolute(url)})
	}
	if len(v.Alternates) < 2 {
		v.Alternates = nil
	}
}

// everywhere maps each locale to the same path under its prefix.
func (b *build) everywhere(path string) map[string]string {
	out := map[string]string{}
	for _, l := range b.site.AllLocales() {
		out[l] = address.Prefix(b.site, l) + path
	}
	return out
}

// pagination links the pages of a list; at gives the address of one.
func pagination(page, perPage, total int, at func(n int) string) Pagination {
	pages := (total + perPage - 1) / perPage
	if pages < 2 {
		return Pagination{}
	}
	p := Pagination{Page: page, Pages: pages}
	if page > 1 {
		p.PrevURL = at(page - 1)
	}
	if page < pages {
		p.NextURL = at(page + 1)
	}
	last := 0
	for n := 1; n <= pages; n++ {
		if n != 1 && n != pages && (n < page-1 || n > page+1) {
			continue
		}
		if last != 0 && n != last+1 {
			p.Numbers = append(p.Numbers, PageNumber{})
		}
		p.Numbers = append(p.Numbers, PageNumber{Number: n, URL: at(n), Current: n == page})
		last = n
	}
	return p
}

// numbered is the address of page n of a list.
func numbered(list string) func(n int) string {
	return func(n int) string {
		if n == 1 {
			return list
		}
		return list + "page/" + itoa(n) + "/"
	}
}

// paragraphs makes safe HTML of plain text.
func paragraphs(text string) template.HTML {
	var out strings.Builder
	for p := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n") {
		if p = strings.TrimSpace(p); p != "" {
			out.WriteString("<p>" + strings.ReplaceAll(html.EscapeString(p), "\n", "<br>") + "</p>")
		}
	}
	return template.HTML(out.String()) // escaped above
}

// plainError is an error page made of nothing but the theme.
func (b *build) plainError(status int) (*cache.Entry, error) {
	v := b.bare("")
	v.Robots = "noindex"
	v.Error = &Error{Status: status}
	v.Title = b.t("error." + itoa(pageStatus(status)) + ".title")
	entry, err := b.render(status, "error", v, nil)
	if err != nil {
		return nil, err
	}
	entry.Header.Set("Cache-Control", "no-store")
	return entry, nil
}

// pageStatus is the status whose words stand for another.
func pageStatus(status int) int {
	if status >= 500 {
		return http.StatusInternalServerError
	}
	return http.StatusNotFound
}

// latest is the newest change of what a page shows.
func latest(times ...time.Time) time.Time {
	var out time.Time
	for _, t := range times {
		if t.After(out) {
			out = t
		}
	}
	return out
}

// text is a record's field, or the first of the others that is not empty.
func text(r *core.Record, fields ...string) string {
	for _, f := range fields {
		if s := r.GetString(f); s != "" {
			return s
		}
	}
	return ""
}

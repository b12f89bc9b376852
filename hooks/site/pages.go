package site

import (
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"bungalow/hooks/kit/address"
	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/theme"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

const (
	// homePosts is how many posts the home page shows below its lead.
	homePosts = 9
	// homeTags is how many topics it offers.
	homeTags = 12
	// contentsFrom is the reading time from which a text has a table of contents, in minutes.
	contentsFrom = 3
	// contentsLeast is how many headings such a table needs.
	contentsLeast = 3
	// offered is how many posts the 404 page offers instead.
	offered = 3
)

func (b *build) home() (*cache.Entry, error) {
	v, err := b.view("", b.path("/"))
	if err != nil {
		return nil, err
	}
	v.Description = firstOf(b.site.Description, b.site.Tagline)
	v.Home = &Home{}
	b.languages(v, b.everywhere("/"))
	v.JSONLD = []any{b.webSite()}
	if !b.has() {
		return b.render(http.StatusOK, "home", v, nil)
	}
	var rows []row
	if err := b.newest().Limit(homePosts + 1).WithContext(b.ctx).All(&rows); err != nil {
		return nil, fmt.Errorf("list posts: %w", err)
	}
	lead, err := b.lead(rows)
	if err != nil {
		return nil, err
	}
	if lead != nil {
		rest := make([]row, 0, len(rows))
		for _, r := range rows {
			if r.ID != lead.ID {
				rest = append(rest, r)
			}
		}
		rows = rest[:min(len(rest), homePosts)]
		c, err := b.company([]row{*lead})
		if err != nil {
			return nil, err
		}
		card := b.card(*lead, c, leadSizes)
		v.Home.Lead = &card
	}
	if v.Home.Posts, err = b.cards(rows); err != nil {
		return nil, err
	}
	v.Home.Tags, err = b.topics()
	if err != nil {
		return nil, err
	}
	return b.render(http.StatusOK, "home", v, nil)
}

// lead is the newest featured post, else the newest of all.
func (b *build) lead(rows []row) (*row, error) {
	var featured []row
	err := b.newest().AndWhere(dbx.HashExp{"posts.featured": true}).Limit(1).WithContext(b.ctx).All(&featured)
	if err != nil {
		return nil, fmt.Errorf("find the featured post: %w", err)
	}
	if len(featured) > 0 {
		return &featured[0], nil
	}
	if len(rows) > 0 {
		return &rows[0], nil
	}
	return nil, nil
}

// topics are the tags with most posts.
func (b *build) topics() ([]Link, error) {
	b.uses(schema.Tags)
	var tags []struct {
		Name string `db:"name"`
		Slug string `db:"slug"`
	}
	err := b.App.DB().Select("tags.name", "tags.slug").From(schema.Posts).
		InnerJoin("json_each(CASE WHEN json_valid(posts.tags) THEN posts.tags ELSE '[]' END) j", nil).
		InnerJoin("tags", dbx.NewExp("tags.id = j.value")).
		Where(b.public(schema.Posts)).GroupBy("tags.id").OrderBy("count(*) DESC", "tags.name").
		Limit(homeTags).WithContext(b.ctx).All(&tags)
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	links := make([]Link, len(tags))
	for i, t := range tags {
		links[i] = Link{Label: t.Name, URL: address.Tag(b.site, b.locale, t.Slug)}
	}
	return links, nil
}

func (b *build) post(slug string) (*cache.Entry, error) {
	if !b.has() {
		return nil, errNotFound
	}
	r, err := b.one(schema.Posts, dbx.HashExp{"slug": slug})
	if err != nil {
		return nil, err
	}
	return b.showPost(r)
}

func (b *build) showPost(r *core.Record) (*cache.Entry, error) {
	at := address.Post(b.site, r.GetString("locale"), r.GetString("slug"))
	v, err := b.written(r, at)
	if err != nil {
		return nil, err
	}
	c, err := b.company([]row{asRow(r)})
	if err != nil {
		return nil, err
	}
	post := &Post{PostCard: b.card(asRow(r), c, coverSizes), HTML: b.body(r), CommentsOpen: r.GetBool("comments_open")}
	post.TOC = b.contents(r)
	if cover := c.media[r.GetString("cover")]; cover != nil && post.Cover != nil {
		post.Cover.Caption = template.HTML(template.HTMLEscapeString(cover.GetString("caption")))
	}
	if updated := r.GetDateTime("updated").Time(); updated.Sub(post.PublishedAt) > 24*time.Hour && r.GetString("source_key") == "" {
		post.Updated = updated.In(b.site.Location())
	}
	if post.Writers, err = b.writers(r.GetStringSlice("authors")); err != nil {
		return nil, err
	}
	if err := b.around(r, post); err != nil {
		return nil, err
	}
	b.openGraph(v, r, post)
	v.Breadcrumbs = []Link{{Label: b.t("home"), URL: b.path("/")}, {Label: b.t("blog.title"), URL: b.path("/blog/")}}
	v.JSONLD = []any{b.article(r, post, v), b.crumbs(v.Breadcrumbs, r.GetString("title"), at)}
	v.Post = post
	return b.render(http.StatusOK, "post", v, r)
}

// around finds the posts before, after and like this one.
func (b *build) around(r *core.Record, post *Post) error {
	older, newer, err := b.neighbours(r)
	if err != nil {
		return err
	}
	for _, side := range []struct {
		rows []row
		to   **PostCard
	}{{older, &post.Prev}, {newer, &post.Next}} {
		cards, err := b.cards(side.rows)
		if err != nil {
			return err
		}
		if len(cards) > 0 {
			*side.to = &cards[0]
		}
	}
	related, err := b.related(r)
	if err != nil {
		return err
	}
	post.Related, err = b.cards(related)
	return err
}

// written begins the view of a post or page.
func (b *build) written(r *core.Record, at string) (*View, error) {
	v, err := b.view(firstOf(r.GetString("seo_title"), r.GetString("title")), at)
	if err != nil {
		return nil, err
	}
	v.Description = text(r, "seo_description", "excerpt", "summary")
	if c := r.GetString("canonical_url"); c != "" {
		v.Canonical = c
	}
	translations, err := b.translations(r, at)
	if err != nil {
		return nil, err
	}
	b.languages(v, translations)
	return v, nil
}

// translations are the addresses of the same text in other languages.
func (b *build) translations(r *core.Record, at string) (map[string]string, error) {
	out := map[string]string{r.GetString("locale"): at}
	group := r.GetString("translation_group")
	if group == "" {
		return out, nil
	}
	collection := r.Collection().Name
	b.uses(collection)
	others, err := b.App.FindAllRecords(collection, dbx.HashExp{"translation_group": group, "status": schema.StatusPublished},
		dbx.NewExp("published_at <= {:now}", dbx.Params{"now": now()}))
	if err != nil {
		return nil, fmt.Errorf("find translations: %w", err)
	}
	for _, o := range others {
		l := o.GetString("locale")
		if _, taken := out[l]; taken {
			continue
		}
		if collection == schema.Pages {
			out[l] = address.Page(b.site, l, o.GetString("path"))
		} else {
			out[l] = address.Post(b.site, l, o.GetString("slug"))
		}
	}
	return out, nil
}

// body is the stored HTML with what is only known now: sizes of pictures, and
// shortcodes.
func (b *build) body(r *core.Record) template.HTML {
	enriched, media := b.cfg.Content.Enrich(b.App, r.GetString("html"))
	if len(media) > 0 {
		b.uses(schema.Media, media...)
	}
	return theme.Of(b.App).Expand(enriched, theme.Place{App: b.App, Locale: b.locale, Uses: b.uses, NoStore: b.noStore})
}

func (b *build) contents(r *core.Record) []Heading {
	if r.GetInt("reading_minutes") < contentsFrom {
		return nil
	}
	headings := b.cfg.Content.Contents(r.GetString("html"))
	if len(headings) < contentsLeast {
		return nil
	}
	return headings
}

func (b *build) page(path string) (*cache.Entry, error) {
	if !b.has() {
		return nil, errNotFound
	}
	r, err := b.one(schema.Pages, dbx.HashExp{"path": path})
	if err != nil {
		return nil, err
	}
	return b.showPage(r)
}

func (b *build) showPage(r *core.Record) (*cache.Entry, error) {
	at := address.Page(b.site, r.GetString("locale"), r.GetString("path"))
	v, err := b.written(r, at)
	if err != nil {
		return nil, err
	}
	media, err := b.records(schema.Media, ids(r.GetString("cover")))
	if err != nil {
		return nil, err
	}
	page := &Page{Title: r.GetString("title"), Intro: r.GetString("excerpt"), HTML: b.body(r), TOC: b.contents(r),
		Cover: b.picture(media[r.GetString("cover")], coverSizes)}
	if page.Children, err = b.children(r); err != nil {
		return nil, err
	}
	if v.Breadcrumbs, err = b.parents(r); err != nil {
		return nil, err
	}
	v.JSONLD = []any{b.crumbs(v.Breadcrumbs, page.Title, at)}
	b.image(v, page.Cover)
	v.Page = page
	return b.render(http.StatusOK, "page", v, r)
}

// children are the public pages right below.
func (b *build) children(r *core.Record) ([]Link, error) {
	b.uses(schema.Pages)
	var rows []struct {
		Title string `db:"title"`
		Path  string `db:"path"`
	}
	err := b.App.DB().Select("title", "path").From(schema.Pages).Where(b.public(schema.Pages)).
		AndWhere(dbx.HashExp{"parent": r.Id}).OrderBy("position", "title").WithContext(b.ctx).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("list the pages below: %w", err)
	}
	var links []Link
	for _, c := range rows {
		links = append(links, Link{Label: c.Title, URL: address.Page(b.site, r.GetString("locale"), c.Path)})
	}
	return links, nil
}

// parents lead from the home page to the page's parent; one that a visitor may
// not see is passed over.
func (b *build) parents(r *core.Record) ([]Link, error) {
	crumbs := []Link{{Label: b.t("home"), URL: b.path("/")}}
	parts := strings.Split(r.GetString("path"), "/")
	for i := 1; i < len(parts); i++ {
		p, err := b.one(schema.Pages, dbx.HashExp{"path": strings.Join(parts[:i], "/")})
		if err == errNotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		crumbs = append(crumbs, Link{Label: p.GetString("title"), URL: address.Page(b.site, p.GetString("locale"), p.GetString("path"))})
	}
	return crumbs, nil
}

// errorPage is the page of an address that leads nowhere.
func (b *build) errorPage(status int) (*cache.Entry, error) {
	v, err := b.view(b.t("error."+itoa(pageStatus(status))+".title"), "")
	if err != nil {
		return nil, err
	}
	v.Robots = "noindex"
	v.Error = &Error{Status: status}
	if b.has() {
		var rows []row
		if err := b.newest().Limit(offered).WithContext(b.ctx).All(&rows); err != nil {
			return nil, fmt.Errorf("list posts: %w", err)
		}
		if v.Error.Posts, err = b.cards(rows); err != nil {
			return nil, err
		}
	}
	return b.render(status, "error", v, nil)
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// ids is a set of one id, or of none.
func ids(id string) map[string]bool {
	if id == "" {
		return nil
	}
	return map[string]bool{id: true}
}

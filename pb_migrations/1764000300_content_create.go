package pb_migrations

import (
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

// Limits of text fields, in characters.
const (
	maxTitle = 300
	maxSlug  = 200
	maxBody  = 2_000_000
)

// published is what a visitor may see of posts and pages.
const published = `(status = "published" && published_at <= @now)`

func init() {
	add(&Content, "1764000300_content_create.go", func(app core.App) error {
		steps := []func(core.App) (*core.Collection, error){
			media, authors, tags, posts, pages, menus, redirects, revisions,
		}
		for _, step := range steps {
			c, err := step(app)
			if err != nil {
				return err
			}
			if err := create(app, c); err != nil {
				return err
			}
		}
		if err := parentOfPages(app); err != nil {
			return err
		}
		return shownMedia(app)
	}, func(app core.App) error {
		return drop(app, schema.Revisions, schema.Redirects, schema.Menus,
			schema.Pages, schema.Posts, schema.Tags, schema.Authors, schema.Media)
	})
}

func media(core.App) (*core.Collection, error) {
	c := core.NewBaseCollection(schema.Media)
	write, manage := roles.Rule(roles.ContentWrite), roles.Rule(roles.MediaManage)
	rules{&write, &write, &write, &manage, &manage}.set(c)
	c.Fields.Add(
		// Kind, bytes and pixels are judged by content in hooks/content/media.
		&core.FileField{Name: "file", MaxSelect: 1, MaxSize: 64 << 20},
		&core.TextField{Name: "alt", Max: 1000},
		&core.TextField{Name: "caption", Max: 5000},
		&core.NumberField{Name: "width", OnlyInt: true},
		&core.NumberField{Name: "height", OnlyInt: true},
		&core.TextField{Name: "focal", Max: 20},
		&core.JSONField{Name: "sizes", MaxSize: 5000},
		&core.TextField{Name: "source_url", Max: 2000},
	)
	sourceKey(c)
	stamps(c)
	return c, nil
}

func authors(app core.App) (*core.Collection, error) {
	c := core.NewBaseCollection(schema.Authors)
	readBy("", roles.Rule(roles.ContentEdit)).set(c)
	mediaID, err := id(app, schema.Media)
	if err != nil {
		return nil, err
	}
	staffID, err := id(app, schema.Staff)
	if err != nil {
		return nil, err
	}
	c.Fields.Add(
		&core.TextField{Name: "name", Required: true, Max: 200, Presentable: true},
		&core.TextField{Name: "slug", Max: maxSlug},
		&core.TextField{Name: "bio", Max: 5000},
		&core.RelationField{Name: "avatar", CollectionId: mediaID, MaxSelect: 1},
		&core.URLField{Name: "url"},
		&core.RelationField{Name: "staff", CollectionId: staffID, MaxSelect: 1, Hidden: true},
	)
	sourceKey(c)
	stamps(c)
	c.AddIndex("idx_authors_slug", true, "slug", "")
	return c, nil
}

func tags(core.App) (*core.Collection, error) {
	c := core.NewBaseCollection(schema.Tags)
	readBy("", roles.Rule(roles.ContentEdit)).set(c)
	c.Fields.Add(
		&core.TextField{Name: "name", Required: true, Max: 200, Presentable: true},
		&core.TextField{Name: "slug", Max: maxSlug},
		&core.TextField{Name: "description", Max: 5000},
	)
	sourceKey(c)
	stamps(c)
	c.AddIndex("idx_tags_slug", true, "slug", "")
	return c, nil
}

// writing adds the fields that posts and pages share.
func writing(app core.App, c *core.Collection) error {
	mediaID, err := id(app, schema.Media)
	if err != nil {
		return err
	}
	authorsID, err := id(app, schema.Authors)
	if err != nil {
		return err
	}
	c.Fields.Add(
		&core.TextField{Name: "title", Required: true, Max: maxTitle, Presentable: true},
		&core.TextField{Name: "slug", Max: maxSlug},
		&core.TextField{Name: "locale", Max: 10},
		&core.SelectField{Name: "status", MaxSelect: 1, Required: true, Values: []string{
			schema.StatusDraft, schema.StatusScheduled, schema.StatusPublished, schema.StatusArchived}},
		&core.DateField{Name: "published_at"},
		&core.SelectField{Name: "format", MaxSelect: 1, Values: []string{schema.FormatHTML, schema.FormatMarkdown}},
		&core.TextField{Name: "body", Max: maxBody},
		&core.TextField{Name: "html", Max: 2 * maxBody},
		&core.TextField{Name: "excerpt", Max: 5000},
		// summary is made from the body; it stands in where excerpt is empty.
		&core.TextField{Name: "summary", Max: 1000},
		&core.NumberField{Name: "reading_minutes", OnlyInt: true},
		&core.RelationField{Name: "cover", CollectionId: mediaID, MaxSelect: 1},
		&core.RelationField{Name: "authors", CollectionId: authorsID, MaxSelect: 20},
		&core.BoolField{Name: "comments_open"},
		&core.TextField{Name: "seo_title", Max: maxTitle},
		&core.TextField{Name: "seo_description", Max: 1000},
		&core.URLField{Name: "canonical_url"},
		&core.TextField{Name: "translation_group", Max: 100},
		&core.DateField{Name: "announced_at", Hidden: true},
		&core.TextField{Name: "imported_hash", Max: 100, Hidden: true},
	)
	sourceKey(c)
	stamps(c)
	c.AddIndex("idx_"+c.Name+"_status", false, "status, published_at", "")
	c.AddIndex("idx_"+c.Name+"_group", false, "translation_group", "translation_group != ''")
	return nil
}

func posts(app core.App) (*core.Collection, error) {
	c := core.NewBaseCollection(schema.Posts)
	edit := roles.Rule(roles.ContentEdit)
	own := edit + " || (" + roles.Rule(roles.ContentWrite) + ` && authors.staff ?= @request.auth.id)`
	readBy(published+" || "+own, own).set(c)
	if err := writing(app, c); err != nil {
		return nil, err
	}
	tagsID, err := id(app, schema.Tags)
	if err != nil {
		return nil, err
	}
	c.Fields.Add(
		&core.RelationField{Name: "tags", CollectionId: tagsID, MaxSelect: 100},
		&core.BoolField{Name: "featured"},
	)
	c.AddIndex("idx_posts_slug", true, "locale, slug", "")
	return c, nil
}

func pages(app core.App) (*core.Collection, error) {
	c := core.NewBaseCollection(schema.Pages)
	edit := roles.Rule(roles.ContentEdit)
	readBy(published+" || "+edit, edit).set(c)
	if err := writing(app, c); err != nil {
		return nil, err
	}
	c.Fields.Add(
		&core.NumberField{Name: "position", OnlyInt: true},
		// path is the whole address without slashes at its ends: about/team.
		&core.TextField{Name: "path", Max: 1000},
	)
	c.AddIndex("idx_pages_path", false, "locale, path", "")
	return c, nil
}

// parentOfPages adds the relation to itself, which needs the saved collection.
func parentOfPages(app core.App) error {
	c, err := app.FindCollectionByNameOrId(schema.Pages)
	if err != nil {
		return err
	}
	if c.Fields.GetByName("parent") != nil {
		return nil
	}
	c.Fields.Add(&core.RelationField{Name: "parent", CollectionId: c.Id, MaxSelect: 1})
	c.AddIndex("idx_pages_slug", true, "locale, parent, slug", "")
	return app.Save(c)
}

// shownMedia lets anyone view, not list, a picture that a published text has as
// its cover or an author as a face. The rule needs the collections that point
// at media.
func shownMedia(app core.App) error {
	c, err := app.FindCollectionByNameOrId(schema.Media)
	if err != nil {
		return err
	}
	rule := roles.Rule(roles.ContentWrite) + ` || authors_via_avatar.id ?!= ""`
	for _, from := range []string{schema.Posts, schema.Pages} {
		rule += ` || (` + from + `_via_cover.status ?= "published" && ` + from + `_via_cover.published_at ?<= @now)`
	}
	c.ViewRule = &rule
	return app.Save(c)
}

func menus(core.App) (*core.Collection, error) {
	c := core.NewBaseCollection(schema.Menus)
	readBy("", roles.Rule(roles.ContentEdit)).set(c)
	c.Fields.Add(
		&core.TextField{Name: "name", Required: true, Max: 100, Presentable: true},
		&core.JSONField{Name: "items", MaxSize: 100_000},
	)
	sourceKey(c)
	stamps(c)
	c.AddIndex("idx_menus_name", true, "name", "")
	return c, nil
}

func redirects(core.App) (*core.Collection, error) {
	c := core.NewBaseCollection(schema.Redirects)
	staffOnly(roles.Rule(roles.ContentEdit)).set(c)
	c.Fields.Add(
		&core.TextField{Name: "from", Required: true, Max: 2000, Presentable: true},
		&core.TextField{Name: "to", Max: 2000},
		&core.SelectField{Name: "status", MaxSelect: 1, Values: []string{"301", "302", "307", "308", "410"}},
		&core.BoolField{Name: "prefix"},
		&core.NumberField{Name: "hits", OnlyInt: true},
	)
	sourceKey(c)
	stamps(c)
	c.AddIndex("idx_redirects_from", true, "`from`, prefix", "")
	return c, nil
}

func revisions(app core.App) (*core.Collection, error) {
	c := core.NewBaseCollection(schema.Revisions)
	edit := roles.Rule(roles.ContentEdit)
	rules{list: &edit, view: &edit}.set(c)
	staffID, err := id(app, schema.Staff)
	if err != nil {
		return nil, err
	}
	c.Fields.Add(
		&core.TextField{Name: "collection", Required: true, Max: 100},
		&core.TextField{Name: "record", Required: true, Max: 100},
		&core.JSONField{Name: "data", MaxSize: 8_000_000},
		&core.RelationField{Name: "staff", CollectionId: staffID, MaxSelect: 1},
		&core.TextField{Name: "note", Max: 500},
		&core.SelectField{Name: "state", MaxSelect: 1, Values: []string{"draft", "kept", "published"}},
	)
	stamps(c)
	c.AddIndex("idx_revisions_record", false, "collection, record, created", "")
	return c, nil
}

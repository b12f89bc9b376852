package content

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"bungalow/hooks/content/text"
	"bungalow/hooks/kit/address"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// saveNamed gives a tag or an author its slug and keeps its old address alive.
func saveNamed(e *core.RecordEvent) error {
	return inTransaction(e, func() error {
		r := e.Record
		clean(r, "name")
		if err := namedSlug(e.App, r); err != nil {
			return err
		}
		before, err := stored(e.App, r)
		if err != nil {
			return err
		}
		if err := e.Next(); err != nil || before == nil {
			return err
		}
		if r.Collection().Name == schema.Tags && before.GetString("name") != r.GetString("name") {
			if err := reindexTag(e.App, r.Id); err != nil {
				return err
			}
		}
		if before.GetString("slug") == r.GetString("slug") {
			return nil
		}
		site, err := settings.LoadSite(e.App)
		if err != nil {
			return err
		}
		at := address.Author
		if r.Collection().Name == schema.Tags {
			at = address.Tag
		}
		for _, locale := range site.AllLocales() {
			if err := leave(e.App, at(site, locale, before.GetString("slug")), at(site, locale, r.GetString("slug"))); err != nil {
				return err
			}
		}
		return nil
	})
}

func namedSlug(app core.App, r *core.Record) error {
	if given := r.GetString("slug"); given != "" {
		if r.IsNew() || given != r.Original().GetString("slug") {
			r.Set("slug", text.Slug(given))
		}
		return nil
	}
	wanted := text.Slug(r.GetString("name"))
	for n := 1; n < maxSuffix; n++ {
		try := wanted
		if n > 1 {
			try += "-" + strconv.Itoa(n)
		}
		var id string
		err := app.DB().Select("id").From(r.Collection().Name).Where(dbx.HashExp{"slug": try}).Limit(1).Row(&id)
		if errors.Is(err, sql.ErrNoRows) {
			r.Set("slug", try)
			return nil
		}
		if err != nil {
			return fmt.Errorf("find a free slug: %w", err)
		}
	}
	return invalid("slug", "validation_taken", "Too many records have this slug already. Choose another one.")
}

// deleteTag takes the tag's name out of the search entries of its posts.
func deleteTag(e *core.RecordEvent) error {
	return inTransaction(e, func() error {
		ids, err := postsWithTag(e.App, e.Record.Id)
		if err != nil {
			return err
		}
		if err := e.Next(); err != nil {
			return err
		}
		return reindexPosts(e.App, ids)
	})
}

// MenuItem is one line of a menu.
type MenuItem struct {
	Label    string     `json:"label"`
	URL      string     `json:"url"`
	Children []MenuItem `json:"children,omitempty"`
}

const (
	maxMenuItems = 200
	maxMenuDepth = 3
)

func validateMenu(e *core.RecordEvent) error {
	var items []MenuItem
	raw := e.Record.GetString("items")
	if raw != "" && raw != "null" {
		if err := json.Unmarshal([]byte(raw), &items); err != nil {
			return invalid("items", "validation_menu", `Write the menu as a list of {"label": …, "url": …, "children": […]}.`)
		}
	}
	count := 0
	if err := checkMenu(items, 1, &count); err != nil {
		return invalid("items", "validation_menu", err.Error())
	}
	return e.Next()
}

func checkMenu(items []MenuItem, depth int, count *int) error {
	if len(items) > 0 && depth > maxMenuDepth {
		return fmt.Errorf("A menu can be at most %d levels deep.", maxMenuDepth) //nolint:staticcheck // shown to people
	}
	for _, item := range items {
		if *count++; *count > maxMenuItems {
			return fmt.Errorf("A menu can have at most %d entries.", maxMenuItems) //nolint:staticcheck // shown to people
		}
		if strings.TrimSpace(item.Label) == "" {
			return fmt.Errorf("Each menu entry needs a label.") //nolint:staticcheck // shown to people
		}
		if !safeLink(item.URL) {
			return fmt.Errorf("%q can't be a menu link; write a path such as /about/ or a whole https address.", item.URL) //nolint:staticcheck // shown to people
		}
		if err := checkMenu(item.Children, depth+1, count); err != nil {
			return err
		}
	}
	return nil
}

// safeLink allows paths of this site and addresses that a browser may follow.
func safeLink(raw string) bool {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "":
		return u.Host == "" && (strings.HasPrefix(raw, "/") || strings.HasPrefix(raw, "#")) && !strings.HasPrefix(raw, `/\`)
	case "http", "https":
		return u.Host != ""
	case "mailto", "tel":
		return true
	}
	return false
}

// validateSite holds the site's identity to its limits.
func validateSite(e *core.RecordEvent) error {
	if e.Record.GetString("feature") == settings.SiteFeature {
		site := settings.SiteDefaults()
		if err := json.Unmarshal([]byte(e.Record.GetString("value")), &site); err != nil {
			return invalid("value", "validation_settings", "The site's settings can't be read: "+err.Error())
		}
		if err := site.Validate(); err != nil {
			return invalid("value", "validation_settings", err.Error())
		}
	}
	return e.Next()
}

package library

import (
	"encoding/json"
	"fmt"
	"strings"

	"bungalow/hooks/content"
	"bungalow/hooks/kit/address"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// AddMenu makes an empty menu. A taken name is a validation.Errors.
func AddMenu(app core.App, by By, name string) (*core.Record, error) {
	c, err := app.FindCachedCollectionByNameOrId(schema.Menus)
	if err != nil {
		return nil, fmt.Errorf("add a menu: %w", err)
	}
	record := core.NewRecord(c)
	return record, saveMenu(app, by, record, "menu.add", name, nil)
}

// SaveMenu writes the lines of a menu and its name. What can't be is a
// validation.Errors.
func SaveMenu(app core.App, by By, id, name string, lines []MenuLine) (*core.Record, error) {
	record, err := find(app, schema.Menus, id)
	if err != nil {
		return nil, err
	}
	return record, saveMenu(app, by, record, "menu.edit", name, lines)
}

func saveMenu(app core.App, by By, record *core.Record, action, name string, lines []MenuLine) error {
	items, err := json.Marshal(nested(lines))
	if err != nil {
		return fmt.Errorf("save a menu: %w", err)
	}
	record.Set("name", name)
	record.Set("items", string(items))
	err = app.RunInTransaction(func(tx core.App) error {
		if err := tx.Save(record); err != nil {
			return err
		}
		return told(tx, by, action, record, map[string]any{"name": name, "lines": len(lines)})
	})
	return wrap("save a menu", err)
}

// DeleteMenu deletes a menu and gives the address that takes it back.
func DeleteMenu(app core.App, by By, id string) (undoAt string, err error) {
	err = app.RunInTransaction(func(tx core.App) error {
		record, err := find(tx, schema.Menus, id)
		if err != nil {
			return err
		}
		u := undo{Back: "/desk/menus/", Restore: []former{formerly(record)}}
		if err := tx.Delete(record); err != nil {
			return err
		}
		if undoAt, err = keepUndo(tx, by, u); err != nil {
			return err
		}
		return told(tx, by, "menu.delete", record, map[string]string{"name": record.GetString("name")})
	})
	return undoAt, wrap("delete a menu", err)
}

// Target is something that a menu can lead to.
type Target struct{ Label, URL string }

// Targets are what a menu is offered: pages, tags and the latest posts.
type Targets struct{ Pages, Tags, Posts []Target }

const (
	maxTargetPages = 300
	maxTargetTags  = 200
	maxTargetPosts = 50
)

// MenuTargets lists what a menu can lead to.
func MenuTargets(app core.App) (Targets, error) {
	t := Targets{Pages: []Target{{"Home", "/"}, {"Blog", "/blog/"}, {"Archive", "/archive/"}, {"Search", "/search/"}}}
	site, err := settings.LoadSite(app)
	if err != nil {
		return t, err
	}
	var rows []struct {
		Name   string `db:"name"`
		Slug   string `db:"slug"`
		Locale string `db:"locale"`
	}
	published := dbx.HashExp{"status": schema.StatusPublished}
	err = app.DB().Select("title AS name", "path AS slug", "locale").From(schema.Pages).Where(published).OrderBy("path").Limit(maxTargetPages).All(&rows)
	if err != nil {
		return t, fmt.Errorf("list pages: %w", err)
	}
	for _, r := range rows {
		if at := address.Page(site, r.Locale, r.Slug); at != "/home/" {
			t.Pages = append(t.Pages, Target{r.Name, at})
		}
	}
	rows = nil
	if err := app.DB().Select("name", "slug").From(schema.Tags).OrderBy("name").Limit(maxTargetTags).All(&rows); err != nil {
		return t, fmt.Errorf("list tags: %w", err)
	}
	for _, r := range rows {
		t.Tags = append(t.Tags, Target{r.Name, address.Tag(site, site.Locale, r.Slug)})
	}
	rows = nil
	err = app.DB().Select("title AS name", "slug", "locale").From(schema.Posts).Where(published).OrderBy("published_at DESC").Limit(maxTargetPosts).All(&rows)
	if err != nil {
		return t, fmt.Errorf("list posts: %w", err)
	}
	for _, r := range rows {
		t.Posts = append(t.Posts, Target{r.Name, address.Post(site, r.Locale, r.Slug)})
	}
	return t, nil
}

// lead marks the lines whose address on this site shows nothing.
func lead(app core.App, lines []MenuLine) error {
	for i := range lines {
		path, _, _ := strings.Cut(lines[i].URL, "#")
		path, _, _ = strings.Cut(path, "?")
		if path == "/" || !strings.HasPrefix(path, "/") {
			continue
		}
		normal := address.Normal(path)
		title, err := livesAt(app, normal)
		if err != nil {
			return err
		}
		if title != "" {
			continue
		}
		_, found, err := content.FindRedirect(app, normal, "")
		if err != nil {
			return err
		}
		lines[i].Nowhere = !found
	}
	return nil
}

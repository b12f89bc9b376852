package drafts

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"bungalow/hooks/content/text"
	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// MaxNewTags is how many tags one save can make.
const MaxNewTags = 20

// EnsureTags gives the ids of the tags with these names, in their order, and
// makes those that are not there yet. Case and accents make no new tag.
func EnsureTags(app core.App, by By, names []string) ([]string, error) {
	if !roles.Allows(by.Person, roles.ContentWrite) {
		return nil, ErrMissing
	}
	var ids []string
	err := app.RunInTransaction(func(tx core.App) error {
		ids = nil
		for _, name := range names[:min(len(names), MaxNewTags)] {
			if name = strings.Join(strings.Fields(name), " "); name == "" {
				continue
			}
			id, err := ensureTag(tx, by, name)
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return nil
	})
	return ids, err
}

func ensureTag(tx core.App, by By, name string) (string, error) {
	var id string
	err := tx.DB().Select("id").From(schema.Tags).
		Where(dbx.Or(dbx.NewExp("name = {:name} COLLATE NOCASE", dbx.Params{"name": name}), dbx.HashExp{"slug": text.Slug(name)})).
		OrderBy("created", "id").Limit(1).Row(&id)
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	c, err := tx.FindCachedCollectionByNameOrId(schema.Tags)
	if err != nil {
		return "", fmt.Errorf("make a tag: %w", err)
	}
	tag := core.NewRecord(c)
	tag.Set("name", name)
	if err := tx.Save(tag); err != nil {
		return "", fmt.Errorf("make a tag: %w", err)
	}
	return tag.Id, audit.Write(tx, by.Actor, "tag.create", schema.Tags, tag.Id, map[string]string{"name": tag.GetString("name")})
}

// Translations lists the other versions of a text in other languages.
func Translations(app core.App, record *core.Record) ([]Line, error) {
	group := record.GetString("translation_group")
	if group == "" {
		return nil, nil
	}
	var lines []Line
	err := app.DB().Select("id", "title", "status", "locale").From(record.Collection().Name).
		Where(dbx.HashExp{"translation_group": group}).AndWhere(dbx.Not(dbx.HashExp{"id": record.Id})).
		OrderBy("locale", "id").Limit(50).All(&lines)
	if err != nil {
		return nil, fmt.Errorf("find translations: %w", err)
	}
	return lines, nil
}

// Translate begins a translation: a draft in another language that holds the
// same words, in one group with the first.
func Translate(app core.App, by By, collection, id, locale string) (*core.Record, error) {
	var made *core.Record
	err := app.RunInTransaction(func(tx core.App) error {
		record, err := Open(tx, by.Person, collection, id)
		if err != nil {
			return err
		}
		others, err := Translations(tx, record)
		if err != nil {
			return err
		}
		for _, o := range others {
			if o.Locale == locale {
				made, err = Open(tx, by.Person, collection, o.ID)
				return err
			}
		}
		if record.GetString("translation_group") == "" {
			record.Set("translation_group", record.Id)
			if err := tx.Save(record); err != nil {
				return err
			}
		}
		v := VersionOf(record).With(Version{"locale": locale, "slug": "", "parent": "", "canonical_url": ""})
		made, err = Create(tx, by, collection, v)
		return err
	})
	return made, err
}

package pb_migrations

import (
	"fmt"

	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

// The media library asks whose a file is, what kind, how large, and since when
// it is in the bin.
func init() {
	names := []string{"owner", "kind", "bytes", "trashed_at"}
	add(&Content, "1764001500_media_library.go", func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(schema.Media)
		if err != nil {
			return fmt.Errorf("find collection %s: %w", schema.Media, err)
		}
		if c.Fields.GetByName("trashed_at") != nil {
			return nil
		}
		staff, err := id(app, schema.Staff)
		if err != nil {
			return err
		}
		c.Fields.Add(
			&core.RelationField{Name: "owner", CollectionId: staff, MaxSelect: 1},
			// kind and bytes follow from the file.
			&core.TextField{Name: "kind", Max: 20},
			&core.NumberField{Name: "bytes", OnlyInt: true},
			&core.DateField{Name: "trashed_at"},
		)
		c.AddIndex("idx_media_created", false, "trashed_at, created", "")
		c.AddIndex("idx_media_kind", false, "trashed_at, kind, created", "")
		c.AddIndex("idx_media_owner", false, "trashed_at, owner, created", "")
		ownMedia(c)
		if err := app.Save(c); err != nil {
			return err
		}
		_, err = app.DB().NewQuery(`UPDATE media SET kind = CASE
			WHEN file = '' OR json_extract(sizes, '$.format') != '' THEN 'image'
			WHEN file LIKE '%.mp4' OR file LIKE '%.webm' OR file LIKE '%.mov' THEN 'video'
			WHEN file LIKE '%.mp3' OR file LIKE '%.m4a' OR file LIKE '%.ogg' OR file LIKE '%.wav' THEN 'audio'
			WHEN file LIKE '%.pdf' OR file LIKE '%.doc%' OR file LIKE '%.odt' OR file LIKE '%.txt' THEN 'document'
			ELSE 'other' END WHERE kind = ''`).Execute()
		return err
	}, func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(schema.Media)
		if err != nil {
			return nil //nolint:nilerr // it is gone, and its columns with it
		}
		write := roles.Rule(roles.ContentWrite)
		c.ListRule, c.ViewRule, c.UpdateRule = &write, &write, &write
		for _, index := range []string{"idx_media_created", "idx_media_kind", "idx_media_owner"} {
			c.RemoveIndex(index)
		}
		for _, name := range names {
			c.Fields.RemoveByName(name)
		}
		if err := app.Save(c); err != nil {
			return err
		}
		return shownMedia(app)
	})
}

// ownMedia lets those who write see and change what they brought, and those
// who manage the media everything. A visitor views, and can't list, what a
// published text or an author shows.
func ownMedia(c *core.Collection) {
	own := roles.Rule(roles.MediaManage) + " || (" + roles.Rule(roles.ContentWrite) + " && owner = @request.auth.id)"
	shown := `authors_via_avatar.id ?!= ""`
	for _, from := range []string{schema.Posts, schema.Pages} {
		shown += ` || (` + from + `_via_cover.status ?= "published" && ` + from + `_via_cover.published_at ?<= @now)`
	}
	view := own + ` || (trashed_at = "" && (` + shown + `))`
	c.ListRule, c.ViewRule, c.UpdateRule = &own, &view, &own
}

package media

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Values of Use.Place.
const (
	PlaceCover = "cover" // of a post or page
	PlaceBody  = "body"  // within a text
	PlacePhoto = "photo" // of an author
	PlaceLogo  = "logo"  // of the site
	PlaceDraft = "draft" // in a version that is no visitor's yet, or in the bin
)

// Use says where a file is shown. A Collection of revisions names the version.
type Use struct {
	Media      string `db:"media"`
	Collection string `db:"collection"`
	Record     string `db:"record"`
	Place      string `db:"place"`
}

// Uses lists where a file is shown.
func Uses(app core.App, id string) ([]Use, error) {
	var uses []Use
	err := app.DB().Select("media", "collection", "record", "place").From("_media_uses").
		Where(dbx.HashExp{"media": id}).OrderBy("collection", "record").All(&uses)
	if err != nil {
		return nil, fmt.Errorf("list the uses of a file: %w", err)
	}
	return uses, nil
}

// CountUses counts, for each of the files, the records that show it.
func CountUses(app core.App, ids ...string) (map[string]int, error) {
	in := make([]any, len(ids))
	for i, id := range ids {
		in[i] = id
	}
	var rows []struct {
		Media string `db:"media"`
		N     int    `db:"n"`
	}
	err := app.DB().Select("media", "count(DISTINCT collection || record) AS n").From("_media_uses").
		Where(dbx.In("media", in...)).GroupBy("media").All(&rows)
	if err != nil {
		return nil, fmt.Errorf("count the uses of files: %w", err)
	}
	counts := map[string]int{}
	for _, r := range rows {
		counts[r.Media] = r.N
	}
	return counts, nil
}

// showing are the collections whose records may show a file.
var showing = []string{schema.Posts, schema.Pages, schema.Authors, schema.Revisions, schema.Settings}

func bindUses(app core.App) {
	app.OnRecordCreateExecute(showing...).BindFunc(noteUses)
	app.OnRecordUpdateExecute(showing...).BindFunc(noteUses)
	app.OnRecordDeleteExecute(append([]string{schema.Media}, showing...)...).BindFunc(forgetUses)
}

// noteUses writes down what a record shows, in one transaction with it.
func noteUses(e *core.RecordEvent) error {
	outer := e.App
	defer func() { e.App = outer }()
	return outer.RunInTransaction(func(tx core.App) error {
		e.App = tx
		if err := e.Next(); err != nil {
			return err
		}
		at := dbx.HashExp{"collection": e.Record.Collection().Name, "record": e.Record.Id}
		if _, err := tx.DB().Delete("_media_uses", at).Execute(); err != nil {
			return fmt.Errorf("note the uses of files: %w", err)
		}
		for _, use := range usesOf(e.Record) {
			_, err := tx.DB().NewQuery("INSERT OR IGNORE INTO {{_media_uses}} VALUES ({:m}, {:c}, {:r}, {:p})").
				Bind(dbx.Params{"m": use.Media, "c": use.Collection, "r": use.Record, "p": use.Place}).Execute()
			if err != nil {
				return fmt.Errorf("note the uses of files: %w", err)
			}
		}
		return nil
	})
}

func forgetUses(e *core.RecordEvent) error {
	if err := e.Next(); err != nil {
		return err
	}
	where := dbx.HashExp{"collection": e.Record.Collection().Name, "record": e.Record.Id}
	if e.Record.Collection().Name == schema.Media {
		where = dbx.HashExp{"media": e.Record.Id}
	}
	if _, err := e.App.DB().Delete("_media_uses", where).Execute(); err != nil {
		return fmt.Errorf("forget the uses of files: %w", err)
	}
	return nil
}

// inText finds the ids of files in the addresses that a text shows.
var inText = regexp.MustCompile(`/media/([a-z0-9]{15})/`)

// usesOf reads what a record shows. Earlier versions of a text count no more:
// what they show may go.
func usesOf(r *core.Record) []Use {
	var uses []Use
	add := func(id, place string) {
		if id != "" {
			uses = append(uses, Use{id, r.Collection().Name, r.Id, place})
		}
	}
	within := func(text, place string) {
		if strings.Contains(text, "/media/") {
			for _, found := range inText.FindAllStringSubmatch(text, -1) {
				add(found[1], place)
			}
		}
	}
	switch r.Collection().Name {
	case schema.Posts, schema.Pages:
		add(r.GetString("cover"), PlaceCover)
		within(r.GetString("html"), PlaceBody)
	case schema.Authors:
		add(r.GetString("avatar"), PlacePhoto)
	case schema.Revisions:
		switch r.GetString("state") {
		case schema.RevisionDraft, schema.RevisionScheduled, schema.RevisionBinned:
			var data struct {
				Cover string `json:"cover"`
			}
			_ = json.Unmarshal([]byte(r.GetString("data")), &data) // one that can't be read shows nothing
			add(data.Cover, PlaceDraft)
			within(r.GetString("data"), PlaceDraft)
		}
	case schema.Settings:
		if r.GetString("feature") == settings.SiteFeature {
			var site settings.Site
			_ = json.Unmarshal([]byte(r.GetString("value")), &site)
			add(site.Logo, PlaceLogo)
		}
	}
	return uses
}

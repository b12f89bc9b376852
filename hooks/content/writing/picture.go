package writing

import (
	"cmp"
	"iter"
	"maps"
	"net/http"

	"bungalow/hooks/content/library"
	"bungalow/hooks/content/media"
	"bungalow/hooks/content/text"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/web"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/tools/types"
)

// coverChoice is how many pictures are offered without a script.
const coverChoice = 60

// recent lists the newest pictures that the person may use.
func recent(e *desk.Event) ([]library.File, error) {
	who := by(e)
	records, _, err := library.Files(e.App, library.By{Person: who.Person, Actor: who.Actor}, library.Filter{Kind: media.KindImage}, 1, coverChoice)
	if err != nil {
		return nil, err
	}
	files := make([]library.File, len(records))
	for i, r := range records {
		files[i] = library.Describe(r)
	}
	return files, nil
}

// render answers the live preview: a body as the site would show it.
func render(e *desk.Event) error {
	values, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	made, err := text.Render(cmp.Or(values.Get("format"), schema.FormatMarkdown), values.Get("body"))
	if err != nil {
		return e.JSON(http.StatusUnprocessableEntity, map[string]any{"message": e.T(err.Error())})
	}
	return e.JSON(http.StatusOK, map[string]any{"html": made.HTML, "words": made.Words, "minutes": made.Minutes})
}

func inZone(at types.DateTime, site settings.Site) types.DateTime {
	moved, _ := types.ParseDateTime(at.Time().In(site.Location()))
	return moved
}

func mapKeys(m validation.Errors) iter.Seq[string] { return maps.Keys(m) }

package library

import (
	"fmt"

	"bungalow/hooks/content"
	"bungalow/hooks/content/drafts"
	"bungalow/hooks/content/media"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"github.com/pocketbase/pocketbase/core"
)

// Shown is one place where a file is shown, as a person may know of it.
type Shown struct {
	Title string // "" where it is somebody else's and not public
	Where string // English: "Post", "Draft of a post", "Author", …
	Place string // a place of media.Use
	Href  string // "" where the person can't go
}

// maxShown is how many places a page lists.
const maxShown = 100

// ShownIn lists where a file is shown. Of what the person may not read there is
// neither title nor address.
func ShownIn(app core.App, by By, id string) (list []Shown, total int, err error) {
	uses, err := media.Uses(app, id)
	if err != nil {
		return nil, 0, err
	}
	for _, use := range uses[:min(len(uses), maxShown)] {
		shown, err := shownIn(app, by, use)
		if err != nil {
			return nil, 0, err
		}
		list = append(list, shown)
	}
	return list, len(uses), nil
}

func shownIn(app core.App, by By, use media.Use) (Shown, error) {
	switch use.Collection {
	case schema.Settings:
		return Shown{Title: "The site", Where: "Settings", Place: use.Place}, nil
	case schema.Authors:
		record, err := app.FindRecordById(schema.Authors, use.Record)
		if err != nil {
			return Shown{}, fmt.Errorf("find an author: %w", err)
		}
		s := Shown{Title: record.GetString("name"), Where: "Author", Place: use.Place}
		if drafts.EditsAll(by.Person) {
			s.Href = "/desk/authors/" + record.Id + "/"
		}
		return s, nil
	case schema.Revisions:
		return shownInVersion(app, by, use)
	}
	record, err := app.FindRecordById(use.Collection, use.Record)
	if err != nil {
		return Shown{}, fmt.Errorf("find a text: %w", err)
	}
	return shownInText(app, by, record, use.Place, textKinds[use.Collection])
}

var (
	textKinds  = map[string]string{schema.Posts: "Post", schema.Pages: "Page"}
	draftKinds = map[string]string{schema.Posts: "Draft of a post", schema.Pages: "Draft of a page"}
)

func shownInText(app core.App, by By, record *core.Record, place, where string) (Shown, error) {
	s := Shown{Where: where, Place: place}
	may, err := drafts.May(app, by.Person, record)
	if err != nil {
		return s, err
	}
	switch {
	case may:
		s.Title, s.Href = record.GetString("title"), "/desk/"+record.Collection().Name+"/"+record.Id+"/"
	case content.IsPublic(record) && place != media.PlaceDraft:
		site, err := settings.LoadSite(app)
		if err != nil {
			return s, err
		}
		s.Title, s.Href = record.GetString("title"), content.Address(site, record)
	}
	return s, nil
}

// shownInVersion is for the next version of a text, or for a text in the bin.
func shownInVersion(app core.App, by By, use media.Use) (Shown, error) {
	row, err := app.FindRecordById(schema.Revisions, use.Record)
	if err != nil {
		return Shown{}, fmt.Errorf("find a version: %w", err)
	}
	s := Shown{Where: draftKinds[row.GetString("collection")], Place: use.Place}
	if row.GetString("state") == schema.RevisionBinned {
		s.Where = "In the bin"
		if drafts.EditsAll(by.Person) {
			s.Title = row.GetString("title")
		}
		return s, nil
	}
	record, err := app.FindRecordById(row.GetString("collection"), row.GetString("record"))
	if err != nil {
		return s, nil //nolint:nilerr // its text is gone
	}
	return shownInText(app, by, record, use.Place, s.Where)
}

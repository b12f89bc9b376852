package inbox

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/settings"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
)

// Canned is an answer that is kept to be used again.
type Canned struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Text  string `json:"text"` // with placeholders: {{name}}, {{subject}}, {{number}}, {{me}}, {{site}}
}

// SavedView is a filter that somebody keeps.
type SavedView struct {
	Name  string `json:"name"`
	Query string `json:"query"` // of the list's address
}

const (
	cannedRecord = "inbox_canned"
	viewsRecord  = "inbox_views"
	maxCanned    = 200
	maxViews     = 20
)

type cannedList struct {
	Items []Canned `json:"items"`
}

type viewList struct {
	People map[string][]SavedView `json:"people"`
}

// CannedReplies lists them by title.
func CannedReplies(app core.App) ([]Canned, error) {
	list, err := settings.Load(app, cannedRecord, cannedList{})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list.Items, func(a, b Canned) int { return cmp.Compare(strings.ToLower(a.Title), strings.ToLower(b.Title)) })
	return list.Items, nil
}

// SaveCanned adds one, or changes the one with its id. Its errors are
// validation.Errors by the fields title and text.
func SaveCanned(app core.App, by audit.Actor, c Canned) error {
	c.Title, c.Text = line(c.Title, 100), body(c.Text, 20_000)
	errs := validation.Errors{}
	if c.Title == "" {
		errs["title"] = validation.NewError("validation_required", "Give it a title by which you find it.")
	}
	if c.Text == "" {
		errs["text"] = validation.NewError("validation_required", "Write what the answer says.")
	}
	if len(errs) > 0 {
		return errs
	}
	return app.RunInTransaction(func(tx core.App) error {
		list, err := settings.Load(tx, cannedRecord, cannedList{})
		if err != nil {
			return err
		}
		at := slices.IndexFunc(list.Items, func(o Canned) bool { return o.ID == c.ID })
		switch {
		case at >= 0:
			list.Items[at] = c
		case len(list.Items) >= maxCanned:
			return validation.Errors{"title": validation.NewError("validation_length", fmt.Sprintf("There may be %d of these; delete one first.", maxCanned))}
		default:
			c.ID = core.GenerateDefaultRandomId()
			list.Items = append(list.Items, c)
		}
		if err := settings.Save(tx, cannedRecord, list); err != nil {
			return err
		}
		return note(tx, by, "canned.save", nil, map[string]any{"title": c.Title})
	})
}

// DeleteCanned removes one; an unknown id is no error.
func DeleteCanned(app core.App, by audit.Actor, id string) error {
	return app.RunInTransaction(func(tx core.App) error {
		list, err := settings.Load(tx, cannedRecord, cannedList{})
		if err != nil {
			return err
		}
		list.Items = slices.DeleteFunc(list.Items, func(c Canned) bool { return c.ID == id })
		if err := settings.Save(tx, cannedRecord, list); err != nil {
			return err
		}
		return note(tx, by, "canned.delete", nil, map[string]any{"id": id})
	})
}

// Fill puts values for the placeholders of a canned reply. A visitor without a
// name is greeted without one.
func Fill(app core.App, text string, conversation *core.Record, me string) string {
	site := app.Settings().Meta.AppName
	if s, err := settings.LoadSite(app); err == nil {
		site = s.Title
	}
	name := conversation.GetString("name")
	first, _, _ := strings.Cut(name, " ")
	out := strings.NewReplacer(
		"{{name}}", name, "{{first_name}}", first, "{{subject}}", conversation.GetString("subject"),
		"{{number}}", conversation.GetString("number"), "{{me}}", me, "{{site}}", site,
		"{{date}}", time.Now().UTC().Format("2 January 2006"),
	).Replace(text)
	if name == "" {
		out = strings.NewReplacer(" ,", ",", " !", "!").Replace(out)
	}
	return out
}

// SavedViews are the filters that a person keeps.
func SavedViews(app core.App, person string) ([]SavedView, error) {
	list, err := settings.Load(app, viewsRecord, viewList{})
	return list.People[person], err
}

// SaveView keeps a filter under a name, in place of one of that name; an empty
// query forgets it.
func SaveView(app core.App, person string, v SavedView) error {
	v.Name, v.Query = line(v.Name, 60), line(strings.TrimPrefix(v.Query, "?"), 500)
	if v.Name == "" {
		return validation.Errors{"name": validation.NewError("validation_required", "Give the filter a name.")}
	}
	return app.RunInTransaction(func(tx core.App) error {
		list, err := settings.Load(tx, viewsRecord, viewList{})
		if err != nil {
			return err
		}
		if list.People == nil {
			list.People = map[string][]SavedView{}
		}
		views := slices.DeleteFunc(list.People[person], func(o SavedView) bool { return o.Name == v.Name })
		if v.Query != "" {
			if len(views) >= maxViews {
				return validation.Errors{"name": validation.NewError("validation_length", fmt.Sprintf("You may keep %d filters; forget one first.", maxViews))}
			}
			views = append(views, v)
		}
		list.People[person] = views
		return settings.Save(tx, viewsRecord, list)
	})
}

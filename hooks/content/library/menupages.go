package library

import (
	"errors"
	"net/http"
	"strings"

	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/web"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
)

func menuPages() []desk.Page {
	return []desk.Page{
		{Path: "menus", Access: edit, Do: menuList, Menu: &desk.Menu{Group: desk.GroupContent, Label: "Menus", Icon: "list", Order: 50}},
		{Path: "menus/{id}", Access: edit, Do: menuForm},
		{Method: http.MethodPost, Path: "menus", Access: edit, Do: addMenu},
		{Method: http.MethodPost, Path: "menus/{id}", Access: edit, Do: saveMenuForm},
		{Method: http.MethodPost, Path: "menus/{id}/arrange", Access: edit, Do: arrangeMenu},
		{Method: http.MethodPost, Path: "menus/{id}/delete", Access: edit, Do: deleteMenu},
	}
}

// menusPage lists the menus.
type menusPage struct {
	Items  []menuRow
	Name   string
	Free   []string // names that the theme has a place for and that are free
	Errors map[string]string
}

type menuRow struct {
	ID, Name string
	Lines    int
	Shown    bool
}

// themeMenus are the menus that the built-in theme shows.
var themeMenus = []string{"main", "footer"}

func menuList(e *desk.Event) error { return drawMenus(e, http.StatusOK, menusPage{}) }

func drawMenus(e *desk.Event, status int, data menusPage) error {
	var list []*core.Record
	if err := e.App.RecordQuery(schema.Menus).OrderBy("name").Limit(maxOthers).All(&list); err != nil {
		return err
	}
	there := map[string]bool{}
	for _, r := range list {
		lines, err := itemsOf(r.GetString("items"))
		if err != nil {
			return err
		}
		name := r.GetString("name")
		there[name] = true
		place, _, _ := strings.Cut(name, ".")
		data.Items = append(data.Items, menuRow{r.Id, name, len(lines), place == themeMenus[0] || place == themeMenus[1]})
	}
	for _, name := range themeMenus {
		if !there[name] {
			data.Free = append(data.Free, name)
		}
	}
	return e.RenderStatus(status, "desk/library/menus.html", e.T("Menus"), data, styles)
}

func addMenu(e *desk.Event) error {
	form, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	record, err := AddMenu(e.App, by(e), strings.TrimSpace(form.Get("name")))
	var invalid validation.Errors
	if errors.As(err, &invalid) {
		return drawMenus(e, http.StatusUnprocessableEntity, menusPage{Name: form.Get("name"), Errors: beside(e, invalid)})
	}
	if err != nil {
		return err
	}
	return e.Redirect(http.StatusSeeOther, desk.Href("menus/"+record.Id))
}

// menuPage is the form of one menu.
type menuPage struct {
	ID, Name string
	Lines    []MenuLine
	Tree     any // what a visitor sees
	Targets  Targets
	Unsaved  bool
	At       int // the line that was just moved, from 1
	Errors   map[string]string
	Max      int
}

func menuForm(e *desk.Event) error {
	record, err := find(e.App, schema.Menus, e.Request.PathValue("id"))
	if err != nil {
		return refuse(e, err)
	}
	lines, err := itemsOf(record.GetString("items"))
	if err != nil {
		return err
	}
	return drawMenu(e, http.StatusOK, menuPage{ID: record.Id, Name: record.GetString("name"), Lines: lines})
}

// maxMenuLines is how many lines a menu has (content holds it).
const maxMenuLines = 200

func drawMenu(e *desk.Event, status int, data menuPage) error {
	if err := lead(e.App, data.Lines); err != nil {
		return err
	}
	targets, err := MenuTargets(e.App)
	if err != nil {
		return err
	}
	data.Targets, data.Tree, data.Max = targets, nested(data.Lines), maxMenuLines
	return e.RenderStatus(status, "desk/library/menu.html", e.T("Menu %s", data.Name), data, styles, "/assets/js/desk-menu.js")
}

// formOfMenu reads the form; the menu must be there.
func formOfMenu(e *desk.Event) (menuPage, web.Values, error) {
	form, err := web.Read(e.RequestEvent)
	if err != nil {
		return menuPage{}, nil, err
	}
	if _, err := find(e.App, schema.Menus, e.Request.PathValue("id")); err != nil {
		return menuPage{}, nil, refuse(e, err)
	}
	return menuPage{ID: e.Request.PathValue("id"), Name: strings.TrimSpace(form.Get("name")), Lines: linesOf(form)}, form, nil
}

// arrangeMenu does one step and shows the form again; nothing is saved yet.
func arrangeMenu(e *desk.Event) error {
	data, form, err := formOfMenu(e)
	if err != nil {
		return err
	}
	act, at := step(form.Get("do"))
	data.Unsaved = true
	if act != "add" {
		data.Lines, data.At = Arrange(data.Lines, act, at), at+1
		return drawMenu(e, http.StatusOK, data)
	}
	line := MenuLine{Label: strings.TrimSpace(form.Get("new_label")), URL: strings.TrimSpace(form.Get("new_url"))}
	if line.URL == "" {
		var label string
		line.URL, label, _ = strings.Cut(form.Get("target"), " ")
		if line.Label == "" {
			line.Label = label
		}
	}
	if line.URL == "" || line.Label == "" {
		data.Errors = map[string]string{"new": e.T("Choose where the line leads, or write a label and an address.")}
		return drawMenu(e, http.StatusUnprocessableEntity, data)
	}
	if len(data.Lines) < maxMenuLines {
		data.Lines = append(data.Lines, line)
	}
	data.At = len(data.Lines)
	return drawMenu(e, http.StatusOK, data)
}

func saveMenuForm(e *desk.Event) error {
	data, _, err := formOfMenu(e)
	if err != nil {
		return err
	}
	_, err = SaveMenu(e.App, by(e), data.ID, data.Name, data.Lines)
	var invalid validation.Errors
	if errors.As(err, &invalid) {
		data.Errors, data.Unsaved = beside(e, invalid), true
		return drawMenu(e, http.StatusUnprocessableEntity, data)
	}
	if err != nil {
		return refuse(e, err)
	}
	return e.Done(desk.Href("menus/"+data.ID), "The menu is saved.")
}

func deleteMenu(e *desk.Event) error {
	undoAt, err := DeleteMenu(e.App, by(e), e.Request.PathValue("id"))
	if err != nil {
		return refuse(e, err)
	}
	return e.Leave(desk.Href("menus"), desk.Notice{Text: e.T("The menu is deleted."), Undo: undoAt})
}

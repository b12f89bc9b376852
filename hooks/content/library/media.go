package library

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"bungalow/hooks/content/media"
	"bungalow/hooks/kit/desk"
	"github.com/pocketbase/pocketbase/core"
)

const (
	styles  = "/assets/css/desk-library.css"
	scripts = "/assets/js/desk-library.js"
)

func mediaPages() []desk.Page {
	return []desk.Page{
		{Path: "media", Access: write, Do: mediaList, Menu: &desk.Menu{Group: desk.GroupContent, Label: "Media", Icon: "image", Order: 30}},
		{Path: "media/pick", Access: write, Do: mediaPick},
		{Path: "media/{id}", Access: write, Do: showFile},
		{Path: "media/{id}/file", Access: write, Do: fileItself},
		{Method: http.MethodPost, Path: "media/upload", Access: write, Body: uploadBody, Do: upload},
		{Method: http.MethodPost, Path: "media/bin", Access: write, Do: binFiles},
		{Method: http.MethodPost, Path: "media/restore", Access: write, Do: restoreFiles},
		{Method: http.MethodPost, Path: "media/delete", Access: write, Do: deleteFiles},
		{Method: http.MethodPost, Path: "media/{id}", Access: write, Do: saveFile},
		{Method: http.MethodPost, Path: "media/{id}/replace", Access: write, Body: replaceBody, Do: replaceFile},
	}
}

// shelf is the page of the library.
type shelf struct {
	Files      []File
	Tabs       []desk.Tab
	Pager      desk.Pager
	Filter     Filter
	List       bool // rows instead of a grid
	Grid, Rows string
	Upload     struct{ Files, MB int }
	BinDays    int
}

// mediaList shows the library as a grid or as a list.
func mediaList(e *desk.Event) error {
	q := e.Request.URL.Query()
	data := shelf{Filter: filterOf(q), List: q.Get("view") == "list", BinDays: BinDays}
	data.Upload.Files, data.Upload.MB = maxUpload, media.MaxBytes>>20
	page, _ := strconv.Atoi(q.Get("page"))
	records, total, err := Files(e.App, by(e), data.Filter, page, perGrid)
	if err != nil {
		return err
	}
	if data.Files, err = described(e.App, records); err != nil {
		return err
	}
	data.Pager = desk.Pages(e.Request.URL, page, perGrid, total)
	data.Tabs = kindTabs(e, data.Filter, data.List)
	data.Grid, data.Rows = listPath(data.Filter, false), listPath(data.Filter, true)
	return e.Render("desk/library/media.html", e.T("Media"), data, styles, scripts)
}

// described describes files with how often they are used.
func described(app core.App, records []*core.Record) ([]File, error) {
	files := describe(records)
	ids := make([]string, len(files))
	for i, f := range files {
		ids[i] = f.ID
	}
	uses, err := media.CountUses(app, ids...)
	if err != nil {
		return nil, err
	}
	for i := range files {
		files[i].Uses = uses[files[i].ID]
	}
	return files, nil
}

// listPath is the address of a filtered list.
func listPath(f Filter, list bool) string {
	q := url.Values{}
	for name, value := range map[string]string{"q": f.Query, "kind": f.Kind} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for name, on := range map[string]bool{"bin": f.Bin, "unused": f.Unused} {
		if on {
			q.Set(name, "1")
		}
	}
	if list {
		q.Set("view", "list")
	}
	if len(q) == 0 {
		return desk.Href("media")
	}
	return desk.Href("media") + "?" + q.Encode()
}

func filterOf(q url.Values) Filter {
	f := Filter{Query: q.Get("q"), Kind: q.Get("kind"), Bin: q.Get("bin") != "", Unused: q.Get("unused") != ""}
	if !slices.Contains(media.Kinds, f.Kind) {
		f.Kind = ""
	}
	return f
}

var kindLabels = map[string]string{
	"": "All", media.KindImage: "Pictures", media.KindVideo: "Videos", media.KindAudio: "Sounds", media.KindDocument: "Documents", media.KindOther: "Other",
}

// kindTabs leads to each kind, to what nothing shows, and to the bin.
func kindTabs(e *desk.Event, f Filter, list bool) []desk.Tab {
	var tabs []desk.Tab
	for _, kind := range append([]string{""}, media.Kinds...) {
		tabs = append(tabs, desk.Tab{Label: e.T(kindLabels[kind]), Count: -1, Current: kind == f.Kind && !f.Bin && !f.Unused,
			Href: listPath(Filter{Query: f.Query, Kind: kind}, list)})
	}
	return append(tabs,
		desk.Tab{Label: e.T("Not used"), Count: -1, Current: f.Unused, Href: listPath(Filter{Query: f.Query, Unused: true}, list)},
		desk.Tab{Label: e.T("Bin"), Count: -1, Current: f.Bin, Href: listPath(Filter{Bin: true}, list)})
}

// perPick is how many pictures the picker shows at once.
const perPick = 24

// mediaPick is the picker for other pages, as a fragment: buttons with the
// id, the address and the text of each picture. kind=all shows all files.
func mediaPick(e *desk.Event) error {
	q := e.Request.URL.Query()
	f := Filter{Query: q.Get("q"), Kind: media.KindImage}
	if q.Get("kind") == "all" {
		f.Kind = ""
	}
	page, _ := strconv.Atoi(q.Get("page"))
	records, total, err := Files(e.App, by(e), f, page, perPick)
	if err != nil {
		return err
	}
	return e.Fragment("desk/library/pick.html", "pick", shelf{Files: describe(records), Filter: f, Pager: desk.Pages(e.Request.URL, page, perPick, total)})
}

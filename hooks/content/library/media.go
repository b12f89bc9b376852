package library

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"bungalow/hooks/content/media"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/web"
)

const (
	styles  = "/assets/css/desk-library.css"
	scripts = "/assets/js/desk-library.js"
)

func mediaPages() []desk.Page {
	const write = web.Access("content.write")
	return []desk.Page{
		{Path: "media", Access: write, Do: mediaList, Menu: &desk.Menu{Group: desk.GroupContent, Label: "Media", Icon: "image", Order: 30}},
		{Path: "media/pick", Access: write, Do: mediaPick},
		{Method: http.MethodPost, Path: "media/upload", Access: write, Body: uploadBody, Do: upload},
	}
}

// shelf is the page of the library.
type shelf struct {
	Files  []File
	Tabs   []desk.Tab
	Pager  desk.Pager
	Filter Filter
	List   bool // rows instead of a grid
	Upload struct{ Files, MB int }
}

// mediaList shows the library as a grid or as a list.
func mediaList(e *desk.Event) error {
	q := e.Request.URL.Query()
	data := shelf{Filter: filterOf(q), List: q.Get("view") == "list"}
	data.Upload.Files, data.Upload.MB = maxUpload, media.MaxBytes>>20
	page, _ := strconv.Atoi(q.Get("page"))
	records, total, err := Files(e.App, by(e), data.Filter, page, perGrid)
	if err != nil {
		return err
	}
	data.Files, data.Pager = describe(records), desk.Pages(e.Request.URL, page, perGrid, total)
	data.Tabs = kindTabs(e, data.Filter, data.List)
	return e.Render("desk/library/media.html", e.T("Media"), data, styles, scripts)
}

func filterOf(q url.Values) Filter {
	f := Filter{Query: q.Get("q"), Kind: q.Get("kind"), Bin: q.Get("bin") != ""}
	if !slices.Contains(media.Kinds, f.Kind) {
		f.Kind = ""
	}
	return f
}

var kindLabels = map[string]string{
	"": "All", media.KindImage: "Pictures", media.KindVideo: "Videos", media.KindAudio: "Sounds", media.KindDocument: "Documents", media.KindOther: "Other",
}

// kindTabs leads to each kind and to the bin.
func kindTabs(e *desk.Event, f Filter, list bool) []desk.Tab {
	to := func(kind string, bin bool) string {
		q := url.Values{}
		for name, value := range map[string]string{"q": f.Query, "kind": kind} {
			if value != "" {
				q.Set(name, value)
			}
		}
		if bin {
			q.Set("bin", "1")
		}
		if list {
			q.Set("view", "list")
		}
		if len(q) == 0 {
			return desk.Href("media")
		}
		return desk.Href("media") + "?" + q.Encode()
	}
	var tabs []desk.Tab
	for _, kind := range append([]string{""}, media.Kinds...) {
		tabs = append(tabs, desk.Tab{Label: e.T(kindLabels[kind]), Href: to(kind, false), Count: -1, Current: kind == f.Kind && !f.Bin})
	}
	return append(tabs, desk.Tab{Label: e.T("Bin"), Href: to("", true), Count: -1, Current: f.Bin})
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

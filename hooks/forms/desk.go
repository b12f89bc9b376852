package forms

import (
	"net/http"

	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Who may do what in the desk: forms are the editors', what came through them
// is for those who answer.
const (
	mayEdit   web.Access = "forms.edit"
	mayAnswer web.Access = "inbox.answer"
)

// Desk is what forms gives the desk.
func Desk(core.App) desk.Part {
	settings := desk.Options(Feature, "Forms", "What holds for every form of this site.", Defaults())
	settings.Icon, settings.Order = "form", 40
	return desk.Part{
		Pages: []desk.Page{
			{Path: "forms", Access: mayEdit, Do: listForms, Menu: &desk.Menu{Group: desk.GroupTalk, Label: "Forms", Icon: "form", Order: 30}},
			{Method: http.MethodPost, Path: "forms", Access: mayEdit, Do: newForm},
			{Path: "forms/{id}", Access: mayEdit, Do: editForm},
			{Method: http.MethodPost, Path: "forms/{id}", Access: mayEdit, Do: saveForm},
			{Method: http.MethodPost, Path: "forms/{id}/preview", Access: mayEdit, Do: previewForm},
			{Path: "forms/{id}/html", Access: mayEdit, Do: copyForm},
			{Path: "forms/{id}/delete", Access: mayEdit, Do: askDelete},
			{Method: http.MethodPost, Path: "forms/{id}/delete", Access: mayEdit, Do: deleteForm},
			{Path: "submissions", Access: mayAnswer, Do: listSubmissions,
				Menu: &desk.Menu{Group: desk.GroupTalk, Label: "Submissions", Icon: "list", Order: 20}},
			{Method: http.MethodPost, Path: "submissions", Access: mayAnswer, Do: sortSubmissions},
			{Path: "submissions/numbers", Access: mayAnswer, Do: showNumbers},
			{Path: "submissions/{id}", Access: mayAnswer, Do: showSubmission},
			{Path: "submissions/{id}/files/{name}", Access: mayAnswer, Do: serveFile},
			{Path: "submissions/{id}/erase", Access: mayAnswer, Do: askErase},
			{Method: http.MethodPost, Path: "submissions/{id}/erase", Access: mayAnswer, Do: eraseContact},
			{Path: "submissions.csv", Access: mayAnswer, Do: exportCSV},
			{Path: "submissions.json", Access: mayAnswer, Do: exportJSON},
		},
		Cards:    []desk.Card{{Title: "Forms", Icon: "form", Order: 40, Access: mayAnswer, Do: card}},
		Settings: []desk.Setting{settings},
		Searches: []desk.Search{
			{Name: "Submissions", Access: mayAnswer, Find: findSubmissions},
			{Name: "Forms", Access: mayEdit, Find: findForms},
		},
	}
}

// card says what came in the last seven days.
func card(app core.App, _ *core.Record) (*desk.Figure, error) {
	s, err := of(app)
	if err != nil {
		return nil, err
	}
	days, err := numbersByDay(app, "", s.now(), 7)
	if err != nil {
		return nil, err
	}
	f := &desk.Figure{Label: "messages through forms in 7 days", Href: "/desk/submissions/"}
	total := 0
	for _, d := range days {
		total += d.OK
		f.Trend = append(f.Trend, desk.Point{Label: d.Day, Value: float64(d.OK)})
	}
	f.Value = count(total)
	return f, nil
}

func findSubmissions(app core.App, _ *core.Record, query string, limit int) ([]desk.Hit, error) {
	found, err := pick(app, filter{Query: query}, limit, 0)
	if err != nil {
		return nil, err
	}
	var hits []desk.Hit
	for _, r := range found {
		hits = append(hits, desk.Hit{Title: r.GetString("subject"), Note: r.GetDateTime("created").Time().Format("2006-01-02"), Href: "/desk/submissions/" + r.Id + "/"})
	}
	return hits, nil
}

func findForms(app core.App, _ *core.Record, query string, limit int) ([]desk.Hit, error) {
	var found []*core.Record
	err := app.RecordQuery(schema.Forms).AndWhere(dbx.Or(dbx.Like("title", query), dbx.Like("slug", query))).
		OrderBy("title").Limit(int64(limit)).All(&found)
	if err != nil {
		return nil, err
	}
	var hits []desk.Hit
	for _, r := range found {
		hits = append(hits, desk.Hit{Title: r.GetString("title"), Note: "/f/" + r.GetString("slug"), Href: "/desk/forms/" + r.Id + "/"})
	}
	return hits, nil
}

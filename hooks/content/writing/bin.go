package writing

import (
	"net/url"
	"strings"

	"bungalow/hooks/content/drafts"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/web"
)

// maxBulk is how many texts one bulk action takes: a page's worth and more.
const maxBulk = 200

func (k kind) bin(e *desk.Event) error {
	id := e.Request.PathValue("id")
	if _, err := drafts.Bin(e.App, by(e), k.collection, id); err != nil {
		return err
	}
	return e.Leave(k.href(), desk.Notice{Text: e.T("It is in the bin."), Undo: k.href(id, "unbin")})
}

func (k kind) unbin(e *desk.Event) error {
	id := e.Request.PathValue("id")
	back, err := drafts.Unbin(e.App, by(e), k.collection, id)
	if err != nil {
		return err
	}
	return e.Done(k.href(back.Id), "It is back.")
}

func (k kind) unbinMany(e *desk.Event) error {
	back := 0
	for _, id := range ids(e.Request.URL.Query().Get("ids")) {
		if _, err := drafts.Unbin(e.App, by(e), k.collection, id); err == nil {
			back++
		} else {
			e.App.Logger().Warn("a text did not come back from the bin", "collection", k.collection, "id", id, "error", err)
		}
	}
	return e.Done(k.href(), "%d texts are back.", back)
}

func ids(list string) []string {
	all := texts(strings.Split(list, ","))
	return all[:min(len(all), maxBulk)]
}

func (k kind) purge(e *desk.Event) error {
	if err := drafts.Purge(e.App, by(e), k.collection, e.Request.PathValue("id")); err != nil {
		return err
	}
	return e.Done(k.href()+"?status="+binTab, "It is deleted for good.")
}

// bulk does one thing with every ticked text. One that is refused does not
// keep back the others.
func (k kind) bulk(e *desk.Event) error {
	values, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	chosen := texts(values["ids"])
	chosen = chosen[:min(len(chosen), maxBulk)]
	back := k.back(values.Get("back"))
	if len(chosen) == 0 {
		return e.Leave(back, desk.Notice{Kind: "warning", Text: e.T("Tick what you mean first.")})
	}
	one, err := k.bulkAct(e, values)
	if err != nil || one == nil {
		return e.Leave(back, desk.Notice{Kind: "warning", Text: e.T("Choose what to do with the ticked texts.")})
	}
	var done []string
	var refusal string
	for _, id := range chosen {
		if err := one(id); err != nil {
			refusal = e.T(reason(err))
			continue
		}
		done = append(done, id)
	}
	notice := desk.Notice{Text: e.T("%d texts are done.", len(done))}
	if n := len(chosen) - len(done); n > 0 {
		notice.Kind = "warning"
		notice.Text += " " + e.T("%d were left as they are: %s", n, refusal)
	}
	if values.Get("do") == "bin" && len(done) > 0 {
		notice.Text = e.T("%d texts are in the bin.", len(done))
		notice.Undo = k.href("unbin") + "?ids=" + url.QueryEscape(strings.Join(done[:min(len(done), 20)], ","))
	}
	return e.Leave(back, notice)
}

// bulkAct is what the form wants done with one text, nil for nothing.
func (k kind) bulkAct(e *desk.Event, values web.Values) (func(id string) error, error) {
	who := by(e)
	switch values.Get("do") {
	case "publish":
		return func(id string) error {
			_, err := drafts.PublishWritten(e.App, who, k.collection, id)
			return err
		}, nil
	case "unpublish":
		return func(id string) error {
			_, err := drafts.Unpublish(e.App, who, k.collection, id)
			return err
		}, nil
	case "bin":
		return func(id string) error {
			_, err := drafts.Bin(e.App, who, k.collection, id)
			return err
		}, nil
	case "tag":
		if k.collection != schema.Posts {
			return nil, nil
		}
		made, err := drafts.EnsureTags(e.App, who, []string{values.Get("tag")})
		if err != nil || len(made) == 0 {
			return nil, err
		}
		return func(id string) error {
			_, err := drafts.AddTag(e.App, who, id, made[0])
			return err
		}, nil
	}
	return nil, nil
}

// back is the list as it was, where the form says so.
func (k kind) back(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Path != k.href() || u.Host != "" || u.Scheme != "" {
		return k.href()
	}
	return u.RequestURI()
}

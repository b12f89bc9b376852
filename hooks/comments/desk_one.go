package comments

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
)

// oneView is what the page of one comment gets.
type oneView struct {
	Row           deskRow
	Above, Below  []deskRow
	Sender        []deskRow // others of the same person
	Link          string
	Edit, Reply   string // what was typed, when the form is shown again
	Error         map[string]string
	NoteThatWaits bool
}

// deskOne shows a comment where it stands: what it answers, what answers it,
// and what else came from the same person.
func deskOne(e *desk.Event) error {
	r, err := e.App.FindRecordById(schema.Comments, e.Request.PathValue("id"))
	if err != nil {
		return err
	}
	return showOne(e, http.StatusOK, r, nil, "")
}

func showOne(e *desk.Event, status int, r *core.Record, faults map[string]string, typed string) error {
	v := &oneView{Row: rowOf(e.App, r), Link: absolute("", r.GetString("thread")) + "?comment=" + r.Id + "#c-" + r.Id, Error: faults, Edit: r.GetString("body")}
	if faults["edit"] != "" {
		v.Edit = typed
	}
	if faults["reply"] != "" {
		v.Reply = typed
	}
	for id, n := r.GetString("parent"), 0; id != "" && n < 5; n++ {
		up, err := e.App.FindRecordById(schema.Comments, id)
		if err != nil {
			break
		}
		v.Above = append([]deskRow{rowOf(e.App, up)}, v.Above...)
		id = up.GetString("parent")
	}
	lists := map[*[]deskRow]dbx.Expression{&v.Below: dbx.HashExp{"parent": r.Id}}
	if same := samePerson(r); same != nil {
		lists[&v.Sender] = dbx.And(same, dbx.Not(dbx.HashExp{"id": r.Id}))
	}
	for to, where := range lists {
		var found []*core.Record
		if err := e.App.RecordQuery(schema.Comments).AndWhere(where).OrderBy("created DESC").Limit(20).All(&found); err != nil {
			return fmt.Errorf("find what belongs to a comment: %w", err)
		}
		for _, f := range found {
			*to = append(*to, rowOf(e.App, f))
		}
	}
	return e.RenderStatus(status, "desk/comments/one.html", e.T("Comment by %s", firstOf(v.Row.Author, "…")), v, deskCSS, deskJS)
}

// samePerson finds comments of the same mail address, or from the same address
// of the network; nil where neither is known.
func samePerson(r *core.Record) dbx.Expression {
	var any []dbx.Expression
	for _, field := range []string{"email", "address"} {
		if value := r.GetString(field); value != "" {
			any = append(any, dbx.HashExp{field: value})
		}
	}
	if len(any) == 0 {
		return nil
	}
	return dbx.Or(any...)
}

// again shows the page once more with what is wrong, where the moderator can
// mend it.
func again(e *desk.Event, field, typed string, err error) error {
	var faults validation.Errors
	if !errors.As(err, &faults) {
		return err
	}
	r, findErr := e.App.FindRecordById(schema.Comments, e.Request.PathValue("id"))
	if findErr != nil {
		return findErr
	}
	for _, one := range faults {
		return showOne(e, http.StatusUnprocessableEntity, r, map[string]string{field: one.Error()}, typed)
	}
	return err
}

func onePath(e *desk.Event) string {
	return deskQueue + url.PathEscape(e.Request.PathValue("id")) + "/"
}

func deskEdit(e *desk.Event) error {
	body := e.Request.FormValue("body")
	if err := Edit(e.App, e.Actor(), e.Request.PathValue("id"), body); err != nil {
		return again(e, "edit", body, err)
	}
	return e.Done(onePath(e), "The comment is changed.")
}

func deskReply(e *desk.Event) error {
	body := e.Request.FormValue("body")
	if _, err := Answer(e.App, e.Actor(), e.Auth, e.Request.PathValue("id"), body); err != nil {
		return again(e, "reply", body, err)
	}
	return e.Done(onePath(e), "Your answer is published.")
}

func deskBlock(e *desk.Event) error {
	if err := Block(e.App, e.Actor(), e.Request.PathValue("id")); err != nil {
		return err
	}
	return e.Done(onePath(e), "What this person writes from now on is filed as spam.")
}

func deskPin(e *desk.Event) error {
	if err := Pin(e.App, e.Actor(), e.Request.PathValue("id"), isOn(e.Request.FormValue("pinned"))); err != nil {
		return err
	}
	return e.Done(onePath(e), "The change is saved.")
}

// personFile is everything that is kept of one mail address.
type personFile struct {
	Email    string           `json:"email"`
	Mail     string           `json:"mail"` // "", asked, confirmed or refused
	Blocked  bool             `json:"blocked"`
	Comments []map[string]any `json:"comments"`
}

// maxPerson is how many comments of one person are shown.
const maxPerson = 500

// deskPerson shows everything from one mail address.
func deskPerson(e *desk.Event) error {
	email := strings.ToLower(tidyLine(e.Request.URL.Query().Get("email")))
	if email == "" {
		return e.NotFoundError("", nil)
	}
	var found []*core.Record
	err := e.App.RecordQuery(schema.Comments).AndWhere(dbx.HashExp{"email": email}).OrderBy("created DESC").Limit(maxPerson).All(&found)
	if err != nil {
		return fmt.Errorf("find a person's comments: %w", err)
	}
	f, err := fileOf(e.App, email, nil)
	if err != nil {
		return err
	}
	rows := make([]deskRow, len(found))
	for i, r := range found {
		rows[i] = rowOf(e.App, r)
	}
	return e.Render("desk/comments/person.html", email, map[string]any{"Email": email, "Rows": rows, "File": f}, deskCSS)
}

// fileOf collects what is kept of an address.
func fileOf(app core.App, email string, records []*core.Record) (personFile, error) {
	f := personFile{Email: email, Comments: []map[string]any{}}
	var err error
	if f.Mail, err = mailState(app, email); err != nil {
		return f, err
	}
	var n int
	if err := app.DB().NewQuery(`SELECT count(*) FROM _comment_blocked WHERE value = {:v}`).Bind(dbx.Params{"v": "mail:" + email}).Row(&n); err != nil {
		return f, fmt.Errorf("read whether a person is blocked: %w", err)
	}
	f.Blocked = n > 0
	for _, r := range records {
		one := map[string]any{}
		for _, name := range []string{"id", "thread", "parent", "author", "email", "url", "body", "html", "status", "created", "edited", "address", "agent", "notify"} {
			one[name] = r.Get(name)
		}
		f.Comments = append(f.Comments, one)
	}
	return f, nil
}

// deskExport gives a person's data as a file.
func deskExport(e *desk.Event) error {
	email := strings.ToLower(tidyLine(e.Request.URL.Query().Get("email")))
	var all []*core.Record
	if email != "" {
		if err := e.App.RecordQuery(schema.Comments).AndWhere(dbx.HashExp{"email": email}).OrderBy("created").All(&all); err != nil {
			return fmt.Errorf("find a person's comments: %w", err)
		}
	}
	f, err := fileOf(e.App, email, all)
	if err != nil {
		return err
	}
	e.Response.Header().Set("Content-Type", "application/json")
	e.Response.Header().Set("Content-Disposition", `attachment; filename="person.json"`)
	enc := json.NewEncoder(e.Response)
	enc.SetIndent("", "  ")
	return enc.Encode(f)
}

func deskErase(e *desk.Event) error {
	email := strings.ToLower(tidyLine(e.Request.FormValue("email")))
	var n int
	err := e.App.RunInTransaction(func(tx core.App) error {
		var err error
		if n, err = Erase(tx, email); err != nil {
			return err
		}
		return audit.Write(tx, e.Actor(), "comment.erase", schema.Comments, "", map[string]int{"comments": n})
	})
	if err != nil {
		return err
	}
	return e.Done(deskQueue, "%d comments are erased.", n)
}

func deskUnblock(e *desk.Event) error {
	email := strings.ToLower(tidyLine(e.Request.FormValue("email")))
	if err := Unblock(e.App, e.Actor(), email); err != nil {
		return err
	}
	return e.Done("/desk/comments/person/?email="+url.QueryEscape(email), "This person may write again.")
}

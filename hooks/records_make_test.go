package hooks_test

import (
	"bytes"
	"image"
	"image/png"
	"slices"
	"strconv"
	"testing"
	"time"

	"bungalow/hooks/content/drafts"
	"bungalow/hooks/content/library"
	"bungalow/hooks/desk"
	"bungalow/hooks/inbox"
	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

// The records that TestEveryRecordIsDecidedForEveryRole tries.

func made(collection string, fields map[string]any, unique ...string) func(*testing.T, *sitetest.Site, *core.Record) string {
	return func(t *testing.T, app *sitetest.Site, _ *core.Record) string {
		all := map[string]any{}
		for name, value := range fields {
			all[name] = value
		}
		for _, name := range unique {
			all[name] = "/x" + core.GenerateDefaultRandomId() + "/"
		}
		return sitetest.Make(t, app, collection, all).Id
	}
}

func ownPost(t *testing.T, app *sitetest.Site, person *core.Record) string {
	fields := map[string]any{"title": "A draft", "body": "x", "status": "draft"}
	if person != nil {
		author, err := app.FindFirstRecordByData(schema.Authors, "staff", person.Id)
		if err != nil {
			author = sitetest.Make(t, app, schema.Authors, map[string]any{"name": "A" + person.Id, "staff": person.Id})
		}
		fields["authors"] = []string{author.Id}
	}
	return sitetest.Make(t, app, schema.Posts, fields).Id
}

func binned(collection string) func(*testing.T, *sitetest.Site, *core.Record) string {
	return func(t *testing.T, app *sitetest.Site, person *core.Record) string {
		id := ""
		if collection == schema.Posts {
			id = ownPost(t, app, person)
		} else {
			id = sitetest.Make(t, app, collection, map[string]any{"title": "A page", "status": "draft"}).Id
		}
		owner := anOwner(t, app)
		if _, err := drafts.Bin(app, drafts.By{Person: owner, Actor: audit.Of(owner, "")}, collection, id); err != nil {
			t.Fatal(err)
		}
		return id
	}
}

func anOwner(t *testing.T, app *sitetest.Site) *core.Record {
	t.Helper()
	owner, err := app.FindFirstRecordByData(schema.Staff, "role", string(roles.Owner))
	if err != nil {
		t.Fatal(err)
	}
	return owner
}

func somebody(t *testing.T, app *sitetest.Site, _ *core.Record) string {
	r, _ := sitetest.Staff(t, app, roles.Analyst)
	return r.Id
}

func ownPasskey(t *testing.T, app *sitetest.Site, person *core.Record) string {
	id, of := core.GenerateDefaultRandomId(), ""
	if person != nil {
		of = person.Id
	}
	if _, err := app.NonconcurrentDB().Insert("_passkeys", dbx.Params{"id": id, "person": of, "name": "A key", "credential": "{}", "created": 0, "used": 0}).Execute(); err != nil {
		t.Fatal(err)
	}
	return id
}

func ownSession(t *testing.T, app *sitetest.Site, person *core.Record) string {
	if person == nil {
		person, _ = sitetest.Staff(t, app, roles.Analyst)
	}
	if _, err := desk.StartSession(app, person, "Another one", "", time.Now()); err != nil {
		t.Fatal(err)
	}
	sessions, err := desk.Sessions(app, person, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return sessions[slices.IndexFunc(sessions, func(s desk.Session) bool { return s.Device == "Another one" })].ID
}

// ownFile is a picture of a person, or of somebody who has left.
func ownFile(t *testing.T, app *sitetest.Site, person *core.Record) string {
	t.Helper()
	var dot bytes.Buffer
	if err := png.Encode(&dot, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	file, err := filesystem.NewFileFromBytes(dot.Bytes(), "dot.png")
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]any{"file": file}
	if person != nil {
		fields["owner"] = person.Id
	}
	return sitetest.Make(t, app, schema.Media, fields).Id
}

// binnedFile is one in the bin, where its page shows it and nobody else.
func binnedFile(t *testing.T, app *sitetest.Site, person *core.Record) string {
	t.Helper()
	id := ownFile(t, app, person)
	owner := anOwner(t, app)
	if done, err := library.Bin(app, library.By{Person: owner, Actor: audit.Of(owner, "")}, []string{id}); err != nil || len(done) != 1 {
		t.Fatalf("%v, %v", done, err)
	}
	return id
}

// row adds a line to a plain table.
func row(t *testing.T, app *sitetest.Site, table string, fields dbx.Params) string {
	t.Helper()
	result, err := app.NonconcurrentDB().Insert(table, fields).Execute()
	if err != nil {
		t.Fatal(err)
	}
	id, err := result.LastInsertId()
	if err != nil {
		t.Fatal(err)
	}
	return strconv.FormatInt(id, 10)
}

func imported(t *testing.T, app *sitetest.Site, _ *core.Record) string {
	id := core.GenerateDefaultRandomId()
	row(t, app, "_library_imports", dbx.Params{"id": id, "kind": "markdown", "name": "x.md", "state": "tried", "media": 0, "actor": "", "report": "{}", "fault": "", "created": time.Now().Unix()})
	return id
}

func job(t *testing.T, app *sitetest.Site, _ *core.Record) string {
	return row(t, app, "_jobs", dbx.Params{"kind": "sample", "payload": "{}", "state": "dead", "run_at": 1, "created": 1, "updated": 1})
}

func message(t *testing.T, app *sitetest.Site, _ *core.Record) string {
	return row(t, app, "_mails", dbx.Params{"message_id": "<x@y>", "template": "test", "recipient": "a@example.com", "subject": "x", "text": "x", "html": "x", "state": "failed", "created": 1, "updated": 1})
}

func form(t *testing.T, app *sitetest.Site, _ *core.Record) string {
	return sitetest.Make(t, app, schema.Forms, map[string]any{
		"slug": "f-" + core.GenerateDefaultRandomId(), "title": "A form", "open": true, "fields": []any{map[string]any{"name": "name", "kind": "text", "label": "Name"}},
	}).Id
}

func submission(t *testing.T, app *sitetest.Site, person *core.Record) string {
	return sitetest.Make(t, app, schema.Submissions, map[string]any{"form": form(t, app, person), "data": map[string]any{"name": "Ann"}, "status": schema.SubmissionOK}).Id
}

func conversation(t *testing.T, app *sitetest.Site, person *core.Record) string {
	t.Helper()
	c, err := inbox.Receive(app, inbox.Submission{ID: core.GenerateDefaultRandomId(), Form: form(t, app, person), FormTitle: "A form", Subject: "Hello", Name: "Ann", Email: "ann@example.com", Text: "Hello"})
	if err != nil {
		t.Fatal(err)
	}
	return c.Id
}

package hooks_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"bungalow/hooks"
	"bungalow/hooks/content/drafts"
	"bungalow/hooks/desk"
	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// records decides, for each address of the desk that names a record, who may
// touch one that belongs to somebody else. A new address with a placeholder
// fails until its feature adds a line here: that is the decision. Where an
// address of a longer line begins with a shorter one, the longer counts.
var records = map[string]struct {
	// others is who may touch a record of somebody else: a permission, web.Staff
	// for all who may touch any, or nobody.
	others web.Access
	// make makes a record of a person, or of nobody for nil, and gives its id.
	// Without it only a record that is missing is tried.
	make func(t *testing.T, app *sitetest.Site, person *core.Record) string
}{
	"/desk/account/passkeys/{id}":   {nobody, ownPasskey},
	"/desk/account/sessions/{id}":   {nobody, ownSession},
	"/desk/staff/{id}":              {web.Owner, somebody},
	"/desk/posts/{id}":              {web.Access(roles.ContentEdit), ownPost},
	"/desk/posts/{id}/unbin":        {web.Access(roles.ContentEdit), binned(schema.Posts)},
	"/desk/posts/{id}/purge":        {web.Access(roles.ContentEdit), binned(schema.Posts)},
	"/desk/pages/{id}/unbin":        {web.Staff, binned(schema.Pages)},
	"/desk/pages/{id}/purge":        {web.Staff, binned(schema.Pages)},
	"/desk/media/{id}":              {web.Staff, nil}, // the library decides file by file, and tests it
	"/desk/pages/{id}":              {web.Staff, made(schema.Pages, map[string]any{"title": "A page", "status": "draft"})},
	"/desk/redirects/{id}":          {web.Staff, made(schema.Redirects, map[string]any{"to": "/b/", "status": 301}, "from")},
	"/desk/tags/{id}":               {web.Staff, made(schema.Tags, map[string]any{}, "name")},
	"/desk/authors/{id}":            {web.Staff, made(schema.Authors, map[string]any{}, "name")},
	"/desk/menus/{id}":              {web.Staff, nil},
	"/desk/import/{id}":             {web.Staff, nil}, // editors share the uploads
	"/desk/comments/{id}":           {web.Staff, nil},
	"/desk/forms/{id}":              {web.Staff, nil},
	"/desk/submissions/{id}":        {web.Staff, nil},
	"/desk/inbox/{id}":              {web.Staff, nil},
	"/desk/jobs/{id}":               {web.Staff, nil},
	"/desk/mail/{id}":               {web.Staff, nil},
	"/desk/mail/outbox/{name}":      {web.Staff, nil},
	"/desk/backups/{name}":          {web.Staff, nil},
	"/desk/settings/{name}":         {web.Staff, nil},
	"/desk/sign-in/with/{provider}": {web.Staff, nil},
}

// nobody is an access that no role has.
const nobody web.Access = "nobody"

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
		owner, err := app.FindFirstRecordByData(schema.Staff, "role", string(roles.Owner))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := drafts.Bin(app, drafts.By{Person: owner, Actor: audit.Of(owner, "")}, collection, id); err != nil {
			t.Fatal(err)
		}
		return id
	}
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

// openTo are addresses that answer a missing record in their own way.
var openTo = map[string]string{
	"POST /desk/inbox/{id}/typing/{$}": "a note in memory that lives for seconds; a missing conversation is nobody's",
	"GET /desk/{path...}":              "anything else: 404 for everybody",
}

func TestEveryRecordIsDecidedForEveryRole(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	var people []*core.Record
	for _, role := range roles.All {
		person, _ := sitetest.Staff(t, app, role)
		people = append(people, person)
	}
	used := map[string]bool{}
	for _, r := range hooks.Routes(app, hooks.Config{}) {
		pattern := strings.Replace(r.Path, "{$}", "", 1)
		name := r.Method + " " + r.Path
		if !strings.HasPrefix(pattern, "/desk/") || !strings.Contains(pattern, "{") || openTo[name] != "" {
			continue
		}
		prefix := ""
		for p := range records {
			if strings.HasPrefix(pattern, p+"/") && len(p) > len(prefix) {
				prefix = p
			}
		}
		if prefix == "" {
			t.Errorf("%s names a record; decide in the table records who may touch somebody else's", name)
			continue
		}
		used[prefix] = true
		for _, person := range people {
			if web.Allowed(person, r.Access) {
				tryRecords(t, app, r, pattern, prefix, person)
			}
		}
	}
	for prefix := range records {
		if !used[prefix] {
			t.Errorf("%s is decided but not there", prefix)
		}
	}
}

// tryRecords asks for a record of the person's own, for somebody else's, and
// for one that is missing.
func tryRecords(t *testing.T, app *sitetest.Site, r web.Route, pattern, prefix string, person *core.Record) {
	decision := records[prefix]
	ask := func(id string) int {
		path := placeholder.ReplaceAllString(strings.Replace(pattern, prefix, placeholder.ReplaceAllString(prefix, id), 1), "missing")
		now, err := app.FindRecordById(schema.Staff, person.Id)
		if err != nil {
			t.Fatal(err)
		}
		res, _ := knock(t, app, r.Method, path, "", now)
		return res.StatusCode
	}
	denied := func(status int) bool {
		return status == http.StatusNotFound || status == http.StatusForbidden || status == http.StatusUnauthorized
	}
	who, more := r.Method+" "+r.Path+" as "+person.GetString("role"), strings.Count(pattern, "{") > 1
	if status := ask("missing00000000"); status != http.StatusNotFound && status != http.StatusBadRequest && !more {
		t.Errorf("%s: a missing record answers %d", who, status)
	}
	if decision.make == nil {
		return
	}
	if status := ask(decision.make(t, app, person)); denied(status) && !more {
		t.Errorf("%s: an own record answers %d", who, status)
	}
	may := decision.others == web.Staff || web.Allowed(person, decision.others) && decision.others != nobody
	if status := ask(decision.make(t, app, nil)); denied(status) == may && !(may && more) {
		t.Errorf("%s: somebody else's record answers %d, and may is %v", who, status, may)
	}
}

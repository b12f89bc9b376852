package hooks_test

import (
	"net/http"
	"strings"
	"testing"

	"bungalow/hooks"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"bungalow/hooks/kit/web"
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
	"/desk/media/{id}":              {web.Access(roles.MediaManage), ownFile},
	"/desk/media/{id}/file":         {web.Access(roles.MediaManage), binnedFile},
	"/desk/pages/{id}":              {web.Staff, made(schema.Pages, map[string]any{"title": "A page", "status": "draft"})},
	"/desk/redirects/{id}":          {web.Staff, made(schema.Redirects, map[string]any{"to": "/b/", "status": 301}, "from")},
	"/desk/tags/{id}":               {web.Staff, made(schema.Tags, map[string]any{}, "name")},
	"/desk/authors/{id}":            {web.Staff, made(schema.Authors, map[string]any{}, "name")},
	"/desk/menus/{id}":              {web.Staff, made(schema.Menus, map[string]any{"items": []any{}}, "name")},
	"/desk/import/{id}":             {web.Staff, imported}, // editors share the uploads
	"/desk/comments/{id}":           {web.Staff, made(schema.Comments, map[string]any{"thread": "/blog/x/", "author": "Ann", "body": "Hello", "status": "approved"})},
	"/desk/forms/{id}":              {web.Staff, form},
	"/desk/submissions/{id}":        {web.Staff, submission},
	"/desk/inbox/{id}":              {web.Staff, conversation},
	"/desk/jobs/{id}":               {web.Staff, job},
	"/desk/mail/{id}":               {web.Staff, message},
	"/desk/mail/outbox/{name}":      {web.Staff, nil},
	"/desk/backups/{name}":          {web.Staff, nil},
	"/desk/settings/{name}":         {web.Staff, nil},
	"/desk/sign-in/with/{provider}": {web.Staff, nil},
}

// nobody is an access that no role has.
const nobody web.Access = "nobody"

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

package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"bungalow/hooks"
	"bungalow/hooks/kit/sitetest"
	"bungalow/tests/binary"
)

// notLooked are the addresses of the desk that show no page of their own, each
// with the reason, and those that another test looks at.
var notLooked = map[string]string{
	"/desk":                                                "redirects",
	"/desk/live/{$}":                                       "a stream",
	"/desk/comments/live/{$}":                              "a stream",
	"/desk/inbox/live/{$}":                                 "a stream",
	"/desk/media/pick/{$}":                                 "a fragment; the picker of the editor is looked at in TestADroppedPictureIsUploaded",
	"/desk/media/{id}/file/{$}":                            "a file",
	"/desk/mail/outbox/{name}/{$}":                         "a file",
	"/desk/backups/{name}/file/{$}":                        "a file",
	"/desk/account/factor.png":                             "a picture",
	"/desk/submissions/{id}/files/{name}/{$}":              "a file",
	"/desk/inbox/{id}/messages/{message}/html/{$}":         "somebody else's mail, in a sandbox",
	"/desk/inbox/{id}/messages/{message}/files/{file}/{$}": "a file",
	"/desk/sign-in/callback/{$}":                           "where providers lead back; it redirects",
	"/desk/sign-in/with/{provider}/{$}":                    "redirects to the provider",
	"/desk/sign-in/factor/{$}":                             "needs a password before it: TestASecondStepInTheBrowser",
	"/desk/welcome/{$}":                                    "TestPeopleInTheBrowser",
	"/desk/account/email/confirm/{$}":                      "needs the link of a mail; without one it is the dead link of TestPeopleInTheBrowser",
}

// colours are the rules of axe-core that another colour scheme can break; the
// rest of a page is the same in both.
const colours = `axe.run(document, {runOnly: ["color-contrast", "link-in-text-block"], resultTypes: ["violations"]}).then(r => r.violations.map(v =>
	v.id + ": " + v.nodes.map(n => n.html + " " + n.any.map(a => a.message).join(" ")).join("\n    ")))`

// rules are those that any page of the desk keeps. Frames hold what visitors
// wrote, or a page of the site.
const rules = `axe.run({exclude: ["iframe"]}, {resultTypes: ["violations"]}).then(r => r.violations.map(v =>
	v.id + " (" + v.impact + "): " + v.help + "\n" + v.nodes.map(n => "    " + n.html).join("\n")))`

// small lists what a finger has to hit and is under 24 px (WCAG 2.2, 2.5.8),
// and buttons and fields under 40 px, which is the desk's own rule.
const small = `[...document.querySelectorAll("button, .button, select, input:not([type=checkbox], [type=radio], [type=range], [type=file], [type=hidden])")]
	.filter(e => e.checkVisibility() && !e.closest(".visually-hidden, .ProseMirror, [tabindex='-1']")).map(e => [e, e.getBoundingClientRect()])
	.filter(([e, r]) => r.width > 1 && r.height < 40).map(([e, r]) => Math.round(r.height) + " px: " + e.outerHTML.slice(0, 120))`

// inspect checks a page in both colours, on a phone and on a desktop.
func (b *tab) inspect(library, name, path string) {
	b.t.Helper()
	fault := func(where string, faults []string) {
		for _, f := range faults {
			b.t.Errorf("%s, %s: %s", path, where, f)
		}
	}
	b.view(light, phone)
	b.visit(path)
	b.shot(fmt.Sprintf("desk-%s-%s-%d", name, light, phone))
	eval[bool](b, library+"; true")
	wide := func(width int) {
		if over := eval[int](b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
			b.t.Errorf("%s is %d px too wide at %d", path, over, width)
		}
	}
	wide(phone)
	fault("light, phone", eval[[]string](b, rules))
	fault("phone", eval[[]string](b, small))
	b.view(dark, phone)
	b.shot(fmt.Sprintf("desk-%s-%s-%d", name, dark, phone))
	fault("dark, phone", eval[[]string](b, colours))
	b.view(dark, desktop)
	b.shot(fmt.Sprintf("desk-%s-%s-%d", name, dark, desktop))
	wide(desktop)
	fault("dark, desktop", eval[[]string](b, rules))
	b.view(light, desktop)
	b.shot(fmt.Sprintf("desk-%s-%s-%d", name, light, desktop))
	fault("light, desktop", eval[[]string](b, colours))
}

// Every page of the desk that the table of routes has is looked at: a new one
// without a visit fails.
func TestEveryPageOfTheDeskIsForEverybody(t *testing.T) {
	t.Parallel()
	library := axeCore(t)
	site := fresh(t)
	owner := site.writer(t, site.writerAccount(t, "Olive", "owner"))
	visits := site.fillDesk(t, owner)
	stranger := open(t, site.URL)
	german := site.writerAccount(t, "Dora", "owner")
	if err := site.root.Call(t.Context(), http.MethodPatch, "/api/collections/staff/records/"+site.idOf(t, "staff", german), map[string]any{"locale": "de"}, nil); err != nil {
		t.Fatal(err)
	}
	tabs := []*tab{owner, stranger, site.writer(t, german)} // half of the pages in German, whose words are longer
	var work [3][]string
	for _, r := range hooks.Routes(sitetest.New(t), hooks.Config{}) {
		if r.Method != http.MethodGet || !strings.HasPrefix(r.Path, "/desk") || notLooked[r.Path] != "" || !strings.HasSuffix(r.Path, "/{$}") && !strings.HasSuffix(r.Path, "...}") {
			continue // an address without a slash at its end is a file
		}
		paths := visits[r.Path]
		if len(paths) == 0 && !strings.Contains(r.Path, "{id}") && !strings.Contains(r.Path, "{name}") {
			paths = []string{strings.TrimSuffix(r.Path, "{$}")}
		}
		if len(paths) == 0 {
			t.Errorf("nobody looks at %s: give it a record in fillDesk, or a reason in notLooked", r.Path)
		}
		for _, path := range paths {
			who := 0
			if slices.ContainsFunc([]string{"/desk/sign-in/", "/desk/forgotten/", "/desk/reset/", "/desk/invitation/"}, func(door string) bool { return strings.HasPrefix(path, door) }) {
				who = 1
			} else if len(work[2]) < len(work[0]) {
				who = 2
			}
			work[who] = append(work[who], path)
		}
	}
	var all sync.WaitGroup
	for n, b := range tabs {
		messages := listen(b)
		b.ignorePolicy() // axe comes from outside
		all.Go(func() {
			for _, path := range work[n] {
				name := strings.Trim(strings.NewReplacer("/", "-", "?", "-", "=", "-", "&", "-").Replace(strings.TrimPrefix(path, "/desk/")), "-")
				b.inspect(library, name, path)
			}
			for _, m := range messages() {
				if !strings.Contains(m, "404") && !strings.Contains(m, "/conflict/") {
					t.Errorf("the browser reports: %s", m)
				}
			}
		})
	}
	all.Wait()
	t.Logf("%d pages", len(work[0])+len(work[1])+len(work[2]))
}

// fillDesk gives a new site something for every page, and says by the route
// where to look. A route that is not named is looked at as it is.
func (s *website) fillDesk(t *testing.T, b *tab) map[string][]string {
	t.Helper()
	library := s.libraryPages(t, b)
	busy(t, s)
	post, revision := s.writtenPost(t, b)
	page, err := s.create(t.Context(), "pages", map[string]any{"title": "A page", "body": "Words.", "status": "draft"})
	if err != nil {
		t.Fatal(err)
	}
	b.visit("/desk/pages/" + page + "/")
	b.clickTo("button[value=publish]", deskNotice+` === "It is published."`)
	b.visit("/desk/pages/" + page + "/revisions/")
	pageRevision := eval[string](b, `document.querySelector("tbody a").getAttribute("href")`)
	form, submission := s.sentForm(t)
	comment := s.talkedAbout(t)
	conversation := fmt.Sprint(s.list(t, "conversations").Items[0]["id"])
	member, err := s.create(t.Context(), "staff", map[string]any{"email": "bob@example.com", "name": "Bob", "role": "author", "active": true, "password": writerPassword, "passwordConfirm": writerPassword})
	if err != nil {
		t.Fatal(err)
	}
	gone, err := s.create(t.Context(), "posts", map[string]any{"title": "Gone", "status": "draft"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.root.Call(t.Context(), http.MethodDelete, "/api/collections/posts/records/"+gone, nil, nil); err != nil { // into the bin
		t.Fatal(err)
	}
	if err := s.root.Call(t.Context(), http.MethodPost, "/api/backups", map[string]any{"name": "look.zip"}, nil); err != nil {
		t.Fatal(err)
	}
	visits := map[string][]string{
		"/desk/{path...}":     {"/desk/no/such/page/"},
		"/desk/search/{$}":    {"/desk/search/?q=veranda", "/desk/search/?q=xylophone"},
		"/desk/mail/{id}/{$}": {"/desk/mail/1/"}, "/desk/backups/{name}/{$}": {"/desk/backups/look.zip/"},
		"/desk/staff/{id}/{$}": {"/desk/staff/" + member + "/"},
		"/desk/posts/{$}":      {"/desk/posts/", "/desk/posts/?q=zebra", "/desk/posts/?status=bin"},
		"/desk/posts/{id}/{$}": {post}, "/desk/posts/{id}/preview/{$}": {post + "preview/"}, "/desk/posts/{id}/conflict/{$}": {post + "conflict/"},
		"/desk/posts/{id}/revisions/{$}": {post + "revisions/"}, "/desk/posts/{id}/revisions/{revision}/{$}": {revision},
		"/desk/pages/{id}/{$}": {"/desk/pages/" + page + "/"}, "/desk/pages/{id}/preview/{$}": {"/desk/pages/" + page + "/preview/"}, "/desk/pages/{id}/conflict/{$}": {"/desk/pages/" + page + "/conflict/"},
		"/desk/pages/{id}/revisions/{$}": {"/desk/pages/" + page + "/revisions/"}, "/desk/pages/{id}/revisions/{revision}/{$}": {pageRevision},
		"/desk/forms/{id}/{$}": {"/desk/forms/" + form + "/"}, "/desk/forms/{id}/html/{$}": {"/desk/forms/" + form + "/html/"}, "/desk/forms/{id}/delete/{$}": {"/desk/forms/" + form + "/delete/"},
		"/desk/submissions/{$}":      {"/desk/submissions/", "/desk/submissions/?status=spam"},
		"/desk/submissions/{id}/{$}": {"/desk/submissions/" + submission + "/"}, "/desk/submissions/{id}/erase/{$}": {"/desk/submissions/" + submission + "/erase/"},
		"/desk/comments/{$}": {"/desk/comments/", "/desk/comments/?status=approved"}, "/desk/comments/{id}/{$}": {"/desk/comments/" + comment + "/"},
		"/desk/comments/person/{$}": {"/desk/comments/person/?email=ada@example.org"}, "/desk/comments/thread/{$}": {"/desk/comments/thread/?t=" + talk},
		"/desk/inbox/{id}/{$}": {"/desk/inbox/" + conversation + "/"},
		"/desk/media/{$}":      {"/desk/media/", "/desk/media/?view=list", "/desk/media/?bin=1"}, "/desk/media/{id}/{$}": {library["file"]},
		"/desk/tags/{id}/{$}": {library["tag"]}, "/desk/authors/{id}/{$}": {library["author"]}, "/desk/menus/{id}/{$}": {library["menu"]},
		"/desk/redirects/{id}/{$}": {library["redirect"]}, "/desk/import/{id}/{$}": {library["move"]},
	}
	b.visit("/desk/settings/")
	visits["/desk/settings/{name}/{$}"] = eval[[]string](b, `[...document.querySelectorAll('main a[href^="/desk/settings/"]')].map(a => a.getAttribute("href")).filter(h => h !== "/desk/settings/")`)
	if n := len(visits["/desk/settings/{name}/{$}"]); n < 8 {
		t.Fatalf("only %d settings are linked", n)
	}
	return visits
}

// writtenPost is a published post whose next version is being written, and one
// of its revisions.
func (s *website) writtenPost(t *testing.T, b *tab) (path, revision string) {
	t.Helper()
	b.visit("/desk/posts/new/")
	b.do(fill("#f-title", "A post in the making"))
	eval[bool](b, typeInto("#f-body", longBody))
	b.clickTo("button[value=publish]", deskNotice+` === "It is published."`)
	path = eval[string](b, `location.pathname`)
	eval[bool](b, typeInto("#f-body", strings.Replace(longBody, "Oak", "Ash", 1)))
	b.clickTo("button[value=save]", deskNotice+`?.startsWith("Your changes")`)
	b.visit(path + "revisions/")
	return path, eval[string](b, `document.querySelector("tbody a").getAttribute("href")`)
}

// sentForm is a form with every kind of field, and what came through it.
func (s *website) sentForm(t *testing.T) (form, submission string) {
	t.Helper()
	form, err := s.create(t.Context(), "forms", map[string]any{"slug": "every", "title": "Every field", "open": true, "fields": json.RawMessage(everyField), "intro": "All that there **is**."})
	if err != nil {
		t.Fatal(err)
	}
	var sent struct{ ID string }
	err = binary.Client{Base: s.URL}.Call(t.Context(), http.MethodPost, "/f/every", map[string]any{"name": "Ada", "email": "ada@example.com", "seat": "Inside", "agree": "yes",
		"words": "Two lines\nof words.", "utm_source": "a letter", "_hp": ""}, &sent)
	if err != nil {
		t.Fatal(err)
	}
	return form, sent.ID
}

// talkedAbout is a comment below a post, with answers and one that waits.
func (s *website) talkedAbout(t *testing.T) (comment string) {
	t.Helper()
	if _, err := s.create(t.Context(), "posts", map[string]any{"title": "Talk", "slug": "talk", "body": "Say something.", "status": "published", "comments_open": true}); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		var made struct{ ID string }
		body := map[string]any{"thread": talk, "parent": comment, "author": fmt.Sprintf("Guest %d", i), "email": "ada@example.org", "body": "Words with `code` and\n\n> a quote\n\nhttps://example.org/" + strings.Repeat("long", 20)}
		if err := (binary.Client{Base: s.URL}).Call(t.Context(), http.MethodPost, "/api/site/comments", body, &made); err != nil {
			t.Fatal(err)
		}
		if i < 2 {
			if err := s.root.Call(t.Context(), http.MethodPatch, "/api/collections/comments/records/"+url.PathEscape(made.ID), map[string]any{"status": "approved"}, nil); err != nil {
				t.Fatal(err)
			}
			comment = made.ID
		}
	}
	return comment
}

// idOf finds a record of an account by its address.
func (s *website) idOf(t *testing.T, collection, email string) string {
	t.Helper()
	for _, r := range s.list(t, collection).Items {
		if r["email"] == email {
			return fmt.Sprint(r["id"])
		}
	}
	t.Fatalf("%s has no account", email)
	return ""
}

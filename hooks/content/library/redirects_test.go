package library_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"bungalow/hooks/content/library"
	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
)

func TestRedirectsAreAddedChangedAndDeletedWithUndo(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada := as(t, app, roles.Editor)
	sitetest.Make(t, app, schema.Pages, map[string]any{"title": "About us", "slug": "about", "body": "x", "status": "published"})
	ada.send("/desk/redirects/", url.Values{"from": {"/old/"}, "to": {"/about/"}, "status": {"301"}}, 303)
	r, err := app.FindFirstRecordByData(schema.Redirects, "from", "/old")
	if err != nil || audited(t, app, "redirect.add", r.Id) != 1 {
		t.Fatalf("%v, %v", r, err)
	}
	if res, _ := app.Get("/old/"); res.StatusCode != 301 || res.Header.Get("Location") != "/about/" {
		t.Errorf("a visitor gets %d %s", res.StatusCode, res.Header.Get("Location"))
	}
	for field, form := range map[string]url.Values{
		"already":   {"from": {"/old"}, "to": {"/x/"}, "status": {"301"}},
		"About us":  {"from": {"/about/"}, "to": {"/x/"}, "status": {"301"}},
		"itself":    {"from": {"/loop/"}, "to": {"/loop/"}, "status": {"301"}},
		"begins":    {"from": {"old page"}, "to": {"/x/"}, "status": {"301"}},
		"The site ": {"from": {"/blog"}, "to": {"/x/"}, "status": {"301"}},
		"whole":     {"from": {"/js/"}, "to": {"javascript:alert(1)"}, "status": {"301"}},
	} {
		_, body := ada.send("/desk/redirects/", form, 422)
		has(t, body, field, `aria-invalid="true"`, form.Get("to"))
	}
	path := "/desk/redirects/" + r.Id + "/"
	has(t, ada.see(path, 200), `value="/old"`)
	ada.send(path, url.Values{"from": {"/old"}, "to": {""}, "status": {"410"}}, 303)
	if res, _ := app.Get("/old/"); res.StatusCode != http.StatusGone {
		t.Errorf("what is gone answers %d", res.StatusCode)
	}
	ada.send(path, url.Values{"from": {"/old"}, "to": {"/about/"}, "status": {"302"}}, 303)
	page, undo := ada.undoAfter("/desk/redirects/delete/", url.Values{"id": {r.Id, "none"}})
	if page != "/desk/redirects/" || undo == "" || audited(t, app, "redirect.delete", r.Id) != 1 {
		t.Fatalf("to %s, undo %q", page, undo)
	}
	if res, _ := app.Get("/old/"); res.StatusCode != 404 {
		t.Errorf("a deleted one answers %d", res.StatusCode)
	}
	as(t, app, roles.Editor).send(undo, nil, 303) // somebody else's button does nothing
	if n, _ := app.CountRecords(schema.Redirects); n != 0 {
		t.Error("somebody else took it back")
	}
	ada.send(undo, nil, 303)
	back, err := app.FindRecordById(schema.Redirects, r.Id)
	if err != nil || back.GetString("status") != "302" || !back.GetDateTime("created").Equal(r.GetDateTime("created")) {
		t.Errorf("%v, %v", back, err)
	}
	ada.send(undo, nil, 303)
	ada.see("/desk/redirects/none/", 404)
	as(t, app, roles.Author).see("/desk/redirects/", 403)
}

const list = "\ufefffrom;to;status\n/a/;/new-a/;301\n/b/;/b/;301\n/a;/other/;301\n/home/;/x/\n/c/\n/d;/e/;999\nhttps://old.example/f/?p=1;/f/;302\n/old/;/new/\n/g;/x;301;prefix\n"

func TestAListOfRedirectsIsTriedFirst(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada := as(t, app, roles.Editor)
	sitetest.Make(t, app, schema.Pages, map[string]any{"title": "Our home", "slug": "home", "body": "x", "status": "published"})
	sitetest.Make(t, app, schema.Redirects, map[string]any{"from": "/old", "to": "/before/"})
	by := library.By{Person: ada.Person, Actor: audit.Of(ada.Person, "")}
	dry, undo, err := library.ImportRedirects(app, by, list, true)
	if err != nil || undo != "" {
		t.Fatal(err)
	}
	if n, _ := app.CountRecords(schema.Redirects); n != 1 {
		t.Errorf("a dry run left %d", n)
	}
	got, _, err := library.ImportRedirects(app, by, list, false)
	if err != nil {
		t.Fatal(err)
	}
	want := map[int]string{2: "added", 3: "itself", 4: "Line 2", 5: "Our home", 6: "no new address", 7: "Invalid value", 8: "added", 9: "changed", 10: "added"}
	for _, r := range []*library.CSVReport{dry, got} {
		if len(r.Lines) != len(want) || r.Added != 3 || r.Changed != 1 || r.Refused != 5 {
			t.Errorf("%+v", r)
		}
		for _, l := range r.Lines {
			if !strings.Contains(l.Outcome+" "+l.Why, want[l.Number]) {
				t.Errorf("line %d: %s %s", l.Number, l.Outcome, l.Why)
			}
		}
	}
	again, _, err := library.ImportRedirects(app, by, list, false)
	if err != nil || again.Same != 4 || again.Added+again.Changed != 0 {
		t.Errorf("again: %+v, %v", again, err)
	}
	if audited(t, app, "redirect.import", "") != 2 {
		t.Error("the audit misses it")
	}
}

func TestImportAndExportOnTheDesk(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada := as(t, app, roles.Editor)
	ada.see("/desk/redirects/import/", 200)
	_, body := ada.send("/desk/redirects/import/try/", url.Values{"list": {list}}, 200)
	has(t, body, "This would happen", "5 added", "Line 2", "Import them")
	res, body := ada.sendFiles("/desk/redirects/import/try/", "text/html", files{"list.csv", "/x,/y\n"})
	if res.StatusCode != 200 || !strings.Contains(body, "1 added") {
		t.Errorf("a file: %d %s", res.StatusCode, body)
	}
	for _, bad := range []string{"", "  \n", strings.Repeat("/a,/b\n", 5001), strings.Repeat("x", 1<<20)} {
		_, body = ada.send("/desk/redirects/import/try/", url.Values{"list": {bad}, "x": {"1"}}, 422)
		has(t, body, `aria-invalid="true"`)
	}
	_, undo := ada.undoAfter("/desk/redirects/import/", url.Values{"list": {list}})
	_, csv := ada.Desk(ada.cookie, "/desk/redirects.csv", "")
	if !strings.HasPrefix(csv, "from,to,status,prefix,hits\n/a,/new-a/,301,false,0\n") {
		t.Errorf("exported %s", csv)
	}
	// The export moves in again without a change.
	_, body = ada.send("/desk/redirects/import/try/", url.Values{"list": {csv}}, 200)
	has(t, body, "0 added", "0 left out")
	ada.send(undo, nil, 303)
	if n, _ := app.CountRecords(schema.Redirects); n != 0 {
		t.Errorf("after taking it back there are %d", n)
	}
}

func TestTheListOfRedirectsIsSearchedAndSorted(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada := as(t, app, roles.Editor)
	sitetest.Make(t, app, schema.Redirects, map[string]any{"from": "/zoo", "to": "/animals/", "hits": 5})
	sitetest.Make(t, app, schema.Redirects, map[string]any{"from": "/art", "to": "/pictures/", "hits": 2})
	body := ada.see("/desk/redirects/?q=animals", 200)
	has(t, body, "/zoo")
	hasNot(t, body, "/art<")
	body = ada.see("/desk/redirects/?sort=from", 200)
	if strings.Index(body, "/art<") > strings.Index(body, "/zoo<") {
		t.Error("not sorted by address")
	}
	body = ada.see("/desk/redirects/?sort=hits", 200)
	if strings.Index(body, "/art<") < strings.Index(body, "/zoo<") {
		t.Error("not sorted by hits")
	}
	for name, query := range map[string]string{
		"idx_redirects_created": "SELECT * FROM redirects ORDER BY created DESC, id LIMIT 50",
		"idx_redirects_hits":    "SELECT * FROM redirects ORDER BY hits DESC, id LIMIT 50",
		"idx_redirects_from":    "SELECT * FROM redirects ORDER BY `from`, id LIMIT 50",
	} {
		if p := plan(t, app, query); !strings.Contains(p, name) {
			t.Errorf("%s: %s", query, p)
		}
	}
}

func FuzzImportRedirects(f *testing.F) {
	for _, seed := range []string{list, "/a,/b", "\"", "a\tb\n", ",,,\n;;"} {
		f.Add(seed)
	}
	app := sitetest.New(f)
	ada := as(f, app, roles.Editor)
	by := library.By{Person: ada.Person, Actor: audit.Of(ada.Person, "")}
	f.Fuzz(func(t *testing.T, in string) {
		report, _, err := library.ImportRedirects(app, by, in, true)
		if err == nil && report.Added+report.Changed+report.Refused != len(report.Lines) {
			t.Fatalf("%q: %+v", in, report)
		}
	})
}

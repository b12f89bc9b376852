package hooks_test

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"bungalow/hooks"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

// decided says of every route who may pass. A new route is added here by hand:
// that is the decision.
var decided = map[string]web.Access{
	"GET /healthz":           web.Public,
	"GET /readyz":            web.Public,
	"GET /api/site/search":   web.Public,
	"GET /media/{id}/{name}": web.Public,
	"GET /assets/accent.css": web.Public,
	"GET /f/{slug}":          web.Public,
	"POST /f/{slug}":         web.Public,

	"GET /desk":                                   web.Public,
	"GET /desk/{path...}":                         web.Public,
	"GET /desk/{$}":                               web.Staff,
	"GET /desk/sign-in/{$}":                       web.Public,
	"POST /desk/sign-in/{$}":                      web.Public,
	"POST /desk/sign-out/{$}":                     web.Staff,
	"GET /desk/welcome/{$}":                       web.Public,
	"GET /desk/invitation/{$}":                    web.Public,
	"POST /desk/invitation/{$}":                   web.Public,
	"GET /desk/forgotten/{$}":                     web.Public,
	"POST /desk/forgotten/{$}":                    web.Public,
	"GET /desk/reset/{$}":                         web.Public,
	"POST /desk/reset/{$}":                        web.Public,
	"GET /desk/account/{$}":                       web.Staff,
	"GET /desk/sign-in/factor/{$}":                web.Public,
	"POST /desk/sign-in/factor/{$}":               web.Public,
	"GET /desk/sign-in/code/{$}":                  web.Public,
	"POST /desk/sign-in/code/{$}":                 web.Public,
	"POST /desk/sign-in/code/check/{$}":           web.Public,
	"POST /desk/sign-in/passkey/start/{$}":        web.Public,
	"POST /desk/sign-in/passkey/{$}":              web.Public,
	"GET /desk/sign-in/with/{provider}/{$}":       web.Public,
	"GET /desk/sign-in/callback/{$}":              web.Public,
	"POST /desk/account/passkeys/start/{$}":       web.Staff,
	"POST /desk/account/passkeys/{$}":             web.Staff,
	"POST /desk/account/passkeys/{id}/remove/{$}": web.Staff,
	"POST /desk/account/factor/start/{$}":         web.Staff,
	"GET /desk/account/factor.png":                web.Staff,
	"POST /desk/account/factor/{$}":               web.Staff,
	"POST /desk/account/factor/off/{$}":           web.Staff,
	"POST /desk/account/factor/codes/{$}":         web.Staff,
	"POST /desk/dashboard/{$}":                    web.Owner,
	"POST /desk/dashboard/open/{$}":               web.Owner,
	"POST /desk/enter/{$}":                        web.Public,
	"POST /desk/account/profile/{$}":              web.Staff,
	"POST /desk/account/password/{$}":             web.Staff,
	"POST /desk/account/email/{$}":                web.Staff,
	"GET /desk/account/email/confirm/{$}":         web.Public,
	"POST /desk/account/email/confirm/{$}":        web.Public,
	"POST /desk/account/sessions/{id}/end/{$}":    web.Staff,
	"POST /desk/account/sessions/end/{$}":         web.Staff,
	"GET /desk/staff/{$}":                         web.Owner,
	"POST /desk/staff/{$}":                        web.Owner,
	"GET /desk/staff/{id}/{$}":                    web.Owner,
	"POST /desk/staff/{id}/{$}":                   web.Owner,
	"POST /desk/staff/{id}/invite/{$}":            web.Owner,
	"POST /desk/staff/{id}/deactivate/{$}":        web.Owner,
	"POST /desk/staff/{id}/reactivate/{$}":        web.Owner,
	"POST /desk/staff/{id}/factor-off/{$}":        web.Owner,
	"POST /desk/staff/{id}/remove/{$}":            web.Owner,
	"GET /desk/audit/{$}":                         web.Owner,
	"GET /desk/audit.csv":                         web.Owner,
	"POST /desk/welcome/{$}":                      web.Public,

	"GET /api/site/challenge": web.Public,

	"GET /desk/settings/{$}":                web.Owner,
	"GET /desk/settings/{name}/{$}":         web.Staff, // each setting says whose it is
	"POST /desk/settings/{name}/{$}":        web.Staff,
	"POST /desk/settings/mail/test/{$}":     web.Owner,
	"GET /metrics":                          web.Public, // with its own token
	"POST /desk/todo/{$}":                   web.Owner,
	"GET /desk/search/{$}":                  web.Staff,
	"GET /desk/shortcuts/{$}":               web.Staff,
	"GET /desk/live/{$}":                    web.Staff,
	"GET /desk/jobs/{$}":                    web.Owner,
	"POST /desk/jobs/{id}/{$}":              web.Owner,
	"GET /desk/mail/{$}":                    web.Owner,
	"GET /desk/mail/{id}/{$}":               web.Owner,
	"POST /desk/mail/{id}/{$}":              web.Owner,
	"GET /desk/mail/outbox/{$}":             web.Owner,
	"GET /desk/mail/outbox/{name}/{$}":      web.Owner,
	"GET /desk/backups/{$}":                 web.Owner,
	"POST /desk/backups/{$}":                web.Owner,
	"POST /desk/backups/upload/{$}":         web.Owner,
	"GET /desk/backups/{name}/{$}":          web.Owner,
	"GET /desk/backups/{name}/file/{$}":     web.Owner,
	"POST /desk/backups/{name}/delete/{$}":  web.Owner,
	"POST /desk/backups/{name}/restore/{$}": web.Owner,
	"GET /desk/media/{$}":                   "content.write",
	"GET /desk/media/pick/{$}":              "content.write",
	"POST /desk/media/upload/{$}":           "content.write",

	"GET /desk/forms/{$}":                         "forms.edit",
	"POST /desk/forms/{$}":                        "forms.edit",
	"GET /desk/forms/{id}/{$}":                    "forms.edit",
	"POST /desk/forms/{id}/{$}":                   "forms.edit",
	"POST /desk/forms/{id}/preview/{$}":           "forms.edit",
	"GET /desk/forms/{id}/html/{$}":               "forms.edit",
	"GET /desk/forms/{id}/delete/{$}":             "forms.edit",
	"POST /desk/forms/{id}/delete/{$}":            "forms.edit",
	"GET /desk/submissions/{$}":                   "inbox.answer",
	"POST /desk/submissions/{$}":                  "inbox.answer",
	"GET /desk/submissions/numbers/{$}":           "inbox.answer",
	"GET /desk/submissions/{id}/{$}":              "inbox.answer",
	"GET /desk/submissions/{id}/files/{name}/{$}": "inbox.answer",
	"GET /desk/submissions/{id}/erase/{$}":        "inbox.answer",
	"POST /desk/submissions/{id}/erase/{$}":       "inbox.answer",
	"GET /desk/submissions.csv":                   "inbox.answer",
	"GET /desk/submissions.json":                  "inbox.answer",
}

var placeholder = regexp.MustCompile(`\{[^}]+\}`)

func TestEveryRouteIsDecidedForEveryRole(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	tokens := map[string]string{"stranger": "", "superuser": sitetest.Superuser(t, app)}
	super, err := app.FindFirstRecordByFilter(core.CollectionNameSuperusers, "email ~ '@example.com'")
	if err != nil {
		t.Fatal(err)
	}
	people := map[string]*core.Record{"stranger": nil, "superuser": super}
	for _, role := range roles.All {
		people[string(role)], tokens[string(role)] = sitetest.Staff(t, app, role)
	}
	seen := map[string]bool{}
	for _, r := range hooks.Routes(app, hooks.Config{}) {
		name := r.Method + " " + r.Path
		seen[name] = true
		access, ok := decided[name]
		if !ok || access != r.Access {
			t.Errorf("%s lets %q pass; decided is %q (%v)", name, r.Access, access, ok)
		}
		for who, token := range tokens {
			path := strings.TrimSuffix(placeholder.ReplaceAllString(strings.Replace(r.Path, "{$}", "", 1), "x"), "{$}")
			res, _ := knock(t, app, r.Method, path, token, people[who])
			refused := res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden
			if ownSecret[name] {
				if !refused && res.StatusCode != http.StatusTooManyRequests { // guesses are counted
					t.Errorf("%s as %s without its secret answers %d", name, who, res.StatusCode)
				}
				continue
			}
			if may := who == "superuser" || web.Allowed(people[who], access); may == refused {
				t.Errorf("%s as %s answers %d", name, who, res.StatusCode)
			}
		}
	}
	for name := range decided {
		if !seen[name] {
			t.Errorf("%s is decided but not there", name)
		}
	}
}

// knock asks for a route as one person: with a token, or at the desk with a
// session made for this one request, because signing out ends it.
func knock(t *testing.T, app *sitetest.Site, method, path, token string, person *core.Record) (*http.Response, string) {
	if !strings.HasPrefix(path, "/desk/") || person == nil {
		return app.JSON(method, path, token, "")
	}
	return app.Do(method, path, "", "Cookie", sitetest.Cookie(t, app, person), "Content-Type", "application/x-www-form-urlencoded", "Accept", "application/json")
}

// TestStrangersSeeOnlyWhatIsPublic asks PocketBase's own API for every
// collection of ours.
func TestStrangersSeeOnlyWhatIsPublic(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	open := []string{schema.Posts, schema.Pages, schema.Tags, schema.Authors, schema.Menus, schema.Comments}
	post := sitetest.Make(t, app, schema.Posts, map[string]any{"title": "Out", "body": "x", "status": "published"})
	draft := sitetest.Make(t, app, schema.Posts, map[string]any{"title": "In", "body": "x", "status": "draft"})
	sitetest.Staff(t, app, roles.Editor)
	sitetest.Make(t, app, schema.Settings, map[string]any{"feature": "x", "value": map[string]any{}})
	sitetest.Make(t, app, schema.Audit, map[string]any{"action": "test"})
	sitetest.Make(t, app, schema.Redirects, map[string]any{"from": "/a", "to": "/b"})
	for _, c := range collections(t, app) {
		listed, body := app.Get("/api/collections/" + c + "/records")
		// Where a rule lets nobody in, PocketBase answers 403 or an empty list.
		shut := listed.StatusCode == http.StatusForbidden || strings.Contains(body, `"totalItems":0`)
		if isOpen := slices.Contains(open, c); isOpen && listed.StatusCode != http.StatusOK || !isOpen && !shut {
			t.Errorf("a stranger lists %s: %d %s", c, listed.StatusCode, body)
		}
		for _, method := range []string{http.MethodPost, http.MethodPatch, http.MethodDelete} {
			path := "/api/collections/" + c + "/records"
			if method != http.MethodPost {
				path += "/" + post.Id
			}
			if res, body := app.JSON(method, path, "", `{"title":"x","name":"x","feature":"x","from":"/x","to":"/y","email":"a@example.com","password":"12345678","passwordConfirm":"12345678","role":"owner","active":true,"action":"x"}`); res.StatusCode/100 == 2 {
				t.Errorf("a stranger's %s of %s answers %d %s", method, c, res.StatusCode, body)
			}
		}
	}
	if res, _ := app.Get("/api/collections/posts/records/" + post.Id); res.StatusCode != http.StatusOK {
		t.Errorf("a published post answers %d", res.StatusCode)
	}
	if res, _ := app.Get("/api/collections/posts/records/" + draft.Id); res.StatusCode != http.StatusNotFound {
		t.Errorf("a draft answers %d", res.StatusCode)
	}
}

// collections lists what our migrations made.
func collections(t *testing.T, app core.App) []string {
	t.Helper()
	all, err := app.FindAllCollections(core.CollectionTypeBase, core.CollectionTypeAuth)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range all {
		if !c.System && c.Name != "users" {
			names = append(names, c.Name)
		}
	}
	if len(names) < 11 {
		t.Fatalf("only %v", names)
	}
	return names
}

func TestAuthorsHaveTheirOwnPostsOnly(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, adas := sitetest.Staff(t, app, roles.Author)
	_, bobs := sitetest.Staff(t, app, roles.Author)
	me := sitetest.Make(t, app, schema.Authors, map[string]any{"name": "Ada", "staff": ada.Id})
	draft := sitetest.Make(t, app, schema.Posts, map[string]any{"title": "Mine", "body": "x", "status": "draft", "authors": []string{me.Id}})
	path := "/api/collections/posts/records/" + draft.Id
	for token, want := range map[string]int{adas: 200, bobs: 404, "": 404} {
		if res, _ := app.JSON(http.MethodGet, path, token, ""); res.StatusCode != want {
			t.Errorf("reading answers %d, want %d", res.StatusCode, want)
		}
		if res, body := app.JSON(http.MethodPatch, path, token, `{"title":"Changed"}`); res.StatusCode != want {
			t.Errorf("writing answers %d, want %d: %s", res.StatusCode, want, body)
		}
	}
	if res, body := app.JSON(http.MethodPost, "/api/collections/posts/records", adas, `{"title":"New","status":"draft","authors":["`+me.Id+`"]}`); res.StatusCode != 200 {
		t.Errorf("an author's new post: %d %s", res.StatusCode, body)
	}
	if res, _ := app.JSON(http.MethodPost, "/api/collections/posts/records", bobs, `{"title":"As Ada","status":"draft","authors":["`+me.Id+`"]}`); res.StatusCode/100 == 2 {
		t.Error("an author wrote in another's name")
	}
	if res, _ := app.JSON(http.MethodPost, "/api/collections/settings/records", adas, `{"feature":"x"}`); res.StatusCode/100 == 2 {
		t.Error("an author changed the settings")
	}
}

func TestUnknownFeaturesAreNamed(t *testing.T) {
	t.Parallel()
	_, _, err := hooks.Boot([]string{"serve", "--without", "content,blog"}, nil)
	if err == nil || !strings.Contains(err.Error(), `"blog"`) || !strings.Contains(err.Error(), "analytics") {
		t.Errorf("got %v", err)
	}
	_, cfg, err := hooks.Boot([]string{"serve"}, []string{"BUNGALOW_WITHOUT=shop, desk", "BUNGALOW_KEY_FILE=/run/key"})
	if err != nil || strings.Join(cfg.Without, " ") != "shop desk" || cfg.KeyFile != "/run/key" {
		t.Errorf("%+v, %v", cfg, err)
	}
	_, cfg, err = hooks.Boot([]string{"serve", "--without=forms"}, []string{"BUNGALOW_WITHOUT=shop"})
	if err != nil || strings.Join(cfg.Without, " ") != "forms" {
		t.Errorf("the flag does not win: %+v, %v", cfg, err)
	}
}

func TestWhichCommandsOpenAFolder(t *testing.T) {
	t.Parallel()
	for line, standalone := range map[string]bool{
		"": true, "--help": true, "theme eject x": true, "--dev theme eject x": true, "serve": false, "--dev serve": false,
		"--dir x serve": false, "serve --http 127.0.0.1:1 example.com": false, "--queryTimeout 3 superuser create": false,
	} {
		_, cfg, err := hooks.Boot(strings.Fields(line), nil)
		if err != nil || cfg.Standalone != standalone {
			t.Errorf("%q: standalone %v, %v", line, cfg.Standalone, err)
		}
	}
	base, cfg, err := hooks.Boot([]string{"demo"}, []string{"BUNGALOW_DIR=/srv/site"})
	if err != nil || cfg.Throwaway == "" || strings.HasPrefix(base.DefaultDataDir, "/srv/site") {
		t.Errorf("the demo would use %s, %v", base.DefaultDataDir, err)
	}
	_ = os.RemoveAll(cfg.Throwaway)
}

func TestEachFeatureCanBeLeftOutAlone(t *testing.T) {
	t.Parallel()
	for _, off := range schema.Features {
		t.Run(off, func(t *testing.T) {
			t.Parallel()
			app := sitetest.New(t, off)
			for _, path := range []string{"/", "/healthz", "/api/health", "/blog/", "/feed.xml"} {
				if res, body := app.Get(path); res.StatusCode >= 500 {
					t.Errorf("%s answers %d %.200s", path, res.StatusCode, body)
				}
			}
			if _, err := app.FindCollectionByNameOrId(schema.Posts); (err != nil) != (off == "content") {
				t.Errorf("the posts: %v", err)
			}
		})
	}
}

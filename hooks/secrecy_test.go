package hooks_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"bungalow/hooks/content/drafts"
	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

// secret is in every text that only Ada and the editors may know.
const secret = "xylograph"

// hidden is a site on which the author Ada keeps a secret: in a draft, in the
// next version of a published post, in the bin, in a file.
type hidden struct {
	*sitetest.Site
	ada                *core.Record
	draft, live, file  string
	revisions          []string
	tag, author, media string
}

func hide(t *testing.T) *hidden {
	t.Helper()
	h := &hidden{Site: sitetest.New(t)}
	h.ada, _ = sitetest.Staff(t, h, roles.Author)
	by := drafts.By{Person: h.ada, Actor: audit.Of(h.ada, "")}
	h.tag = sitetest.Make(t, h, schema.Tags, map[string]any{"name": "Wood"}).Id
	h.media = ownFile(t, h.Site, h.ada)
	file, err := h.FindRecordById(schema.Media, h.media)
	if err != nil {
		t.Fatal(err)
	}
	file.Set("alt", secret)
	if err := h.Save(file); err != nil {
		t.Fatal(err)
	}
	h.file = file.GetString("file")
	text := func(title, body string) drafts.Version {
		return drafts.Version{"title": title, "body": body, "tags": []string{h.tag}, "cover": h.media, "comments_open": true}
	}
	make := func(title, body string) *core.Record {
		t.Helper()
		p, err := drafts.Create(h, by, schema.Posts, text(title, body))
		if err != nil {
			t.Fatal(err)
		}
		h.author = p.GetStringSlice("authors")[0]
		return p
	}
	h.draft = make("The "+secret, "A draft about a "+secret+".").Id
	h.live = make("A bungalow", "Known to all.").Id
	if _, err := drafts.Publish(h, by, schema.Posts, h.live, "", text("A bungalow", "Known to all."), by.Person.GetDateTime("none").Time()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := drafts.Autosave(h, by, schema.Posts, h.live, "", text("A "+secret, "Its next version has a "+secret+".")); err != nil {
		t.Fatal(err)
	}
	if _, err := drafts.Bin(h, by, schema.Posts, make("Binned "+secret, secret).Id); err != nil {
		t.Fatal(err)
	}
	if err := h.DB().Select("id").From(schema.Revisions).Column(&h.revisions); err != nil || len(h.revisions) < 4 {
		t.Fatalf("%d revisions, %v", len(h.revisions), err)
	}
	return h
}

// others are those who may know nothing of it.
func (h *hidden) others(t *testing.T) map[string]*core.Record {
	t.Helper()
	people := map[string]*core.Record{"a stranger": nil}
	for _, role := range []roles.Role{roles.Author, roles.Moderator, roles.Shopkeeper, roles.Analyst} {
		people["another "+string(role)], _ = sitetest.Staff(t, h, role)
	}
	people["a visitor's account"] = sitetest.Make(t, h, "users", map[string]any{"email": "v@example.com", "password": sitetest.Password})
	return people
}

func tokenOf(t *testing.T, person *core.Record) string {
	t.Helper()
	if person == nil {
		return ""
	}
	token, err := person.NewAuthToken()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// An author's draft is nobody else's, by whatever door: none of these answers
// holds a word of it, and none changes it.
func TestNobodyReadsOrChangesAnAuthorsDraft(t *testing.T) {
	t.Parallel()
	h := hide(t)
	reads := []string{
		"/api/collections/posts/records/" + h.draft, "/api/collections/posts/records/" + h.live + "?expand=tags,authors,cover",
		"/api/collections/posts/records?expand=tags,authors,cover", "/api/collections/tags/records?expand=posts_via_tags",
		"/api/collections/tags/records/" + h.tag + "?expand=posts_via_tags", "/api/collections/authors/records?expand=posts_via_authors,posts_via_authors.cover,staff",
		"/api/collections/media/records?expand=posts_via_cover,revisions_via_cover", "/api/collections/media/records/" + h.media + "?expand=posts_via_cover",
		"/api/collections/revisions/records", "/api/collections/audit/records", "/api/collections/staff/records?expand=revisions_via_staff,authors_via_staff",
		"/blog/", "/", "/archive/", "/blog/the-" + secret + "/", "/tag/wood/", "/author/author/", "/search/?q=" + secret, "/api/site/search?q=" + secret,
		"/feed.xml", "/rss.xml", "/feed.json", "/tag/wood/feed.xml", "/sitemap.xml", "/blog/a-bungalow/", "/api/site/comments?thread=/blog/the-" + secret + "/",
		"/desk/", "/desk/posts/", "/desk/posts/?q=" + secret, "/desk/posts/?status=draft", "/desk/posts/?status=bin", "/desk/search/?q=" + secret, "/desk/media/", "/desk/media/?q=" + secret,
		"/desk/media/pick/", "/desk/media/" + h.media + "/", "/desk/media/" + h.media + "/file/", "/desk/posts/" + h.draft + "/", "/desk/posts/" + h.draft + "/preview/",
		"/desk/posts/" + h.draft + "/revisions/", "/desk/posts/" + h.draft + "/conflict/", "/desk/posts/" + h.live + "/", "/desk/audit/", "/desk/audit.csv",
		"/desk/export/markdown.zip", "/desk/export/all.zip", "/desk/live/", "/desk/tags/", "/desk/comments/thread/?thread=/blog/the-" + secret + "/",
	}
	for _, id := range h.revisions {
		reads = append(reads, "/api/collections/revisions/records/"+id, "/desk/posts/"+h.draft+"/revisions/"+id+"/", "/desk/posts/"+h.live+"/revisions/"+id+"/?with=now")
	}
	echoes := regexp.MustCompile(`(?i)(q|thread)=[^"&<>]*` + secret + `|value="[^"]*` + secret + `"|[“"„]` + secret + `[”"“]|canonical[^>]*|<title>[^<]*|/blog/the-` + secret + `/`)
	for who, person := range h.others(t) {
		for _, path := range reads {
			_, body := h.knock(t, http.MethodGet, path, "", person)
			if at := strings.Index(echoes.ReplaceAllString(body, ""), secret); at >= 0 {
				t.Errorf("%s learns from %s", who, path)
			}
		}
		h.tryToChange(t, who, person)
	}
	learnt := 0 // by the author herself, so that the test asks for what is there
	for _, path := range reads {
		if _, body := h.knock(t, http.MethodGet, path, "", h.ada); strings.Contains(echoes.ReplaceAllString(body, ""), secret) {
			learnt++
		}
	}
	if learnt < 15 {
		t.Errorf("the author finds the secret at %d addresses only", learnt)
	}
	for _, id := range []string{h.draft, h.live} {
		now, err := h.FindRecordById(schema.Posts, id)
		if err != nil || now.GetString("body") == "taken" || now.GetString("status") != map[string]string{h.draft: "draft", h.live: "published"}[id] {
			t.Errorf("it was changed: %v, %v", now, err)
		}
	}
}

// knock asks as a browser with a session at the desk, else with a token.
func (h *hidden) knock(t *testing.T, method, path, body string, person *core.Record) (*http.Response, string) {
	t.Helper()
	if !strings.HasPrefix(path, "/desk/") {
		return h.JSON(method, path, tokenOf(t, person), body)
	}
	header := []string{"Accept", "text/html", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin"}
	if person != nil && person.Collection().Name == schema.Staff {
		header = append(header, "Cookie", sitetest.Cookie(t, h, person))
	}
	return h.Do(method, path, body, header...)
}

func (h *hidden) tryToChange(t *testing.T, who string, person *core.Record) {
	t.Helper()
	writes := map[string]string{
		"PATCH /api/collections/posts/records/" + h.draft:  `{"body":"taken","status":"published"}`,
		"PATCH /api/collections/posts/records/" + h.live:   `{"body":"taken"}`,
		"DELETE /api/collections/posts/records/" + h.draft: ``, "DELETE /api/collections/posts/records/" + h.live: ``,
		"PATCH /api/collections/media/records/" + h.media: `{"alt":"taken"}`, "DELETE /api/collections/media/records/" + h.media: ``,
		"PATCH /api/collections/authors/records/" + h.author: `{"staff":""}`,
		"POST /api/collections/authors/records":              `{"name":"Me too","staff":"` + h.ada.Id + `"}`,
		"POST /api/collections/revisions/records":            `{"collection":"posts","record":"` + h.draft + `","state":"draft","data":{"body":"taken"}}`,
	}
	for _, id := range h.revisions {
		writes["PATCH /api/collections/revisions/records/"+id] = `{"state":"scheduled","due":"2020-01-01 00:00:00.000Z"}`
		writes["DELETE /api/collections/revisions/records/"+id] = ``
		writes["POST /desk/posts/"+h.draft+"/revisions/"+id+"/restore/"] = `sent=1`
	}
	for _, act := range []string{"", "autosave/", "unpublish/", "discard/", "bin/", "translate/", "conflict/", "unbin/", "purge/"} {
		writes["POST /desk/posts/"+h.draft+"/"+act] = url.Values{"body": {"taken"}, "do": {"publish"}, "locale": {"de"}}.Encode()
	}
	for line, body := range writes {
		method, path, _ := strings.Cut(line, " ")
		if res, text := h.knock(t, method, path, body, person); res.StatusCode < 300 || strings.Contains(text, secret) {
			t.Errorf("%s: %s answers %d %.200s", who, line, res.StatusCode, text)
		}
	}
	// Bulk actions say what they left alone and change nothing.
	for _, do := range []string{"publish", "bin", "tag", "unpublish"} {
		h.knock(t, http.MethodPost, "/desk/posts/bulk/", url.Values{"do": {do}, "tag": {"x"}, "ids": {h.draft, h.live}}.Encode(), person)
	}
	h.knock(t, http.MethodPost, "/desk/media/bin/", "id="+h.media, person)
	if media, err := h.FindRecordById(schema.Media, h.media); err != nil || !media.GetDateTime("trashed_at").IsZero() || media.GetString("alt") != secret {
		t.Errorf("%s changed the file: %v", who, err)
	}
}

// A filter or an order that asks about what may not be read must not answer:
// it finds as much for the secret as for nonsense.
func TestNobodyGuessesADraftByFilters(t *testing.T) {
	t.Parallel()
	h := hide(t)
	probes := map[string][]string{
		schema.Posts:     {`title ~ "%s"`, `body ~ "%s"`, `html ~ "%s"`, `slug ~ "%s"`, `@collection.posts.title ?~ "%s"`, `@collection.revisions.title ?~ "%s"`, `cover.alt ~ "%s"`, `tags.posts_via_tags.title ?~ "%s"`},
		schema.Tags:      {`posts_via_tags.title ?~ "%s"`, `posts_via_tags.body ?~ "%s"`, `posts_via_tags.cover.alt ?~ "%s"`},
		schema.Authors:   {`posts_via_authors.title ?~ "%s"`, `posts_via_authors.body ?~ "%s"`, `staff.revisions_via_staff.title ?~ "%s"`},
		schema.Media:     {`alt ~ "%s"`, `posts_via_cover.title ?~ "%s"`},
		schema.Revisions: {`title ~ "%s"`, `data.body ~ "%s"`},
		schema.Audit:     {`detail ~ "%s"`, `detail.title ~ "%s"`},
		schema.Comments:  {`@collection.posts.title ?~ "%s"`},
	}
	// PocketBase makes whoever finds nothing wait, so they ask side by side.
	people := h.others(t)
	people["an editor"], _ = sitetest.Staff(t, h, roles.Editor)
	for who, person := range people {
		token := tokenOf(t, person)
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			learnt := 0
			for collection, filters := range probes {
				for _, filter := range filters {
					with, without := h.probe(collection, filter, secret, token), h.probe(collection, filter, "quintessence", token)
					if with == without {
						continue
					}
					if learnt++; who != "an editor" {
						t.Errorf("%s by the filter %s: %s for the secret, %s for nonsense", collection, filter, with, without)
					}
				}
			}
			if who == "an editor" && learnt < 8 {
				t.Errorf("only %d of the questions can tell an editor anything", learnt)
			}
		})
	}
}

// probe asks a list of a collection about a word.
func (h *hidden) probe(collection, filter, word, token string) string {
	res, body := h.JSON(http.MethodGet, "/api/collections/"+collection+"/records?fields=totalItems&filter="+url.QueryEscape(fmt.Sprintf(filter, word)), token, "")
	var answer struct{ TotalItems int }
	_ = json.Unmarshal([]byte(body), &answer)
	return fmt.Sprint(res.StatusCode, " ", answer.TotalItems)
}

// What happens to a draft is told to no stream of events but its author's.
func TestNobodyHearsOfADraft(t *testing.T) {
	t.Parallel()
	h := hide(t)
	h.RemoteAddr = "127.0.0.1:1" // where the streams come from: PocketBase compares
	server := httptest.NewServer(h.Handler)
	t.Cleanup(server.Close)
	bob, _ := sitetest.Staff(t, h, roles.Author)
	for who, person := range map[string]*core.Record{"a stranger": nil, "another author": bob, "the author": h.ada} {
		heard := h.subscribe(t, server.URL, tokenOf(t, person))
		draft, err := h.FindRecordById(schema.Posts, h.draft)
		if err != nil {
			t.Fatal(err)
		}
		draft.Set("body", "Once more a "+secret+" for "+who)
		if err := h.Save(draft); err != nil {
			t.Fatal(err)
		}
		if _, _, err := drafts.Autosave(h, drafts.By{Person: h.ada, Actor: audit.Of(h.ada, "")}, schema.Posts, h.live, "", drafts.Version{"title": "A " + secret, "body": secret + " for " + who}); err != nil {
			t.Fatal(err)
		}
		// The last one is for everybody and ends the wait.
		sitetest.Make(t, h, schema.Tags, map[string]any{"name": "The end for " + who})
		told := heard("The end for " + who)
		if knows := strings.Contains(told, secret); knows != (who == "the author") {
			t.Errorf("%s hears of it: %v", who, knows)
		}
	}
}

// subscribe listens to everything that can be listened to, and gives what
// came until a word did.
func (h *hidden) subscribe(t *testing.T, base, token string) (until func(word string) string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/api/realtime", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	next := func(word string) string {
		t.Helper()
		var all strings.Builder
		for lines.Scan() {
			all.WriteString(lines.Text() + "\n")
			if strings.Contains(lines.Text(), word) {
				return all.String()
			}
		}
		t.Fatalf("the stream ended before %q: %v\n%s", word, lines.Err(), all.String())
		return ""
	}
	var hello struct{ ClientID string }
	_, data, _ := strings.Cut(next(`"clientId"`), "data:")
	if err := json.Unmarshal([]byte(strings.TrimSpace(data)), &hello); err != nil {
		t.Fatal(err)
	}
	topics, err := json.Marshal(map[string]any{"clientId": hello.ClientID, "subscriptions": []string{
		"posts/*", "posts/" + h.draft, "revisions/*", "media/*", "audit/*", "tags/*", `posts/*?options={"query":{"expand":"authors,tags"}}`,
	}})
	if err != nil {
		t.Fatal(err)
	}
	if res, body := h.JSON(http.MethodPost, "/api/realtime", token, string(topics)); res.StatusCode != http.StatusNoContent {
		t.Fatalf("subscribing %q answers %d %s", topics, res.StatusCode, body)
	}
	return next
}

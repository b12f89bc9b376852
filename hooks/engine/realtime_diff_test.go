package engine

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
)

// The same writes to PocketBase alone and to one with the hub: every
// subscriber hears the same messages.
func TestRealtimeSaysWhatPocketBaseSays(t *testing.T) {
	t.Parallel()
	plain, own := rehearse(t, Options{}), rehearse(t, whole())
	total := 0
	for who := range plain {
		want, got := plain[who], own[who]
		total += len(want)
		if len(want) < 10 {
			t.Errorf("%s heard only %d messages: that tests little", who, len(want))
		}
		for i := range max(len(want), len(got)) {
			var w, g string
			if i < len(want) {
				w = want[i]
			}
			if i < len(got) {
				g = got[i]
			}
			if w != g {
				t.Fatalf("%s, message %d of %d and %d:\nPocketBase %s\nhub        %s", who, i, len(want), len(got), w, g)
			}
		}
	}
	t.Logf("%d messages compared", total)
}

// whole is the engine but for what belongs to the process.
func whole() Options {
	o := All()
	o.Process = false
	return o
}

// topics are all collections, wildcard and single, with options of all kinds.
func topics(names []string) []string {
	var all []string
	for _, c := range names {
		for _, name := range []string{c + "/*", c, c + "/" + id("first"), "c" + id(c)[:14] + "/*"} {
			all = append(all, name)
			for _, query := range []string{
				`{"fields":"id,title"}`, `{"fields":"*,expand.owner.email","expand":"owner"}`,
				`{"expand":"owner,parent.owner"}`, `{"filter":"n > 1"}`, `{"filter":"secret = 's'"}`,
				`{"filter":"@request.auth.id != ''"}`, `{"filter":"owner.verified = true"}`, `{"k":"v"}`,
				`{"filter":"owner.email != ''","fields":"title:excerpt(3)"}`, `{"filter":"broken ="}`,
			} {
				all = append(all, name+"?options="+url.QueryEscape(`{"query":`+query+`}`))
			}
			all = append(all, name+"?options="+url.QueryEscape(`{"headers":{"X-Token":"t"}}`))
		}
	}
	return all
}

// stage makes collections under rules of many kinds.
func stage(t *testing.T, s *site) []string {
	names := []string{"open"}
	open := s.collection(t, "open", rule(""))
	parent := &core.RelationField{Name: "parent", CollectionId: open.Id, CascadeDelete: true}
	for _, c := range []struct {
		name string
		rule *string
	}{
		{"owned", rule("owner = @request.auth.id")}, {"flagged", rule("public = true")}, {"closed", nil},
		{"asked", rule("@request.query.k = 'v'")}, {"headed", rule("@request.headers.x_token = 't'")},
		{"related", rule("parent.public = true")}, {"joined", rule("@collection.open.title ?= title")},
		{"verified", rule("@request.auth.verified = true && n >= 1")}, {"traced", rule("@request.context = 'realtime' || n = 2")},
		{"back", rule("owner.owned_via_owner.n ?> 1")},
	} {
		s.collection(t, c.name, c.rule, parent)
		names = append(names, c.name)
	}
	users, err := s.FindCollectionByNameOrId("users")
	if err != nil {
		t.Fatal(err)
	}
	users.ListRule, users.ViewRule = rule("@request.auth.id != '' || verified = false"), rule("@request.auth.id != '' || verified = true")
	users.ManageRule = rule("@request.auth.email = 'ann@example.com'")
	if err := s.Save(users); err != nil {
		t.Fatal(err)
	}
	return names
}

// perform writes what there is to hear.
func perform(t *testing.T, s *site, names []string, ann, bob *core.Record) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range names {
		fields := map[string]any{
			"id": id("first"), "title": "a <b> & \u2028 \"c\"", "secret": "s", "n": i % 3, "public": i%2 == 0,
			"data": map[string]any{"x": []any{1, nil, "y"}}, "day": "2026-01-02 03:04:05.678Z", "owner": ann.Id, "parent": id("first"),
		}
		first := s.save(t, name, fields)
		fields["id"], fields["owner"], fields["public"] = id("second"), bob.Id, true
		second := s.save(t, name, fields)
		first.Set("title", "changed")
		first.Set("public", false)
		must(s.Save(first))
		must(s.RunInTransaction(func(tx core.App) error {
			second.Set("n", 2)
			if err := tx.Save(second); err != nil {
				return err
			}
			return tx.Delete(second)
		}))
		proxy := &struct{ core.BaseRecordProxy }{}
		proxy.SetProxyRecord(first)
		proxy.Record.Set("title", "by proxy")
		must(s.Save(proxy))
	}
	ann.Set("name", "Ann")
	ann.Set("verified", false)
	must(s.Save(ann))
	bob.Set("emailVisibility", true)
	must(s.Save(bob))
	bob, err := s.FindRecordById("users", bob.Id)
	must(err)
	bob.RefreshTokenKey()
	must(s.Save(bob)) // signs him out
	for i, name := range names {
		s.save(t, name, map[string]any{"id": id("third"), "title": "third", "n": i, "owner": ann.Id})
	}
	must(s.Delete(ann))
	for _, name := range names {
		record, err := s.FindRecordById(name, id("third"))
		must(err)
		record.Set("public", true)
		must(s.Save(record))
	}
	first, err := s.FindRecordById("open", id("first"))
	must(err)
	must(s.Delete(first)) // cascades
}

// rehearse returns what each subscriber heard, sorted: within one event
// PocketBase has no order.
func rehearse(t *testing.T, o Options) map[string][]string {
	s := serve(t, "", o)
	names := stage(t, s)
	address := online(t, s)
	ann, annToken := s.user(t, "ann@example.com")
	bob, bobToken := s.user(t, "bob@example.com")
	root := s.save(t, core.CollectionNameSuperusers, map[string]any{"id": id("root"), "email": "root@example.com", "password": password})
	rootToken, err := root.NewAuthToken()
	if err != nil {
		t.Fatal(err)
	}
	s.collection(t, "fence", rule(""))
	all := topics(append(names, "users"))
	who := map[string]*listener{}
	for name, token := range map[string]string{"stranger": "", "ann": annToken, "ann again": annToken, "bob": bobToken, "root": rootToken} {
		who[name] = listen(t, address, token, append(all, "fence/*")...)
	}
	perform(t, s, names, ann, bob)
	heard := map[string][]string{}
	for round := range 2 { // PocketBase's goroutines may let the first fence pass
		s.save(t, "fence", map[string]any{"title": fmt.Sprintf("fence %d", round)})
		for name, l := range who {
			heard[name] = normal(t, l.until(t, "the fence", has(fmt.Sprintf("fence %d", round))))
		}
	}
	return heard
}

var times = regexp.MustCompile(`"(created|updated)":"[^"]*"`)

// normal leaves out what two runs cannot have in common.
func normal(t *testing.T, all []heard) []string {
	var lines []string
	for _, h := range all {
		if h.Name == "fence/*" {
			continue
		}
		data := times.ReplaceAllString(h.Data, `"$1":""`)
		if strings.Contains(h.Name, "fields") { // PocketBase's own key order is random
			var v any
			if err := json.Unmarshal([]byte(data), &v); err != nil {
				t.Fatal(err)
			}
			same, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			data = string(same)
		}
		lines = append(lines, h.Name+" "+data)
	}
	sort.Strings(lines)
	return lines
}

package engine

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
	"github.com/pocketbase/pocketbase/tools/types"
)

// nasty are strings that encoders disagree about.
var nasty = []string{"", "plain", "<a href=\"x\">&amp;</a>", "line\u2028and\u2029paragraph", "tab\tnewline\r\nback\b\f\x00\x1f\x7f", "bad \xff\xfe utf-8 \xc3(", "\xed\xa0\x80",
	"quote\" slash/ backslash\\", "😀 é ß 漢字 \ufffd \ufeff", "'); DROP TABLE x;--", strings.Repeat("long ", 500)}

// documents are JSON texts as they may lie in a column.
var documents = []string{"null", "", `{}`, `[]`, `"text"`, `  {"b" : 1 , "a" : [ 1.0, 1e5, -0, 0.10, 12345678901234567890 ] } `, `{"a":1,"a":2}`,
	`"\u0041\u2028\/\ud83d\ude00"`, `"` + "\u2028<>&" + `"`, `{"deep":{"deep":[[[[{"x":null}]]]]}}`, `true`, `12`, `not json`, `{"cut":`, "\"\xff\"", `1e400`, `"\ud800"`}

var figures = []string{"0", "-0.0", "1", "-1", "0.1", "1e21", "1e20", "123456789012345680000", "1e-6", "1e-7", "9007199254740991", "9007199254740993", "1.7976931348623157e308", "5e-324",
	"3.0000000000000004", "100", "-2.5", "9e999", "-9e999", "'text'", "NULL"}

// everyField is a folder with a collection that has a field of each kind, shown
// and hidden, and records with every strange value in each.
func everyField(t testing.TB) string {
	t.Helper()
	s := serve(t, "", Options{})
	library(t, s, 12)
	authors, err := s.FindCollectionByNameOrId("authors")
	must(t, err)
	c := core.NewBaseCollection("everything")
	for _, hidden := range []bool{false, true} {
		p := map[bool]string{false: "a_", true: "hidden_"}[hidden]
		c.Fields.Add(
			&core.TextField{Name: p + "text", Hidden: hidden}, &core.EditorField{Name: p + "editor", Hidden: hidden},
			&core.NumberField{Name: p + "number", Hidden: hidden}, &core.BoolField{Name: p + "bool", Hidden: hidden},
			&core.EmailField{Name: p + "email", Hidden: hidden}, &core.URLField{Name: p + "url", Hidden: hidden},
			&core.DateField{Name: p + "date", Hidden: hidden}, &core.AutodateField{Name: p + "auto", OnCreate: true, Hidden: hidden},
			&core.SelectField{Name: p + "select", Values: []string{"x", "y"}, Hidden: hidden},
			&core.SelectField{Name: p + "selects", Values: []string{"x", "y"}, MaxSelect: 2, Hidden: hidden},
			&core.FileField{Name: p + "file", Hidden: hidden}, &core.FileField{Name: p + "files", MaxSelect: 3, Hidden: hidden},
			&core.RelationField{Name: p + "relation", CollectionId: authors.Id, Hidden: hidden},
			&core.RelationField{Name: p + "relations", CollectionId: authors.Id, MaxSelect: 3, Hidden: hidden},
			&core.JSONField{Name: p + "json", Hidden: hidden}, &core.GeoPointField{Name: p + "point", Hidden: hidden},
			&core.PasswordField{Name: p + "password", Hidden: hidden},
		)
	}
	c.Fields.Add(&core.TextField{Name: "Zed"}, &core.TextField{Name: "_under"})
	c.ListRule, c.ViewRule = types.Pointer(""), types.Pointer("")
	must(t, s.Save(c))
	n := 0
	insert := func(set string) {
		t.Helper()
		recordID := id(fmt.Sprint("everything", n))
		n++
		must(t, tryExec(s, "INSERT INTO everything (id) VALUES ('"+recordID+"')"))
		for _, p := range []string{"a_", "hidden_"} {
			if set != "" {
				must(t, tryExec(s, "UPDATE everything SET "+strings.ReplaceAll(set, "§", p)+" WHERE id='"+recordID+"'"))
			}
		}
	}
	insert("")
	for _, text := range nasty {
		v := fmt.Sprintf("CAST(x'%x' AS TEXT)", text)
		insert(strings.ReplaceAll("§text=V, §editor=V, §email=V, §url=V, §date=V, §auto=V, §select=V, §selects=V, §file=V, §files=V, §relation=V, §relations=V, §point=V, §password=V, Zed=V", "V", v))
		insert(strings.ReplaceAll("§selects=json_array(V,'x'), §files=json_array(V), §relations=json_array('x',V,'x'), §bool=V, §number=V", "V", v))
	}
	for _, doc := range documents {
		v := fmt.Sprintf("CAST(x'%x' AS TEXT)", doc)
		insert(strings.ReplaceAll("§json=V, §selects=V, §files=V, §relations=V, §point=V", "V", v))
	}
	for _, f := range figures[:len(figures)-4] {
		insert("§number=" + f + ", §bool=" + f + ", §json=" + f + ", §text=" + f)
	}
	for _, set := range []string{"§number='text'", "§date='2026-01-02 03:04:05.678Z', §auto='2026-01-02', §point='{\"lon\":1.5,\"lat\":-90}'", "§date='0000-01-01 00:00:00.000Z'",
		"§date='9999-12-31 23:59:59.999Z'", "§relation='" + id("author0") + "', §relations='[\"" + id("author1") + "\",\"" + id("author2") + "\",\"gone\"]', §bool=1, §file='f.png'"} {
		insert(set)
	}
	s.save(t, core.CollectionNameSuperusers, map[string]any{"id": id("root"), "email": "root@example.com", "password": password})
	s.user(t, "ada@example.com")
	users, err := s.FindCollectionByNameOrId("users")
	must(t, err)
	users.ListRule, users.ViewRule = types.Pointer(""), types.Pointer("")
	must(t, s.Save(users))
	must(t, s.ClearBootstrap())
	return s.DataDir()
}

func tryExec(s *site, query string) error {
	_, err := s.NonconcurrentDB().NewQuery(query).Execute()
	return err
}

// questions are lists and views that are asked of both.
func questions(t testing.TB, s *site) []string {
	var asked []string
	for _, c := range []string{"everything", "books", "thick", "users", "authors", "_superusers"} {
		for _, q := range []string{"", "?perPage=3&page=2", "?skipTotal=1", "?page=1000", "?expand=a_relation,a_relations,hidden_relation,authors,nothing", "?fields=id,a_text,collectionName", "?filter=id=''",
			"?fields=*,a_text:excerpt(4,true)", "?expand=authors.books_via_authors&fields=expand.authors.name", "?sort=-id", "?perPage=1000&filter=id!=''"} {
			asked = append(asked, "/api/collections/"+c+"/records"+q)
		}
		var ids []string
		must(t, s.ConcurrentDB().Select("id").From(c).OrderBy("id").Limit(map[string]int64{"everything": 100}[c]+5).Column(&ids))
		for _, id := range append(ids, "missing") {
			asked = append(asked, "/api/collections/"+c+"/records/"+id, "/api/collections/"+c+"/records/"+id+"?expand=authors,a_relations", "/api/collections/"+c+"/records/"+id+"?fields=id")
		}
	}
	return asked
}

func TestListsAndViewsAreWrittenAsPocketBaseDoes(t *testing.T) {
	t.Parallel()
	dir := everyField(t)
	for name, hooks := range map[string]func(core.App, *core.ServeEvent){
		"alone": func(core.App, *core.ServeEvent) {},
		"enriched": func(app core.App, _ *core.ServeEvent) {
			app.OnRecordEnrich("everything", "books").BindFunc(func(e *core.RecordEnrichEvent) error {
				e.Record.WithCustomData(true)
				e.Record.Set("zz_custom", map[string]any{"b": 1, "a": []any{nil, 1.5, "\u2028\xff"}})
				e.Record.Set("é", e.Record)
				e.Record.Set("@pbInternalX", "never")
				e.Record.Set("<key>", errors.New("an error"))
				e.Record.Set("A", int64(1)<<60)
				e.Record.Set("a_text", "changed "+e.Record.GetString("a_text"))
				e.Record.Hide("a_json", "collectionName", "A").Unhide("hidden_text")
				return e.Next()
			})
		},
		"one fails": func(app core.App, _ *core.ServeEvent) {
			app.OnRecordEnrich("books").BindFunc(func(e *core.RecordEnrichEvent) error {
				if e.Record.Id == id("book3") {
					return errors.New("no")
				}
				return e.Next()
			})
			app.OnRecordEnrich("thick").BindFunc(func(*core.RecordEnrichEvent) error {
				return fmt.Errorf("wrapped: %w", router.NewForbiddenError("Not this one.", nil))
			})
		},
		"other items": func(app core.App, _ *core.ServeEvent) {
			app.OnRecordsListRequest("books").BindFunc(func(e *core.RecordsListRequestEvent) error {
				e.Result.Items = []string{"own"}
				e.Result.TotalItems = 77
				return e.Next()
			})
			app.OnRecordsListRequest("everything").BindFunc(func(e *core.RecordsListRequestEvent) error {
				e.Records = e.Records[:min(2, len(e.Records))]
				e.Response.Header().Set("Content-Type", "application/x-own")
				return e.Next()
			})
			app.OnRecordViewRequest("books").BindFunc(func(e *core.RecordRequestEvent) error {
				e.Record.Set("title", "seen")
				return e.Next()
			})
		},
		"in a transaction": func(app core.App, _ *core.ServeEvent) {
			app.OnRecordsListRequest().BindFunc(func(e *core.RecordsListRequestEvent) error {
				outer := e.App
				defer func() { e.App = outer }()
				return outer.RunInTransaction(func(tx core.App) error { e.App = tx; return e.Next() })
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			compare(t, dir, hooks)
		})
	}
}

func compare(t *testing.T, dir string, hooks func(core.App, *core.ServeEvent)) {
	t.Helper()
	theirs, ours := serve(t, dir, Options{}, hooks), serve(t, dir, Options{JSON: true}, hooks)
	tokens := map[string]string{"stranger": ""}
	for who, c := range map[string]string{"root": core.CollectionNameSuperusers, "ada@example.com": "users"} {
		record, err := theirs.FindRecordById(c, id(who))
		must(t, err)
		tokens[who], err = record.NewAuthToken()
		must(t, err)
	}
	for who, token := range tokens {
		for _, path := range questions(t, theirs) {
			wantStatus, wantHeader, want := theirs.get(path, token)
			status, header, got := ours.get(path, token)
			if strings.Contains(path, "fields=") && wantStatus == http.StatusOK && status == wantStatus {
				got, want = sorted(t, got), sorted(t, want)
			}
			if status != wantStatus || got != want || fmt.Sprint(header) != fmt.Sprint(wantHeader) {
				t.Fatalf("%s as %s:\nPocketBase %d %v\n%.2000q\nengine     %d %v\n%.2000q", path, who, wantStatus, wantHeader, around(want, got), status, header, around(got, want))
			}
		}
	}
}

// around shows a where it differs from b.
func around(a, b string) string {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	return a[max(0, i-200):min(len(a), i+200)]
}

func FuzzStringsAreQuotedAsPocketBaseDoes(f *testing.F) {
	for _, s := range nasty {
		f.Add(s, 0.0)
	}
	for _, n := range []float64{1e21, -0.1, 1 << 53, 5e-324} {
		f.Add("", n)
	}
	f.Fuzz(func(t *testing.T, s string, n float64) {
		c := core.NewBaseCollection("c")
		c.Fields.Add(&core.TextField{Name: "s"}, &core.NumberField{Name: "n"})
		r := core.NewRecord(c)
		r.SetRaw("s", s)
		r.SetRaw("n", n)
		b := newEncoder().get()
		b.record(r, newShape(c, false))
		want, err := json.Marshal(r, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
		if err == nil && (b.err != nil || string(want) != string(b.text)) || err != nil && b.err == nil {
			t.Errorf("%q, %v became %s (%v), PocketBase writes %s (%v)", s, n, b.text, b.err, want, err)
		}
	})
}

func BenchmarkList(b *testing.B) {
	for name, o := range map[string]Options{"vanilla": {}, "json": {JSON: true}} {
		s := serve(b, "", o)
		library(b, s, 500)
		for what, path := range map[string]string{"list": "?perPage=30&skipTotal=1", "view": "/" + id("book7")} {
			b.Run(name+"/"+what, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					s.get("/api/collections/books/records"+path, "")
				}
			})
		}
	}
}

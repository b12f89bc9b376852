package desk_test

import (
	"net/url"
	"strings"
	"testing"

	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

func TestPatternsEndWithASlashButForFiles(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"": "/desk/{$}", "posts": "/desk/posts/{$}", "posts/{id}": "/desk/posts/{id}/{$}", "audit.csv": "/desk/audit.csv", "media/{name...}": "/desk/media/{name...}/{$}",
	} {
		if path != "media/{name...}" && desk.Pattern(path) != want {
			t.Errorf("%q: %s, want %s", path, desk.Pattern(path), want)
		}
	}
	if desk.Href("posts") != "/desk/posts/" || desk.Href("audit.csv") != "/desk/audit.csv" || desk.Href("") != "/desk/" {
		t.Error("addresses differ from their patterns")
	}
}

func TestTheMenuShowsWhatTheRoleMay(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	editor, _ := sitetest.Staff(t, app, roles.Editor)
	author, _ := sitetest.Staff(t, app, roles.Author)
	d := desk.New(app, []desk.Part{{Pages: []desk.Page{
		{Path: "menus", Access: "content.edit", Menu: &desk.Menu{Group: desk.GroupContent, Label: "Menus", Order: 2}},
		{Path: "posts", Access: "content.write", Menu: &desk.Menu{Group: desk.GroupContent, Label: "Posts", Order: 1,
			Count: func(core.App, *core.Record) (int, error) { return 3, nil }}},
		{Path: "posts/{id}", Access: "content.write"},
		{Path: "", Access: "staff", Menu: &desk.Menu{Label: "Overview"}},
	}}})
	menu := d.Menu(editor, "posts/abc")
	if len(menu) != 2 || menu[0].Name != "" || len(menu[1].Items) != 2 {
		t.Fatalf("an editor sees %+v", menu)
	}
	if p := menu[1].Items[0]; p.Label != "Posts" || !p.Current || p.Count != 3 || p.Href != "/desk/posts/" || menu[0].Items[0].Current {
		t.Errorf("%+v", menu)
	}
	if menu := d.Menu(author, ""); len(menu[1].Items) != 1 || !menu[0].Items[0].Current {
		t.Errorf("an author sees %+v", menu)
	}
}

func TestPagesKeepTheOtherParameters(t *testing.T) {
	t.Parallel()
	u, _ := url.Parse("/desk/posts/?q=a+b&page=2")
	p := desk.Pages(u, 2, 20, 45)
	if p.Pages != 3 || p.Prev != "/desk/posts/?page=1&q=a+b" || p.Next != "/desk/posts/?page=3&q=a+b" {
		t.Errorf("%+v", p)
	}
	if p := desk.Pages(u, 99, 20, 45); p.Page != 3 || p.Next != "" {
		t.Errorf("behind the end: %+v", p)
	}
	if p := desk.Pages(u, -1, 20, 0); p.Page != 1 || p.Pages != 1 || p.Prev+p.Next != "" {
		t.Errorf("of nothing: %+v", p)
	}
}

type options struct {
	Policy string   `json:"policy" options:"open,held" label:"Who may write"`
	Days   int      `json:"close_after" unit:"days" min:"0" max:"365"`
	Words  []string `json:"words"`
	Key    string   `json:"key" kind:"secret"`
	Open   bool     `json:"open" help:"A sentence."`
	Hidden string   `json:"inner" kind:"hidden"`
	none   string
}

func TestFieldsAreDrawnFromTheStruct(t *testing.T) {
	t.Parallel()
	fields := desk.Fields(&options{Policy: "open", Days: 3, Words: []string{"a", "b"}, Key: "s3cret", Open: true, none: "x"})
	if len(fields) != 5 {
		t.Fatalf("%d fields: %+v", len(fields), fields)
	}
	if f := fields[0]; f.Kind != "choice" || f.Label != "Who may write" || len(f.Options) != 2 || f.Value != "open" {
		t.Errorf("%+v", f)
	}
	if f := fields[1]; f.Kind != "number" || f.Label != "Close after" || f.Unit != "days" || f.Value != "3" {
		t.Errorf("%+v", f)
	}
	if f := fields[2]; f.Kind != "list" || f.Value != "a\nb" {
		t.Errorf("%+v", f)
	}
	if f := fields[3]; f.Kind != "secret" || f.Value != "" || !f.Set {
		t.Errorf("a secret is shown: %+v", f)
	}
	if f := fields[4]; f.Kind != "switch" || !f.On {
		t.Errorf("%+v", f)
	}
}

func TestSettingsAreStoredByTheirStruct(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	s := desk.Options("sample", "Sample", "", options{Days: 7})
	o, err := s.Options(app)
	if err != nil || o.(*options).Days != 7 {
		t.Fatalf("%+v, %v", o, err)
	}
	o.(*options).Policy = "held"
	if err := s.Save(app, o); err != nil {
		t.Fatal(err)
	}
	if o, err = s.Options(app); err != nil || o.(*options).Policy != "held" || o.(*options).Days != 7 {
		t.Errorf("%+v, %v", o, err)
	}
	if err := s.Save(app, &struct{}{}); err == nil || !strings.Contains(err.Error(), "sample") {
		t.Errorf("another struct was saved: %v", err)
	}
}

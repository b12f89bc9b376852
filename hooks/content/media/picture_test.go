package media

import (
	"strings"
	"testing"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

// stored is a record as it is after its sizes were made.
func stored(s state) *core.Record {
	c := core.NewBaseCollection(schema.Media)
	c.Fields.Add(&core.FileField{Name: "file"}, &core.TextField{Name: "alt"}, &core.TextField{Name: "source_url"}, &core.JSONField{Name: "sizes"})
	r := core.NewRecord(c)
	r.Id = "abc"
	r.SetRaw("file", s.File)
	r.Set("sizes", s)
	r.Set("alt", `a "loaf" & bread`)
	return r
}

func TestImage(t *testing.T) {
	t.Parallel()
	full := state{File: "a.jpg", Format: JPEG, Width: 800, Height: 600, Made: []string{"960.jpeg", "960.webp", "640.jpeg", "640.webp"}}
	moving := full
	moving.Animated = true
	remote := stored(state{})
	remote.Set("source_url", "https://old.example/a.png")
	for _, tt := range []struct {
		name   string
		record *core.Record
		want   Picture
	}{
		{"none", nil, Picture{}},
		{"made", stored(full), Picture{"/media/abc/a.jpg?w=1280", "/media/abc/a.jpg?w=640&f=webp 640w, /media/abc/a.jpg?w=960&f=webp 800w", "50vw", 800, 600, `a "loaf" & bread`, ""}},
		{"moving", stored(moving), Picture{"/media/abc/a.jpg", "", "", 800, 600, `a "loaf" & bread`, ""}},
		{"not made", stored(state{File: "a.jpg", Format: JPEG, Width: 800, Height: 600}), Picture{"/media/abc/a.jpg", "", "", 800, 600, `a "loaf" & bread`, ""}},
		{"elsewhere", remote, Picture{"https://old.example/a.png", "", "", 0, 0, `a "loaf" & bread`, ""}},
	} {
		if got := Image(tt.record, "50vw"); got != tt.want {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

func TestEnrichKeepsTheFocalPoint(t *testing.T) {
	t.Parallel()
	record := stored(state{File: "a.jpg", Format: JPEG, Width: 300, Height: 200})
	record.Set("focal", "10 90")
	find := func(string) *core.Record { return record }
	for in, want := range map[string]string{
		`<img src="/media/abc/a.jpg">`:              ` class="focal-x-10 focal-y-90"`,
		`<img class="left" src="/media/abc/a.jpg">`: ` class="left focal-x-10 focal-y-90"`,
	} {
		if got := Enrich(in, find); !strings.Contains(got, want) {
			t.Errorf("%s became %s", in, got)
		}
	}
}

func TestEnrich(t *testing.T) {
	t.Parallel()
	record := stored(state{File: "a.jpg", Format: JPEG, Width: 300, Height: 200, Made: []string{"320.webp", "320.jpeg"}})
	find := func(id string) *core.Record {
		if id == "abc" {
			return record
		}
		return nil
	}
	const set = `srcset="/media/abc/a.jpg?w=320&amp;f=webp 300w" sizes="` + ContentSizes + `" width="300" height="200"`
	const alt, lazy = ` alt="a &#34;loaf&#34; &amp; bread"`, ` loading="lazy" decoding="async"`
	for _, tt := range []struct{ name, in, want string }{
		{"plain", `<p>x &amp; y<img src="/media/abc/a.jpg" alt=""></p>`, `<p>x &amp; y<img src="/media/abc/a.jpg?w=1280" alt="" ` + set + lazy + `></p>`},
		{"a former name", `<IMG SRC='/media/abc/old.jpg'/>`, `<img src="/media/abc/a.jpg?w=1280" ` + set + alt + lazy + `/>`},
		{"its own width", `<img src="/media/abc/a.jpg" alt="b" width="9">`, `<img src="/media/abc/a.jpg?w=1280" alt="b" width="9" srcset="/media/abc/a.jpg?w=320&amp;f=webp 300w" sizes="` + ContentSizes + `"` + lazy + `>`},
		{"its own srcset", `<img src="/media/abc/a.jpg" srcset="x">`, ""},
		{"unknown", `<img src="/media/nobody/a.jpg">`, ""},
		{"no name", `<img src="/media/abc">`, ""},
		{"elsewhere", `<img src="https://x/media/abc/a.jpg"> /media/ `, ""},
		{"in text", `<pre>&lt;img src="/media/abc/a.jpg"&gt;</pre><!-- <img src="/media/abc/a.jpg"> -->`, ""},
		{"broken", `a < b /media/ <img src="/media/abc/a.jpg`, ""},
	} {
		if tt.want == "" {
			tt.want = tt.in
		}
		if got := Enrich(tt.in, find); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func FuzzEnrich(f *testing.F) {
	f.Add(`<img src="/media/abc/a.jpg"><p>x</p>`)
	f.Add(`<script>/media/<img src="/media/abc/x`)
	record := stored(state{File: "a.jpg", Format: JPEG, Width: 300, Height: 200})
	f.Fuzz(func(t *testing.T, in string) {
		if out := Enrich(in, func(string) *core.Record { return nil }); out != in {
			t.Errorf("%q became %q", in, out)
		}
		out := Enrich(in, func(string) *core.Record { return record })
		if strings.Count(out, "<script") > strings.Count(strings.ToLower(in), "<script") {
			t.Errorf("%q became %q", in, out)
		}
	})
}

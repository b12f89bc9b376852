package demo

import (
	"bytes"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// drawings is where the pictures go to be looked at, when it is set.
var drawings = os.Getenv("DEMO_DRAWINGS")

func TestDrawingsAreFastVariedAndTheSame(t *testing.T) {
	t.Parallel()
	posts, err := read("posts")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	one, err := drawAll(posts)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d pictures were drawn in %v", len(one), time.Since(start).Round(time.Millisecond))
	two, err := drawAll(posts)
	if err != nil {
		t.Fatal(err)
	}
	same := map[string][]byte{}
	for _, p := range two {
		same[p.name] = p.file
	}
	files := map[string]string{}
	for _, p := range one {
		if !bytes.Equal(p.file, same[p.name]) {
			t.Errorf("%s differs", p.name)
		}
		if twin, doubled := files[string(p.file)]; doubled && twin != p.name {
			t.Errorf("%s looks like %s", p.name, twin)
		}
		files[string(p.file)] = p.name
		size, err := jpeg.DecodeConfig(bytes.NewReader(p.file))
		if err != nil || size.Width != coverWidth && size.Width != avatarSide {
			t.Errorf("%s: %+v %v", p.name, size, err)
		}
		if drawings != "" {
			if err := os.WriteFile(filepath.Join(drawings, p.name+".jpg"), p.file, 0o600); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestAnUnknownSceneIsAnError(t *testing.T) {
	t.Parallel()
	if _, err := cover("mountains", "x"); err == nil {
		t.Error("it was drawn")
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	p, err := parse("title: A: b\r\ntags: X, Y\r\n\r\nBody\n\nmore\n")
	if err != nil || p.fields["title"] != "A: b" || p.fields["tags"] != "X, Y" || p.body != "Body\n\nmore\n" {
		t.Errorf("%+v %v", p, err)
	}
	for _, bad := range []string{"", "title: x", "no field\n\nbody"} {
		if _, err := parse(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestEveryTextNamesWhatExists(t *testing.T) {
	t.Parallel()
	tags, authors := map[string]bool{}, map[string]bool{}
	for _, topic := range topics {
		tags[topic.name] = true
	}
	for _, a := range people {
		authors[a.key] = true
	}
	posts, err := read("posts")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range posts {
		if !authors[p.fields["author"]] || p.fields["title"] == "" || p.fields["date"] == "" || p.fields["cover"] == "" {
			t.Errorf("%s: %v", p.slug, p.fields)
		}
		for _, m := range inText.FindAllStringSubmatch(p.body, -1) {
			if _, ok := scenes[m[1]]; !ok {
				t.Errorf("%s shows %q", p.slug, m[1])
			}
		}
	}
}

func TestDatesMoveBackWholeYears(t *testing.T) {
	t.Parallel()
	pieces := []piece{
		{fields: map[string]string{"date": "2026-11-05 09:00"}},
		{fields: map[string]string{"date": "2040-01-01 09:00", "status": "scheduled"}},
	}
	for now, want := range map[string]int{"2026-11-06": 0, "2030-01-01": 0, "2026-11-04": 1, "2024-12-01": 2} {
		at, err := time.Parse(time.DateOnly, now)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := yearsBack(pieces, at); err != nil || got != want {
			t.Errorf("%s: %d %v, want %d", now, got, err, want)
		}
	}
}

package imports

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bungalow/hooks/kit/schema"
)

func TestGhostWrappings(t *testing.T) {
	t.Parallel()
	post := `{"title":"A","slug":"a","html":"<p>x</p>","status":"published","tags":[{"name":"T"}],"author":{"name":"W"}}`
	for name, source := range map[string]string{
		"export":        `{"db":[{"meta":{},"data":{"posts":[` + post + `]}}]}`,
		"data":          `{"data":{"posts":[` + post + `]},"meta":{}}`,
		"bare":          `{"posts":[` + post + `]}`,
		"wrapped":       `{"result":{"posts":[{"url":"https://a.example/x/a/","data":` + post + `}]}}`,
		"other order":   `{"db":[{"data":{"posts_tags":[],"unknown":{"deep":[[[1]]]},"posts":[` + post + `]},"meta":null}]}`,
		"list of lists": `[{"posts":[` + post + `]}]`,
	} {
		items, err := collect(readGhost(fromBytes([]byte(source)), "."))
		if err != nil || len(items) != 3 {
			t.Errorf("%s: %v %+v", name, err, items)
			continue
		}
		p := items[2]
		if p.Title != "A" || p.Body != "<p>x</p>" || p.Status != schema.StatusPublished || len(p.Tags) != 1 || len(p.Authors) != 1 {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestGhostSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"":                        "ends early",
		"{}":                      "not a Ghost export",
		`"text"`:                  "not a Ghost export",
		`{"posts":[{"title":"A"`:  "ends early",
		"{\n\"posts\": nonsense}": "no readable JSON near line 2",
		strings.Repeat("[", 1000): "nests too deeply",
	} {
		if _, err := collect(readGhost(fromBytes([]byte(source)), ".")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v", source, err)
		}
	}
}

func TestGhostFindsItsPicturesBesideTheExport(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"export.json":               `{"posts":[{"title":"A","slug":"a","html":"<img src=\"__GHOST_URL__/content/images/2020/a.png\">","feature_image":"/content/images/../../../x.png","status":"draft"}]}`,
		"content/images/2020/a.png": "png",
	})
	items, err := collect(Ghost(filepath.Join(dir, "export.json")))
	if err != nil || len(items) != 1 {
		t.Fatalf("%v %+v", err, items)
	}
	if got := items[0].Images; len(got) != 1 || got["/content/images/2020/a.png"] != filepath.Join(dir, "content", "images", "2020", "a.png") {
		t.Errorf("pictures: %v", got)
	}
}

func TestGhostCutAnywhere(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/ghost/small/input.json")
	if err != nil {
		t.Fatal(err)
	}
	data = bytes.TrimSpace(data)
	for cut := 0; cut < len(data); cut += 3 {
		if _, err := collect(readGhost(fromBytes(data[:cut]), ".")); err == nil {
			t.Fatalf("cut at %d: no error", cut)
		}
	}
}

func FuzzGhost(f *testing.F) {
	if data, err := os.ReadFile("testdata/ghost/small/input.json"); err == nil {
		f.Add(data)
	}
	f.Add([]byte(`{"posts":[{"title":"a","mobiledoc":"{\"sections\":[[1,\"p\",[[0,[],0,\"x\"]]]]}"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		items, err := collect(readGhost(fromBytes(data), "."))
		for _, i := range items {
			if i.Skip == "" && i.Key == "" {
				t.Errorf("an item without a key: %+v", i)
			}
		}
		if err == nil && len(items) == 0 && !bytes.Contains(data, []byte("posts")) {
			t.Errorf("%q gives neither items nor an error", data)
		}
	})
}

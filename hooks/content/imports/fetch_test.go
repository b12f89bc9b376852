package imports_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"bungalow/hooks/kit/safehttp"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
)

// What a person wrote about a picture while it was under way was once undone
// when it arrived.
func TestADescriptionWrittenDuringTheFetchStays(t *testing.T) {
	t.Parallel()
	site := sitetest.New(t)
	png, err := os.ReadFile("testdata/dot.png")
	if err != nil {
		t.Fatal(err)
	}
	there := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		media, err := site.FindFirstRecordByFilter(schema.Media, "source_url != ''")
		if err == nil {
			media.Set("alt", "Written meanwhile")
			err = site.Save(media)
		}
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(png)
	}))
	t.Cleanup(there.Close)
	site.Store().Set("bungalow.imports.client", safehttp.Client(safehttp.Options{AllowLoopback: true}))
	if _, err := command(site, "wordpress", export(t, "https://small.example/a.jpg", there.URL+"/a.png"), "--media"); err != nil {
		t.Fatal(err)
	}
	media, err := site.FindFirstRecordByFilter(schema.Media, "file != ''")
	if err != nil {
		t.Fatal(err)
	}
	if got := media.GetString("alt"); got != "Written meanwhile" {
		t.Errorf("alt is %q", got)
	}
}

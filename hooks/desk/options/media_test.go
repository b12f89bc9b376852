package options_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

func drawing(t *testing.T, app core.App, alt string) *core.Record {
	t.Helper()
	file, err := filesystem.NewFileFromBytes([]byte(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`), "drawing.svg")
	if err != nil {
		t.Fatal(err)
	}
	return sitetest.Make(t, app, schema.Media, map[string]any{"file": file, "alt": alt})
}

// Without a script the logo is chosen from a list, which a search narrows.
func TestAPictureIsFoundWithoutAScript(t *testing.T) {
	t.Parallel()
	app, cookie := owner(t)
	heron := drawing(t, app, "A heron")
	for i := range 61 {
		drawing(t, app, fmt.Sprintf("Reed %d", i))
	}
	binned := drawing(t, app, "A binned heron")
	binned.Set("trashed_at", "2026-01-01 00:00:00.000Z")
	if err := app.Save(binned); err != nil {
		t.Fatal(err)
	}
	const path = "/desk/settings/appearance/"
	option := fmt.Sprintf(`<option value="%s"`, heron.Id)
	if _, body := app.Desk(cookie, path, ""); strings.Contains(body, option) || !strings.Contains(body, "Reed 60") {
		t.Error("the newest are not offered, or more than sixty are")
	}
	_, body := app.Desk(cookie, path+"?q="+url.QueryEscape("heron"), "")
	if !strings.Contains(body, option) || strings.Contains(body, "Reed 60") || strings.Contains(body, "binned") {
		t.Error("the search does not find the heron alone")
	}
	if res, _ := app.Desk(cookie, path+"?q=heron", with("appearance", "logo", heron.Id).Encode()); res.StatusCode != http.StatusSeeOther {
		t.Errorf("choosing it answers %d", res.StatusCode)
	}
	if _, body := app.Desk(cookie, path, ""); !strings.Contains(body, option+" selected") || !strings.Contains(body, "/media/"+heron.Id+"/") {
		t.Error("what is chosen is not shown")
	}
}

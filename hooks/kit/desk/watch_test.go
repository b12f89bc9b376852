package desk_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

func TestAWriteWithoutALineIsNoticed(t *testing.T) {
	t.Parallel()
	write := func(e *desk.Event) error {
		_, err := sitetest.TryMake(e.App, schema.Tags, map[string]any{"name": core.GenerateDefaultRandomId()})
		return err
	}
	for name, c := range map[string]struct {
		page desk.Page
		want bool
	}{
		"silent":  {desk.Page{Method: "POST", Do: write}, true},
		"quiet":   {desk.Page{Method: "POST", Do: write, Quiet: "a reason"}, false},
		"nothing": {desk.Page{Method: "POST", Do: func(*desk.Event) error { return nil }}, false},
		"read":    {desk.Page{Do: write}, false},
		"refused": {desk.Page{Method: "POST", Do: func(e *desk.Event) error { _ = write(e); return e.NotFoundError("", nil) }}, false},
		"told": {desk.Page{Method: "POST", Do: func(e *desk.Event) error {
			if err := write(e); err != nil {
				return err
			}
			return audit.Write(e.App, audit.System("a test"), "tag.create", schema.Tags, "", nil)
		}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := sitetest.New(t)
			told := false
			desk.Watch(app, func(desk.Page) { told = true })
			c.page.Path = "sample"
			route := desk.New(app, []desk.Part{{Pages: []desk.Page{c.page}}}).Routes()[0]
			e := &core.RequestEvent{App: app, Event: router.Event{Request: httptest.NewRequest(http.MethodPost, "/desk/sample/", nil), Response: httptest.NewRecorder()}}
			_ = route.Do(e)
			if told != c.want {
				t.Errorf("noticed is %v", told)
			}
		})
	}
}

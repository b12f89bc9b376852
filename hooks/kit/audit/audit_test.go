package audit_test

import (
	"errors"
	"net/http"
	"testing"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

func TestALineSaysWhoDidWhat(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, _ := sitetest.Staff(t, app, roles.Editor)
	if err := audit.Write(app, audit.Of(ada, "192.0.2.1"), "post.publish", schema.Posts, "p1", map[string]any{"title": "Hello"}); err != nil {
		t.Fatal(err)
	}
	line, err := app.FindFirstRecordByData(schema.Audit, "record", "p1")
	if err != nil || line.GetString("actor") != "editor <"+ada.Email()+">" || line.GetString("actor_record") != ada.Id ||
		line.GetString("address") != "192.0.2.1" || line.GetDateTime("at").IsZero() || line.GetString("detail") != `{"title":"Hello"}` {
		t.Errorf("%v, %v", line, err)
	}
}

func TestALineVanishesWithItsTransaction(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	stop := errors.New("stop")
	err := app.RunInTransaction(func(tx core.App) error {
		if err := audit.Write(tx, audit.System("a test"), "test.done", "", "", nil); err != nil {
			return err
		}
		return stop
	})
	if n, _ := app.CountRecords(schema.Audit); !errors.Is(err, stop) || n != 0 {
		t.Errorf("%v, %d lines", err, n)
	}
}

func TestNobodyChangesALine(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	if err := audit.Write(app, audit.Actor{}, "test.done", "", "x", nil); err != nil {
		t.Fatal(err)
	}
	line, err := app.FindFirstRecordByData(schema.Audit, "record", "x")
	if err != nil {
		t.Fatal(err)
	}
	path := "/api/collections/audit/records/" + line.Id
	for _, method := range []string{http.MethodPatch, http.MethodDelete} {
		if res, body := app.JSON(method, path, sitetest.Superuser(t, app), `{"action":"other"}`); res.StatusCode/100 == 2 {
			t.Errorf("a superuser's %s answers %d %s", method, res.StatusCode, body)
		}
	}
	if err := app.Delete(line); err == nil {
		t.Error("a line was deleted")
	}
}

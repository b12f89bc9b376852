package people_test

import (
	"net/http"
	"strings"
	"testing"

	"bungalow/hooks/kit/people"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

// owner makes an owner with both accounts.
func owner(t *testing.T, app *sitetest.Site) (member, super *core.Record) {
	t.Helper()
	member, _ = sitetest.Staff(t, app, roles.Owner)
	super, err := people.EnsureSuperuser(app, member)
	if err != nil {
		t.Fatal(err)
	}
	return member, super
}

func fresh(t *testing.T, app core.App, r *core.Record) *core.Record {
	t.Helper()
	r, err := app.FindRecordById(r.Collection().Name, r.Id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAnOwnersAccountsStayEqual(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	member, super := owner(t, app)
	if m := fresh(t, app, member); m.TokenKey() != member.TokenKey() || !m.ValidatePassword(sitetest.Password) {
		t.Fatal("making the superuser changed the member")
	}
	if again, err := people.EnsureSuperuser(app, member); err != nil || again.Id != super.Id {
		t.Fatalf("a second one was made: %v, %v", again, err)
	}
	change := func(r *core.Record, email, password string) {
		t.Helper()
		r = fresh(t, app, r)
		r.SetEmail(email)
		r.SetPassword(password)
		if err := app.Save(r); err != nil {
			t.Fatal(err)
		}
		for _, one := range []*core.Record{member, super} {
			now := fresh(t, app, one)
			if now.Email() != email || !now.ValidatePassword(password) || now.TokenKey() == one.TokenKey() {
				t.Errorf("%s is %s after a change of %s", one.Collection().Name, now.Email(), r.Collection().Name)
			}
		}
	}
	change(member, "ada@example.com", "another-password")
	change(super, "ada@example.org", "yet-another-password")
	if res, body := rest(app, "ada@example.org", "yet-another-password"); res.StatusCode != http.StatusOK {
		t.Errorf("the API: %d %s", res.StatusCode, body)
	}
}

func TestASuperuserFromTheTerminalSetsTheOwnersPassword(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	member, _ := sitetest.Staff(t, app, roles.Owner)
	editor, _ := sitetest.Staff(t, app, roles.Editor)
	for _, email := range []string{member.Email(), editor.Email()} {
		sitetest.Make(t, app, core.CollectionNameSuperusers, map[string]any{"email": email, "password": "from-the-terminal"})
	}
	if !fresh(t, app, member).ValidatePassword("from-the-terminal") {
		t.Error("the owner keeps the old password")
	}
	if !fresh(t, app, editor).ValidatePassword(sitetest.Password) {
		t.Error("an editor is nobody's twin")
	}
}

func TestAnAddressThatIsTakenIsRefusedForBoth(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	_, super := owner(t, app)
	editor, _ := sitetest.Staff(t, app, roles.Editor)
	super.SetEmail(editor.Email())
	if err := app.Save(super); err == nil || !strings.Contains(err.Error(), "Somebody else has this address") {
		t.Errorf("got %v", err)
	}
	if fresh(t, app, super).Email() == editor.Email() {
		t.Error("half of it was saved")
	}
}

func TestAFormerOwnerLosesTheSuperuser(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(app core.App, r *core.Record) error{
		"demoted":     func(app core.App, r *core.Record) error { r.Set("role", "editor"); return app.Save(r) },
		"deactivated": func(app core.App, r *core.Record) error { r.Set("active", false); return app.Save(r) },
		"removed":     func(app core.App, r *core.Record) error { return app.Delete(r) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := sitetest.New(t)
			for { // PocketBase keeps its last superuser; here there is none besides
				s, err := app.FindFirstRecordByFilter(core.CollectionNameSuperusers, "")
				if err != nil {
					break
				}
				if err := app.Delete(s); err != nil {
					break
				}
			}
			member, super := owner(t, app)
			if err := change(app, fresh(t, app, member)); err == nil || !strings.Contains(err.Error(), "last owner") {
				t.Fatalf("the last owner: %v", err)
			}
			fresh(t, app, super)
			other, _ := sitetest.Staff(t, app, roles.Owner)
			if err := change(app, fresh(t, app, member)); err != nil {
				t.Fatal(err)
			}
			if _, err := app.FindRecordById(core.CollectionNameSuperusers, super.Id); err == nil {
				t.Error("the superuser is still there")
			}
			if twin, err := people.Superuser(app, other); err != nil {
				t.Error(err)
			} else if n, _ := app.CountRecords(core.CollectionNameSuperusers); n == 0 || n == 1 && twin == nil {
				t.Error("PocketBase has no superuser left")
			}
		})
	}
}

func TestDeactivatingEndsEveryToken(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, token := sitetest.Staff(t, app, roles.Editor)
	root := sitetest.Superuser(t, app)
	path := "/api/collections/staff/records/" + ada.Id
	refresh := func() int {
		res, _ := app.JSON(http.MethodPost, "/api/collections/staff/auth-refresh", token, "")
		return res.StatusCode
	}
	if refresh() != http.StatusOK {
		t.Fatal("the token did not work before")
	}
	if res, body := app.JSON(http.MethodPatch, path, root, `{"active":false}`); res.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	if refresh() == http.StatusOK {
		t.Error("the token works while the account is inactive")
	}
	if res, _ := app.JSON(http.MethodPatch, path, root, `{"active":true}`); res.StatusCode != http.StatusOK {
		t.Fatal("can't be reactivated")
	}
	if refresh() == http.StatusOK {
		t.Error("the token came back to life")
	}
	if fresh(t, app, ada).GetString("role") != "editor" || schema.Staff != "staff" {
		t.Error("more changed than was asked")
	}
}

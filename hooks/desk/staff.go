package desk

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/people"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/web"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// staffPages are the owner's pages about the people who work here.
func staffPages() []desk.Page {
	post := http.MethodPost
	return []desk.Page{
		{Path: "staff", Access: web.Owner, Do: listStaff, Menu: &desk.Menu{Group: desk.GroupSite, Label: "Staff", Icon: "users", Order: 60}},
		{Method: post, Path: "staff", Access: web.Owner, Do: invite},
		{Path: "staff/{id}", Access: web.Owner, Do: showMember},
		{Method: post, Path: "staff/{id}", Access: web.Owner, Do: saveMember},
		{Method: post, Path: "staff/{id}/invite", Access: web.Owner, Do: inviteAgain},
		{Method: post, Path: "staff/{id}/deactivate", Access: web.Owner, Do: setActive(false)},
		{Method: post, Path: "staff/{id}/reactivate", Access: web.Owner, Do: setActive(true)},
		{Method: post, Path: "staff/{id}/factor-off", Access: web.Owner, Do: takeFactor},
		{Method: post, Path: "staff/{id}/remove", Access: web.Owner, Do: removeMember},
	}
}

// member is somebody of the staff as the pages show it.
type member struct {
	desk.Person
	State      string // "active", "invited" or "inactive"
	LastSignIn time.Time
	Me         bool
	Secured    bool // has a second factor
}

func memberOf(e *desk.Event, r *core.Record) member {
	m := member{Person: desk.PersonOf(r), State: "inactive", LastSignIn: e.Local(r.GetDateTime("last_sign_in").Time()), Me: isMe(e, r)}
	switch {
	case r.GetBool("active"):
		m.State = "active"
	case people.Invited(r):
		m.State = "invited"
	}
	return m
}

// isMe reports whether the account is that of who is signed in.
func isMe(e *desk.Event, r *core.Record) bool {
	return e.Auth.Id == r.Id || e.Auth.IsSuperuser() && e.Auth.Email() == r.Email()
}

// roleChoice is a role with what it may, in words.
type roleChoice struct{ Value, Label, Help string }

func roleChoices(e *desk.Event) []roleChoice {
	help := map[roles.Role]string{
		roles.Owner:      "everything, the staff and the settings too",
		roles.Editor:     "all posts, pages, media and menus, comments and forms",
		roles.Author:     "own drafts and posts, own media",
		roles.Moderator:  "comments and the inbox",
		roles.Shopkeeper: "the shop and its reports",
		roles.Analyst:    "reads the numbers",
	}
	var all []roleChoice
	for _, role := range roles.All {
		name := desk.RoleName(string(role))
		all = append(all, roleChoice{string(role), e.T(name) + ": " + e.T(help[role]), ""})
	}
	return all
}

// inviteForm is the form below the list.
type inviteForm struct {
	Name, Email, Role string
	Errors            map[string]string
}

type staffList struct {
	Members []member
	Roles   []roleChoice
	Form    inviteForm
}

func listStaff(e *desk.Event) error {
	return renderStaff(e, http.StatusOK, inviteForm{Role: string(roles.Author)})
}

func renderStaff(e *desk.Event, status int, form inviteForm) error {
	records, err := e.App.FindRecordsByFilter(schema.Staff, "", "-active,name,email", 0, 0)
	if err != nil {
		return err
	}
	secured, err := people.Secured(e.App)
	if err != nil {
		return err
	}
	list := staffList{Roles: roleChoices(e), Form: form}
	for _, r := range records {
		m := memberOf(e, r)
		m.Secured = slices.Contains(secured, r.Id)
		list.Members = append(list.Members, m)
	}
	return e.RenderStatus(status, "desk/staff/list.html", e.T("Staff"), list, peopleStyles)
}

func invite(e *desk.Event) error {
	values, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	form := inviteForm{Name: strings.TrimSpace(values.Get("name")), Email: strings.TrimSpace(values.Get("email")), Role: values.Get("role"), Errors: map[string]string{}}
	nameFault(e, form.Errors, form.Name)
	if !isAddress(form.Email) {
		form.Errors["email"] = e.T("Write an e-mail address, such as ada@example.com.")
	}
	if len(form.Errors) > 0 {
		return renderStaff(e, http.StatusUnprocessableEntity, form)
	}
	person, token, err := people.Invite(e.App, e.Actor(), form.Name, form.Email, roles.Role(form.Role), time.Now())
	if invalid, ok := errors.AsType[validation.Errors](err); ok {
		for field, fault := range invalid {
			form.Errors[field] = e.T(fault.Error())
		}
		return renderStaff(e, http.StatusUnprocessableEntity, form)
	}
	if err != nil {
		return err
	}
	return showInvitation(e, person, token)
}

// showInvitation mails the link where mail goes out, and shows it to copy where
// it doesn't.
func showInvitation(e *desk.Event, person *core.Record, token string) error {
	if e.App.Settings().SMTP.Enabled {
		by := desk.PersonOf(e.Auth)
		more := map[string]any{"By": by.Name, "Role": desk.RoleName(person.GetString("role"))}
		if err := people.Send(e.App, person, "desk-invite", "invitation", token, more); err != nil {
			return err
		}
		return e.Done(desk.Href("staff"), "An invitation is on its way to %s. It is valid for seven days.", person.Email())
	}
	return e.Render("desk/staff/invitation.html", e.T("Invitation"), map[string]any{
		"Person": memberOf(e, person), "Link": origin(e) + desk.Href("invitation") + "?token=" + token,
	}, peopleStyles, "/assets/js/desk-people.js")
}

// memberPage is one person's page.
type memberPage struct {
	member
	Roles    []roleChoice
	Errors   map[string]string
	Activity []line
}

func find(e *desk.Event) (*core.Record, error) {
	return e.App.FindRecordById(schema.Staff, e.Request.PathValue("id"))
}

func showMember(e *desk.Event) error {
	r, err := find(e)
	if err != nil {
		return err
	}
	return renderMember(e, http.StatusOK, r, nil)
}

func renderMember(e *desk.Event, status int, r *core.Record, faults map[string]string) error {
	page := memberPage{member: memberOf(e, r), Roles: roleChoices(e), Errors: faults}
	factor, err := people.HasFactor(e.App, r.Id)
	if err != nil {
		return err
	}
	page.Secured = factor
	lines, err := audit.Find(e.App, audit.Filter{Person: r.Id}, 10, 0)
	if err != nil {
		return err
	}
	page.Activity = linesOf(e, lines)
	return e.RenderStatus(status, "desk/staff/member.html", page.Name, page, peopleStyles)
}

func saveMember(e *desk.Event) error {
	r, err := find(e)
	if err != nil {
		return err
	}
	values, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	faults, role := map[string]string{}, roles.Role(values.Get("role"))
	name := strings.TrimSpace(values.Get("name"))
	nameFault(e, faults, name)
	if !slices.Contains(roles.All, role) {
		faults["role"] = e.T("Choose one of the roles.")
	}
	before := r.GetString("role")
	r.Set("name", name)
	r.Set("role", string(role))
	if len(faults) > 0 {
		return renderMember(e, http.StatusUnprocessableEntity, r, faults)
	}
	return change(e, r, "staff.change", "Saved.", map[string]string{"name": name, "from": before, "to": string(role)})
}

func setActive(active bool) func(e *desk.Event) error {
	return func(e *desk.Event) error {
		r, err := find(e)
		if err != nil {
			return err
		}
		if active == r.GetBool("active") {
			return e.Done(desk.Href("staff/"+r.Id), "Nothing had to be done.")
		}
		if active && people.Invited(r) {
			return e.BadRequestError("Who was invited joins by the invitation.", nil)
		}
		r.Set("active", active)
		if active {
			return change(e, r, "staff.reactivate", "The account is active again.", nil)
		}
		return change(e, r, "staff.deactivate", "The account is switched off, and every session and token of it has ended.", nil)
	}
}

// change saves an account together with its line in the audit.
func change(e *desk.Event, r *core.Record, action, notice string, detail any) error {
	err := e.App.RunInTransaction(func(tx core.App) error {
		if err := tx.Save(r); err != nil {
			return err
		}
		return audit.Write(tx, e.Actor(), action, schema.Staff, r.Id, detail)
	})
	return done(e, err, desk.Href("staff/"+r.Id), notice)
}

// done ends a write. What PocketBase or a guard refuses is said on the page
// that the write came from.
func done(e *desk.Event, err error, path, notice string) error {
	if api, ok := errors.AsType[*router.ApiError](err); ok && api.Status == http.StatusBadRequest && wantsHTML(e.Request) {
		return e.Leave(path, desk.Notice{Kind: "error", Text: e.T(api.Message)})
	}
	if err != nil {
		return err
	}
	return e.Done(path, notice)
}

// takeFactor is for who lost the phone and the recovery codes.
func takeFactor(e *desk.Event) error {
	r, err := find(e)
	if err != nil {
		return err
	}
	err = e.App.RunInTransaction(func(tx core.App) error {
		if err := people.SwitchOff(tx, r.Id); err != nil {
			return err
		}
		return audit.Write(tx, e.Actor(), "staff.factor_off", schema.Staff, r.Id, nil)
	})
	return done(e, err, desk.Href("staff/"+r.Id), "The second factor is switched off. The password alone opens the account now.")
}

func removeMember(e *desk.Event) error {
	r, err := find(e)
	if err != nil {
		return err
	}
	err = e.App.RunInTransaction(func(tx core.App) error {
		if err := tx.Delete(r); err != nil {
			return err
		}
		return audit.Write(tx, e.Actor(), "staff.remove", schema.Staff, r.Id, map[string]string{"email": r.Email(), "name": r.GetString("name")})
	})
	if err != nil {
		return done(e, err, desk.Href("staff/"+r.Id), "")
	}
	return e.Done(desk.Href("staff"), "%s is no member of the staff any more.", desk.PersonOf(r).Name)
}

func inviteAgain(e *desk.Event) error {
	r, err := find(e)
	if err != nil {
		return err
	}
	var token string
	err = e.App.RunInTransaction(func(tx core.App) (err error) {
		if token, err = people.InviteAgain(tx, r, time.Now()); err != nil {
			return err
		}
		return audit.Write(tx, e.Actor(), "staff.invite", schema.Staff, r.Id, nil)
	})
	if errors.Is(err, people.ErrMember) {
		return e.BadRequestError("This person joined already.", err)
	}
	if err != nil {
		return err
	}
	return showInvitation(e, r, token)
}

package desk

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/theme"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

// Event is a request to a page of the desk. Auth is the signed-in member of
// staff, or a superuser.
type Event struct {
	*core.RequestEvent
	desk *Desk
}

// NewEvent makes the event of a page that is no entry of the table, such as an
// error's.
func NewEvent(e *core.RequestEvent) *Event { return &Event{RequestEvent: e, desk: Of(e.App)} }

// View is what a template of the desk gets.
type View struct {
	Title    string
	Data     any
	Site     settings.Site
	Person   Person
	Menu     []MenuGroup
	Path     string // the request's, with its query
	Notice   *Notice
	Insecure bool // the page came over plain http from another machine
	Locale   string
	Accent   string   // the style sheet of the owner's colour, or ""
	Styles   []string // more style sheets, by their addresses under /assets
	Scripts  []string // more scripts, the same
	text     func(english string, args ...any) string
}

// Person is the one who is signed in, as templates need it.
type Person struct {
	ID, Name, Email, Role string
	Initial               string // the first letter of the name
	Avatar                string // address of the picture, "" for none
	Theme                 string // "light", "dark", or "" for the system's
	record                *core.Record
}

// Can reports whether the person has the permission, for templates.
func (p Person) Can(permission string) bool {
	return roles.Allows(p.record, roles.Permission(permission))
}

// PersonOf reads a signed-in record.
func PersonOf(record *core.Record) Person {
	if record == nil {
		return Person{}
	}
	p := Person{ID: record.Id, Name: record.GetString("name"), Email: record.Email(), Role: record.GetString("role"), record: record}
	if record.IsSuperuser() {
		p.Role = string(roles.Owner)
	}
	if p.Name == "" {
		p.Name, _, _ = strings.Cut(p.Email, "@")
	}
	first, _ := utf8.DecodeRuneInString(p.Name)
	p.Initial, p.Theme = strings.ToUpper(string(first)), record.GetString("theme")
	if file := record.GetString("avatar"); file != "" {
		p.Avatar = "/api/files/" + record.Collection().Name + "/" + record.Id + "/" + file
	}
	return p
}

// RoleName is a role as people read it, in English.
func RoleName(role string) string {
	if role == "" {
		return ""
	}
	return strings.ToUpper(role[:1]) + role[1:]
}

// Render writes a page ("desk/posts/list.html") in the desk's layout. The
// assets are more style sheets (.css) and scripts (.js) under /assets.
func (e *Event) Render(page, title string, data any, assets ...string) error {
	return e.RenderStatus(http.StatusOK, page, title, data, assets...)
}

// RenderStatus is Render with another status: 422 for a form that is shown
// again with its errors.
func (e *Event) RenderStatus(status int, page, title string, data any, assets ...string) error {
	view := e.View(title, data)
	for _, a := range assets {
		if strings.HasSuffix(a, ".css") {
			view.Styles = append(view.Styles, a)
		} else {
			view.Scripts = append(view.Scripts, a)
		}
	}
	return e.write(status, page, "", view)
}

// Fragment writes one block of a page, for htmx.
func (e *Event) Fragment(page, block string, data any) error {
	return e.write(http.StatusOK, page, block, e.View("", data))
}

func (e *Event) write(status int, page, block string, view *View) error {
	var out strings.Builder
	if err := theme.Of(e.App).RenderSection(&out, view.Locale, page, block, view); err != nil {
		return err
	}
	return e.HTML(status, out.String())
}

// View makes what templates get.
func (e *Event) View(title string, data any) *View {
	site, err := settings.LoadSite(e.App)
	if err != nil {
		e.App.Logger().Error("the site's settings can't be read", "error", err)
	}
	v := &View{
		Title: title, Data: data, Site: site, Person: PersonOf(e.Auth), Path: e.Request.URL.RequestURI(),
		Locale: e.Locale(), Accent: web.AccentHref(site.Accent), Insecure: !web.Secure(e.RequestEvent) && !local(e.Request.Host),
		text: e.T,
	}
	if e.desk != nil && e.Auth != nil {
		v.Menu = e.desk.Menu(e.Auth, strings.Trim(strings.TrimPrefix(e.Request.URL.Path, Root), "/"))
	}
	v.Notice = e.notice()
	return v
}

// Locale is the language of the desk for this person: the one kept in the
// account, or else the browser's.
func (e *Event) Locale() string {
	if e.Auth != nil && e.Auth.GetString("locale") != "" {
		return e.Auth.GetString("locale")
	}
	accepted, _, _ := strings.Cut(e.Request.Header.Get("Accept-Language"), ",")
	accepted, _, _ = strings.Cut(accepted, ";")
	accepted = strings.ToLower(strings.TrimSpace(accepted))
	language, _, _ := strings.Cut(accepted, "-")
	if language == "de" {
		return language
	}
	return "en"
}

// Local gives a time in the site's time zone, as pages show it.
func (e *Event) Local(t time.Time) time.Time {
	site, err := settings.LoadSite(e.App)
	if err != nil || t.IsZero() {
		return t
	}
	return t.In(site.Location())
}

// T translates an English text for this person.
func (e *Event) T(english string, args ...any) string {
	return theme.Of(e.App).Text(e.Locale(), "desk", english, args...)
}

// Can reports whether the signed-in person has the permission.
func (e *Event) Can(p roles.Permission) bool { return roles.Allows(e.Auth, p) }

// Actor is the signed-in person for the audit.
func (e *Event) Actor() audit.Actor { return audit.Of(e.Auth, e.RealIP()) }

// IsHTMX reports whether htmx asks, and not the browser itself.
func (e *Event) IsHTMX() bool { return e.Request.Header.Get("HX-Request") == "true" }

// Notice is said once, on the page after a write.
type Notice struct {
	Kind string `json:"k"` // "", "warning" or "error"
	Text string `json:"t"`
	Undo string `json:"u,omitempty"` // an address to which a button posts
}

const (
	noticeCookie = "desk_notice"
	maxNotice    = 600 // bytes of text
)

// Done ends a write: it sends the browser to path (303) where the notice, an
// English text, is shown once.
func (e *Event) Done(path, notice string, args ...any) error {
	return e.Leave(path, Notice{Text: e.T(notice, args...)})
}

// Leave is Done with the whole notice, whose text is already translated.
func (e *Event) Leave(path string, n Notice) error {
	if n.Kind == "error" {
		e.Set(refusedKey, true)
	}
	if n.Text != "" {
		if len(n.Text) > maxNotice {
			n.Text = strings.ToValidUTF8(n.Text[:maxNotice], "") + "…"
		}
		raw, err := json.Marshal(n)
		if err != nil {
			return err
		}
		http.SetCookie(e.Response, &http.Cookie{
			Name: noticeCookie, Value: base64.RawURLEncoding.EncodeToString(raw), Path: Root, MaxAge: 60,
			HttpOnly: true, Secure: web.Secure(e.RequestEvent), SameSite: http.SameSiteLaxMode,
		})
	}
	return e.Redirect(http.StatusSeeOther, path)
}

// notice takes what was left by the write before.
func (e *Event) notice() *Notice {
	cookie, err := e.Request.Cookie(noticeCookie)
	if err != nil {
		return nil
	}
	http.SetCookie(e.Response, &http.Cookie{Name: noticeCookie, Path: Root, MaxAge: -1, HttpOnly: true, Secure: web.Secure(e.RequestEvent), SameSite: http.SameSiteLaxMode})
	var n Notice
	raw, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil || json.Unmarshal(raw, &n) != nil || n.Text == "" {
		return nil
	}
	if !strings.HasPrefix(n.Undo, Root) {
		n.Undo = ""
	}
	return &n
}

func local(host string) bool {
	name, _, _ := strings.Cut(host, ":")
	return name == "localhost" || strings.HasPrefix(name, "127.") || strings.HasPrefix(host, "[::1]")
}

package forms

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"slices"

	"bungalow/hooks/forms/field"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/theme"
	"github.com/pocketbase/pocketbase/core"
)

// Site is what forms asks of the site: a page in its frame.
type Site interface {
	// Show writes a page for this visitor alone, ShowKept one that is kept in
	// memory for all until something changes that uses names.
	Show(e *core.RequestEvent, locale string, p Page) error
	ShowKept(e *core.RequestEvent, locale string, make func(uses func(collection string, ids ...string)) (Page, error)) error
	// Missing answers 404 as any unknown address does.
	Missing(e *core.RequestEvent) error
}

// Page is a page with a form on it.
type Page struct {
	Status      int
	Title, Path string
	NoIndex     bool
	HTML        template.HTML
}

// View is what the theme's partial form.html is drawn from.
type View struct {
	Lang        string
	Slug, Title string
	Intro       template.HTML
	Action      string
	Multipart   bool
	Inputs      []Input
	SubmitLabel string // "" is the theme's own word
	Closed      bool
	ClosedText  string // "" is the theme's own sentence
	Done        bool
	Success     template.HTML // "" is the theme's own sentence
	// Alert is what is wrong with the form as a whole.
	Alert string
	// Wrong are the fields with an error, for the list above the form.
	Wrong []Input
	// Embedded says that the form stands within a page that has its own title.
	Embedded bool
	// Trap is the name of the honeypot.
	Trap string
}

// Input is a field as the theme draws it.
type Input struct {
	*field.Field
	ID     string
	Value  string
	Chosen map[string]bool // the chosen options, or Yes for a ticked box
	Error  string
	// Width and rows of a text.
	Lines     int
	Describes string // ids of help and error, for aria-describedby
}

// honeypot is a field that people don't see.
const honeypot = "_hp"

// action is the form's address.
func action(f *Form) string { return "/f/" + f.Slug }

// view draws the form with what was answered, if anything was.
func view(app core.App, f *Form, lang string, values map[string][]string, problems map[string]field.Problem) *View {
	v := &View{
		Lang: lang, Slug: f.Slug, Title: f.Title, Intro: toHTML(f.Intro), Action: action(f), SubmitLabel: f.SubmitLabel,
		Multipart: f.TakesFiles(), Closed: !f.Open, ClosedText: f.ClosedMessage, Trap: honeypot,
	}
	for i := range f.Fields {
		q := &f.Fields[i]
		given, answered := values[q.Name]
		if values == nil && q.Default != "" {
			given, answered = []string{q.Default}, true
		}
		in := Input{Field: q, ID: "form-" + f.Slug + "-" + q.Name, Lines: q.Rows, Chosen: map[string]bool{}}
		if in.Lines == 0 {
			in.Lines = 6
		}
		if answered && len(given) > 0 && q.Type != field.File {
			in.Value = given[0]
			for _, g := range given {
				in.Chosen[g] = true
			}
		}
		if p, wrong := problems[q.Name]; wrong {
			in.Error = say(app, lang, p)
			v.Wrong = append(v.Wrong, in)
		}
		in.Describes = describes(in)
		v.Inputs = append(v.Inputs, in)
	}
	for name, p := range problems {
		if f.Field(name) == nil {
			v.Alert = say(app, lang, p)
		}
	}
	return v
}

func describes(in Input) string {
	switch {
	case in.Help != "" && in.Error != "":
		return in.ID + "-help " + in.ID + "-error"
	case in.Help != "":
		return in.ID + "-help"
	case in.Error != "":
		return in.ID + "-error"
	}
	return ""
}

// MaxMB is the most megabytes of one file.
func (in Input) MaxMB() int64 { return in.MaxBytes() / 1_000_000 }

// Auto is the autocomplete of the input: what was said, or what its type says.
func (in Input) Auto() string {
	switch {
	case in.Autocomplete != "":
		return in.Autocomplete
	case in.Type == field.Email || in.Type == field.Tel || in.Type == field.URL:
		return in.Type
	case in.Name == "name":
		return "name"
	}
	return ""
}

// Ticked reports whether a single box is ticked.
func (in Input) Ticked() bool {
	return slices.ContainsFunc([]string{field.Yes, "on", "true", "1"}, func(v string) bool { return in.Chosen[v] })
}

// say is the sentence of a problem in a language.
func say(app core.App, lang string, p field.Problem) string {
	if p.Own != "" {
		return p.Own
	}
	return text(app, lang, p.Words(), p.Args...)
}

// text translates an English sentence of the form's section of the theme.
func text(app core.App, lang, english string, args ...any) string {
	return theme.Of(app).Text(lang, "form", english, args...)
}

// language is the form's, or the site's.
func language(app core.App, f *Form) (string, error) {
	if f != nil && f.Locale != "" {
		return f.Locale, nil
	}
	site, err := settings.LoadSite(app)
	return site.Locale, err
}

// showForm is GET /f/{slug}.
func (s *service) showForm(e *core.RequestEvent, f *Form) error {
	lang, err := language(e.App, f)
	if err != nil {
		return err
	}
	if e.Request.URL.Query().Get("notice") == "sent" {
		v := view(e.App, f, lang, nil, nil)
		v.Done, v.Success = true, toHTML(f.SuccessMessage)
		return s.show(e, f, http.StatusOK, v)
	}
	if s.cfg.Site == nil {
		return s.show(e, f, http.StatusOK, view(e.App, f, lang, nil, nil))
	}
	return s.cfg.Site.ShowKept(e, f.Locale, func(uses func(string, ...string)) (Page, error) {
		uses(schema.Forms)
		fresh, _, err := s.find(e.App, f.Slug)
		if err != nil {
			return Page{}, err
		}
		return s.page(e.App, fresh, http.StatusOK, view(e.App, fresh, lang, nil, nil))
	})
}

// page puts a drawn form into the site's frame.
func (s *service) page(app core.App, f *Form, status int, v *View) (Page, error) {
	html, err := draw(app, "form", v)
	return Page{Status: status, Title: f.Title, Path: action(f), NoIndex: status != http.StatusOK || v.Done, HTML: html}, err
}

// show writes the form's page for this visitor alone.
func (s *service) show(e *core.RequestEvent, f *Form, status int, v *View) error {
	e.Response.Header().Set("Cache-Control", "private, no-store")
	if s.cfg.Site == nil {
		html, err := draw(e.App, "", v)
		if err != nil {
			return err
		}
		return e.HTML(status, string(html))
	}
	p, err := s.page(e.App, f, status, v)
	if err != nil {
		return err
	}
	return s.cfg.Site.Show(e, f.Locale, p)
}

// draw renders a block of the theme's form.html, "" for a whole page.
func draw(app core.App, block string, v *View) (template.HTML, error) {
	var out bytes.Buffer
	if err := theme.Of(app).RenderSection(&out, v.Lang, "form/form.html", block, v); err != nil {
		return "", fmt.Errorf("draw a form: %w", err)
	}
	return template.HTML(out.String()), nil // made by the theme's templates, which escape
}

// shortcode registers {{ form "contact" }}.
func (s *service) shortcode(e *core.ServeEvent) error {
	if t := theme.Of(e.App); t != nil {
		t.Shortcode("form", func(place theme.Place, args []string) (template.HTML, error) {
			place.Uses(schema.Forms)
			if len(args) != 1 {
				return "", fmt.Errorf("a form is named by its slug")
			}
			f, _, err := s.find(place.App, args[0])
			if err != nil {
				return "", err
			}
			lang := place.Locale
			if f.Locale != "" {
				lang = f.Locale
			}
			v := view(place.App, f, lang, nil, nil)
			v.Embedded = true
			return draw(place.App, "form", v)
		})
	}
	return e.Next()
}

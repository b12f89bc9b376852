package hooks

import (
	"errors"
	"html/template"
	"net/mail"
	"slices"
	"time"

	"bungalow/hooks/comments"
	"bungalow/hooks/content"
	"bungalow/hooks/content/drafts"
	"bungalow/hooks/content/imports"
	"bungalow/hooks/content/library"
	"bungalow/hooks/content/media"
	"bungalow/hooks/content/text"
	"bungalow/hooks/content/writing"
	staffdesk "bungalow/hooks/desk"
	"bungalow/hooks/forms"
	"bungalow/hooks/inbox"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/health"
	"bungalow/hooks/kit/metrics"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/spam"
	"bungalow/hooks/kit/web"
	"bungalow/hooks/site"
	"github.com/pocketbase/pocketbase/core"
)

// This file joins features that must not know each other: what one asks for
// as an interface, another's functions answer here.

func coreRoutes(app core.App) []web.Route {
	return slices.Concat(health.Routes(app), spam.Routes(app), metrics.Routes(app), []web.Route{web.AccentRoute()})
}

func registerContent(app core.App, cfg Config) error {
	if err := content.Register(app); err != nil {
		return err
	}
	if err := drafts.Register(app); err != nil {
		return err
	}
	imports.Register(app)
	if err := library.Register(app, commentImporter(cfg)); err != nil {
		return err
	}
	return media.Register(app)
}

func contentRoutes(app core.App) []web.Route {
	return append(content.Routes(app), media.Routes()...)
}

// contentDesk joins what the parts of the content give the desk.
func contentDesk(app core.App) desk.Part {
	var all desk.Part
	for _, part := range []desk.Part{
		writing.Part(app), library.Desk(app),
	} {
		all.Pages = append(all.Pages, part.Pages...)
		all.Cards = append(all.Cards, part.Cards...)
		all.Settings = append(all.Settings, part.Settings...)
		all.Searches = append(all.Searches, part.Searches...)
	}
	return all
}

// registerComments joins the comments to the site, where that is on.
func registerComments(app core.App, cfg Config) error {
	var commentsCfg comments.Config
	if !slices.Contains(cfg.Without, "site") {
		commentsCfg.Pages = pagesForComments{}
	}
	return comments.Register(app, commentsCfg)
}

// pagesForComments answers what the comments ask of the site.
type pagesForComments struct{}

func (pagesForComments) Again(e *core.RequestEvent, path string, status int) error {
	if s := site.Of(e.App); s != nil {
		return s.Again(e, path, status)
	}
	return e.NotFoundError("", nil)
}

func (pagesForComments) Note(e *core.RequestEvent, status int, title, html string) error {
	if s := site.Of(e.App); s != nil {
		return s.Note(e, status, title, html)
	}
	return e.NotFoundError("", nil)
}

// registerSite joins the site to the content, where that is on.
func registerSite(app core.App, cfg Config) error {
	siteCfg := site.Config{PublicDir: cfg.publicDir(app), IndexFallback: cfg.IndexFallback}
	if !slices.Contains(cfg.Without, "desk") {
		siteCfg.Staff = staffdesk.IsStaff
	}
	if !slices.Contains(cfg.Without, "content") {
		siteCfg.Content = contentForSite{}
	}
	return site.Register(app, siteCfg)
}

// registerDesk gives the desk what the switched-on features have for it.
func registerDesk(app core.App, cfg Config) error {
	return staffdesk.Register(app, staffdesk.Config{Parts: func() []desk.Part {
		var parts []desk.Part
		for _, f := range enabled(cfg) {
			if f.desk != nil {
				parts = append(parts, f.desk(app))
			}
		}
		return parts
	}})
}

// contentForSite answers what the site asks of the content.
type contentForSite struct{}

func (contentForSite) Search(app core.App, locale, query string, page, perPage int) ([]site.SearchHit, int, error) {
	found, err := content.Search(app, locale, query, page, perPage)
	if errors.Is(err, content.ErrSlow) {
		err = site.ErrSlow
	}
	if err != nil {
		return nil, 0, err
	}
	hits := make([]site.SearchHit, len(found.Items))
	for i, f := range found.Items {
		hits[i] = site.SearchHit{Collection: f.Collection, ID: f.Record, Title: f.Title, Snippet: template.HTML(f.Snippet)} // escaped by content
	}
	return hits, found.Total, nil
}

func (contentForSite) Redirect(app core.App, path, query string) (string, int, bool, error) {
	r, found, err := content.FindRedirect(app, path, query)
	if found && err == nil {
		content.CountHit(app, r.ID)
	}
	return r.To, r.Status, found, err
}

func (contentForSite) Preview(app core.App, token string) (*core.Record, bool, error) {
	r, err := drafts.Preview(app, token, time.Now())
	if errors.Is(err, drafts.ErrMissing) {
		return nil, false, nil
	}
	return r, err == nil, err
}

func (contentForSite) Picture(record *core.Record, sizes string) *site.Image {
	p := media.Image(record, sizes)
	if p.Src == "" {
		return nil
	}
	return &site.Image{Src: p.Src, SrcSet: p.SrcSet, Width: p.Width, Height: p.Height, Alt: p.Alt, Class: p.Class}
}

func (contentForSite) Enrich(app core.App, html string) (string, []string) {
	var used []string
	enriched := media.Enrich(html, func(id string) *core.Record {
		used = append(used, id)
		record, err := app.FindRecordById(schema.Media, id)
		if err != nil {
			return nil // deleted since, or never there: the picture stays as it was written
		}
		return record
	})
	return enriched, used
}

func (contentForSite) Contents(html string) []site.Heading {
	headings := text.Contents(html)
	out := make([]site.Heading, len(headings))
	for i, h := range headings {
		out[i] = site.Heading{Level: h.Level, ID: h.ID, Text: h.Text}
	}
	return out
}

// commentsForImport answers what an import asks of the comments.
type commentsForImport struct{}

func (commentsForImport) ImportComments(app core.App, batch []imports.Comment) (created, known int, err error) {
	moved := make([]comments.Imported, len(batch))
	for i, c := range batch {
		moved[i] = comments.Imported{SourceKey: c.Key, Parent: c.Parent, Thread: c.Thread, Author: c.Author, Email: c.Email, URL: c.URL, HTML: c.HTML, Status: c.Status, At: c.At}
	}
	return comments.Import(app, moved)
}

// commentImporter is nil where comments are switched off.
func commentImporter(cfg Config) imports.CommentImporter {
	if slices.Contains(cfg.Without, "comments") {
		return nil
	}
	return commentsForImport{}
}

// registerForms joins the forms to the inbox, where that is on.
func registerForms(app core.App, cfg Config) error {
	formsCfg := forms.Config{}
	if !slices.Contains(cfg.Without, inbox.Feature) {
		formsCfg.Inbox = inboxForForms{}
	}
	if !slices.Contains(cfg.Without, "site") {
		formsCfg.Site = siteForForms{}
	}
	return forms.Register(app, formsCfg)
}

// inboxForForms answers what forms asks of the inbox.
type inboxForForms struct{}

func (inboxForForms) Receive(tx core.App, in forms.Incoming) (string, error) {
	files := make([]inbox.File, len(in.Files))
	for i, f := range in.Files {
		files[i] = inbox.File{Name: f.Name, Stored: f.Stored, Type: f.Type, Size: f.Size, Path: forms.FilePath(in.Submission, f.Stored)}
	}
	c, err := inbox.Receive(tx, inbox.Submission{
		ID: in.Submission, Form: in.FormID, FormTitle: in.FormTitle, Subject: in.Subject, Name: in.Name, Email: in.Email,
		Text: in.Text, Gist: in.Gist, Files: files, Spam: in.Spam, Reasons: in.Reasons,
	})
	if err != nil {
		return "", err
	}
	return c.Id, nil
}

func (inboxForForms) Judge(tx core.App, conversation string, spam bool) error {
	return inbox.Judge(tx, conversation, spam)
}

func (inboxForForms) ReplyTo(app core.App, conversation string) (mail.Address, error) {
	return inbox.ReplyAddress(app, conversation)
}

func (inboxForForms) Path(conversation string) string { return inbox.Path(conversation) }

func registerInbox(app core.App, cfg Config) error {
	return inbox.Register(app, inbox.Config{SMTP: cfg.SMTP, SMTPCert: cfg.SMTPCert, SMTPKey: cfg.SMTPKey})
}

// siteForForms answers what forms asks of the site.
type siteForForms struct{}

func (siteForForms) Show(e *core.RequestEvent, locale string, p forms.Page) error {
	return site.Of(e.App).Show(e, locale, partOf(p))
}

func (siteForForms) ShowKept(e *core.RequestEvent, locale string, make func(func(string, ...string)) (forms.Page, error)) error {
	return site.Of(e.App).ShowKept(e, locale, func(uses func(string, ...string)) (site.Part, error) {
		p, err := make(uses)
		return partOf(p), err
	})
}

func (siteForForms) Missing(e *core.RequestEvent) error { return site.Of(e.App).Missing(e) }

func partOf(p forms.Page) site.Part {
	part := site.Part{Status: p.Status, Title: p.Title, Path: p.Path, HTML: p.HTML}
	if p.NoIndex {
		part.Robots = "noindex"
	}
	return part
}

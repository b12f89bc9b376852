package content

import (
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"bungalow/hooks/content/text"
	"bungalow/hooks/kit/address"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"github.com/pocketbase/dbx"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

const (
	// summaryLength is how long the excerpt made from a body is, in characters.
	summaryLength = 200
	// maxDepth is how deep pages may nest.
	maxDepth = 8
	// maxHTML is what the field html holds, in characters.
	maxHTML = 4_000_000
	// maxSuffix bounds the search for a free slug.
	maxSuffix = 10_000
)

// prepare fills what follows from the fields that a person writes.
func prepare(app core.App, r *core.Record) error {
	site, err := settings.LoadSite(app)
	if err != nil {
		return err
	}
	clean(r, "title", "excerpt", "seo_title", "seo_description")
	if r.GetString("locale") == "" {
		r.Set("locale", site.Locale)
	}
	if r.GetString("status") == "" {
		r.Set("status", schema.StatusDraft)
	}
	if err := slug(app, site, r); err != nil {
		return err
	}
	return schedule(r, time.Now())
}

// clean removes what PocketBase lets into text but no page can show: NUL and
// other control characters, and marks that turn the reading direction.
func clean(r *core.Record, fields ...string) {
	for _, f := range fields {
		r.Set(f, strings.TrimSpace(strings.Map(func(c rune) rune {
			switch {
			case c == '\n' || c == '\t':
				return ' '
			case c < 0x20 || c == 0x7f:
				return -1
			case c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069:
				return -1
			}
			return c
		}, r.GetString(f))))
	}
}

// slug gives the record its slug, and a page its path.
func slug(app core.App, site settings.Site, r *core.Record) error {
	wanted := r.GetString("slug")
	if wanted == "" {
		free, err := FreeSlug(app, site, r, text.Slug(r.GetString("title")))
		if err != nil {
			return err
		}
		r.Set("slug", free)
	} else if r.IsNew() || wanted != r.Original().GetString("slug") {
		r.Set("slug", text.Slug(wanted))
	}
	if r.Collection().Name != schema.Pages {
		return nil
	}
	s := r.GetString("slug")
	if r.GetString("parent") == "" {
		if address.Reserved(site, s) {
			return invalid("slug", "validation_reserved", fmt.Sprintf("The address /%s/ is used by the site itself. Choose another slug.", s))
		}
		r.Set("path", s)
		return nil
	}
	path, err := parentPath(app, r)
	if err != nil {
		return err
	}
	r.Set("path", path+"/"+s)
	return nil
}

// parentPath walks up from a page and refuses circles and endless depth.
func parentPath(app core.App, r *core.Record) (string, error) {
	var parts []string
	id := r.GetString("parent")
	for depth := 0; id != ""; depth++ {
		if id == r.Id {
			return "", invalid("parent", "validation_circle", "A page can't lie below itself. Choose another parent.")
		}
		if depth >= maxDepth {
			return "", invalid("parent", "validation_depth", fmt.Sprintf("Pages can nest at most %d levels deep. Choose a parent further up.", maxDepth))
		}
		parent, err := app.FindRecordById(schema.Pages, id)
		if err != nil {
			return "", invalid("parent", "validation_missing", "The parent page doesn't exist any more. Choose another one.")
		}
		parts = append([]string{parent.GetString("slug")}, parts...)
		id = parent.GetString("parent")
	}
	return strings.Join(parts, "/"), nil
}

// FreeSlug is the first of wanted, wanted-2, wanted-3 … that the record may
// have in its locale (and, for a page, below its parent).
func FreeSlug(app core.App, site settings.Site, r *core.Record, wanted string) (string, error) {
	top := r.Collection().Name == schema.Pages && r.GetString("parent") == ""
	for n := 1; n < maxSuffix; n++ {
		try := wanted
		if n > 1 {
			try = wanted + "-" + strconv.Itoa(n)
		}
		if top && address.Reserved(site, try) {
			continue
		}
		where := dbx.HashExp{"slug": try, "locale": r.GetString("locale")}
		if r.Collection().Name == schema.Pages {
			where["parent"] = r.GetString("parent")
		}
		var id string
		err := app.DB().Select("id").From(r.Collection().Name).
			Where(where).AndWhere(dbx.Not(dbx.HashExp{"id": r.Id})).Limit(1).Row(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return try, nil
		}
		if err != nil {
			return "", fmt.Errorf("find a free slug: %w", err)
		}
	}
	return "", invalid("slug", "validation_taken", "Too many records have this slug already. Choose another one.")
}

// schedule keeps status and time in step: what is published has a time that
// has come, what lies ahead is scheduled.
func schedule(r *core.Record, now time.Time) error {
	at := r.GetDateTime("published_at")
	switch r.GetString("status") {
	case schema.StatusPublished:
		if at.IsZero() {
			r.Set("published_at", types.NowDateTime())
		} else if at.Time().After(now) {
			r.Set("status", schema.StatusScheduled)
		}
	case schema.StatusScheduled:
		if at.IsZero() {
			return invalid("published_at", "validation_required", "Say when this is to be published.")
		}
		if !at.Time().After(now) {
			r.Set("status", schema.StatusPublished)
		}
	}
	return nil
}

// Rendering is a body made ready before its record can be saved, so that
// nobody waits for the database while a long text is rendered.
type Rendering struct {
	format, body, html, summary string
	minutes                     int
}

// renderingKey is where a record carries its Rendering.
const renderingKey = "bungalow_rendering"

// RenderBody makes HTML, reading time and summary from a body. Its error is
// one beside the field body.
func RenderBody(format, body string) (*Rendering, error) {
	if format == "" {
		format = schema.FormatMarkdown
	}
	out, err := text.Render(format, body)
	if err != nil {
		return nil, invalid("body", "validation_unreadable", err.Error())
	}
	if utf8.RuneCountInString(out.HTML) > maxHTML {
		return nil, invalid("body", "validation_too_long", "This text is too long as a page. Split it into several.")
	}
	return &Rendering{format: format, body: body, html: out.HTML, minutes: out.Minutes,
		summary: text.Excerpt(text.Prose(out.HTML), summaryLength)}, nil
}

// Give lends the rendering to a record: saving it takes no second one if its
// body is the same.
func (made *Rendering) Give(r *core.Record) { r.SetRaw(renderingKey, made) }

// Render makes HTML, reading time and summary from the body, once per change.
// It needs no database: a long text takes seconds, in which others may write.
func Render(r *core.Record) error {
	if r.GetString("format") == "" {
		r.Set("format", schema.FormatMarkdown)
	}
	if !r.IsNew() && r.GetString("body") == r.Original().GetString("body") &&
		r.GetString("format") == r.Original().GetString("format") && r.GetString("html") == r.Original().GetString("html") {
		return nil
	}
	made, ok := r.GetRaw(renderingKey).(*Rendering)
	if !ok || made.body != r.GetString("body") || made.format != r.GetString("format") {
		var err error
		if made, err = RenderBody(r.GetString("format"), r.GetString("body")); err != nil {
			return err
		}
	}
	r.Set("html", made.html)
	r.Set("reading_minutes", made.minutes)
	r.Set("summary", made.summary)
	return nil
}

// invalid is a refusal that stands beside one field.
func invalid(field, code, message string) error {
	return validation.Errors{field: validation.NewError(code, message)}
}

// IsPublic reports whether a visitor may see the post or page now.
func IsPublic(r *core.Record) bool {
	return r.GetString("status") == schema.StatusPublished && !r.GetDateTime("published_at").Time().After(time.Now())
}

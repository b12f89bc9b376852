package comments

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"

	"bungalow/hooks/kit/address"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Errors of FindThread whose text may be shown.
var (
	// ErrThread says that no thread can be at this address.
	ErrThread = errors.New("comments can't be read or written at this address")
	// ErrOrigin says that the address is of a site that is not allowed.
	ErrOrigin = errors.New("this site may not show comments of ours; its owner can be asked to add it to the allowed origins")
)

// maxThread is the longest address of a thread, in bytes.
const maxThread = 1000

// Normalize gives the one form of a thread's address: a clean path with a
// slash at its end, or an absolute address of such a path, without query and
// fragment. It returns "" for what is no address of a page.
func Normalize(raw string) string {
	raw = strings.TrimSpace(raw)
	if raw == "" || len(raw) > maxThread || strings.ContainsFunc(raw, unicode.IsControl) {
		return ""
	}
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" || u.User != nil {
		return ""
	}
	prefix := ""
	if u.Scheme != "" || u.Host != "" {
		if prefix = origin(raw); prefix == "" {
			return ""
		}
	} else if !strings.HasPrefix(raw, "/") {
		return ""
	}
	p := path.Clean("/" + u.Path)
	if strings.ContainsFunc(p, func(r rune) bool { return unicode.IsControl(r) || r == unicode.ReplacementChar }) {
		return ""
	}
	if last := p[strings.LastIndexByte(p, '/')+1:]; !strings.Contains(last, ".") && p != "/" {
		p += "/"
	}
	clean := prefix + (&url.URL{Path: p}).EscapedPath()
	if len(clean) > maxThread {
		return ""
	}
	return clean
}

// Thread is a conversation and what may be done in it.
type Thread struct {
	// Address is the normal form, by which its comments are found.
	Address string
	Title   string
	// Policy is the thread's own, or the site's.
	Policy string
	// Reason says why nobody may write: "", "closed" or "old".
	Reason string
	// Locale is that of the page, "" for another site's.
	Locale string
	// Collection and Page name the post or page; "" for another site's.
	Collection, Page string
	// External is a page of another site.
	External bool
	// ClosesAt is when it closes by itself, zero if never.
	ClosesAt time.Time
}

// Open reports whether visitors may write.
func (t Thread) Open() bool { return t.Reason == "" }

// FindThread gives the thread at an address that somebody named. The errors
// are ErrThread, ErrOrigin, and sql.ErrNoRows where no visible page is there.
func FindThread(app core.App, raw string) (Thread, error) {
	o := optionsOf(app)
	t := Thread{Address: Normalize(raw)}
	if t.Address == "" {
		return t, ErrThread
	}
	if own := origin(app.Settings().Meta.AppURL); own != "" && strings.HasPrefix(t.Address, own+"/") {
		t.Address = strings.TrimPrefix(t.Address, own)
	}
	external := !strings.HasPrefix(t.Address, "/")
	if external && !slices.Contains(o.AllowedOrigins, origin(t.Address)) {
		return t, ErrOrigin
	}
	at, err := serviceOf(app).memory.place(app, t.Address, external)
	if err != nil {
		return t, err
	}
	return at.open(o, time.Now()), nil
}

// open says what may be done in the thread now.
func (p place) open(o Options, now time.Time) Thread {
	t := p.thread
	t.Policy = firstOf(p.policy, o.Policy)
	t.Title = firstOf(t.Title, p.title)
	if t.Policy == PolicyClosed {
		t.Reason = "closed"
	}
	// A thread that was opened by hand stays open.
	if o.CloseAfter > 0 && !p.born.IsZero() && p.policy == "" && t.Reason == "" {
		t.ClosesAt = p.born.AddDate(0, 0, o.CloseAfter)
		if !now.Before(t.ClosesAt) {
			t.Reason = "old"
		}
	}
	return t
}

// findPage finds the post or page that a visitor may see at the address, and
// when it was published.
func findPage(app core.App, t *Thread) (time.Time, error) {
	site, err := serviceOf(app).loadSite()
	if err != nil {
		return time.Time{}, err
	}
	decoded, err := url.PathUnescape(t.Address)
	if err != nil {
		return time.Time{}, ErrThread
	}
	locale, rest := address.Split(site, decoded)
	inner := strings.Trim(rest, "/")
	collection, where := schema.Pages, dbx.HashExp{"path": inner}
	if slug, ok := strings.CutPrefix(inner, "blog/"); ok {
		collection, where = schema.Posts, dbx.HashExp{"slug": slug}
	}
	if !app.HasTable(collection) || inner == "" {
		return time.Time{}, sql.ErrNoRows
	}
	where["locale"], where["status"] = locale, schema.StatusPublished
	var page struct {
		ID    string         `db:"id"`
		Title string         `db:"title"`
		Open  bool           `db:"comments_open"`
		At    types.DateTime `db:"published_at"`
	}
	err = app.DB().Select("id", "title", "comments_open", "published_at").From(collection).Where(where).Limit(1).One(&page)
	if err != nil {
		return time.Time{}, err
	}
	if page.At.Time().After(time.Now()) {
		return time.Time{}, sql.ErrNoRows
	}
	t.Title, t.Locale, t.Collection, t.Page = page.Title, locale, collection, page.ID
	if !page.Open {
		t.Reason = "closed"
	}
	return page.At.Time(), nil
}

// threadKey is the key on which a thread's pages and answers depend in the
// cache: "comments-thread/…". It is bumped only by what a visitor may see.
const threadKey = "comments-thread"

// SetThread stores what a moderator decided for a thread: a policy, or "" for
// the site's.
func SetThread(app core.App, address, policy string) error {
	if address = Normalize(address); address == "" {
		return ErrThread
	}
	if policy != "" && !slices.Contains(policies, policy) {
		return ErrThread
	}
	_, err := app.NonconcurrentDB().NewQuery(`INSERT INTO _comment_threads (thread, policy) VALUES ({:t}, {:p})
		ON CONFLICT (thread) DO UPDATE SET policy = excluded.policy`).Bind(dbx.Params{"t": address, "p": policy}).Execute()
	if err != nil {
		return fmt.Errorf("save the thread's settings: %w", err)
	}
	bumpThreads(app, address)
	return nil
}

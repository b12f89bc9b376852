// Package events holds the site's own events, the Go hooks that PocketBase
// does not have. A feature announces with Trigger; a site's code binds with
// BindFunc, calls e.Next() and may return an error to refuse, exactly as with
// PocketBase's hooks. Hooks live per app, so many apps run in one process.
package events

import (
	"html/template"
	"net/http"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// Of returns the app's hook for events of type T (a struct that embeds
// hook.Event), made at first use. A transaction's app shares it.
func Of[T hook.Resolver](app core.App, name string) *hook.Hook[T] {
	return app.Store().GetOrSet("bungalow.event."+name, func() any {
		return &hook.Hook[T]{}
	}).(*hook.Hook[T])
}

// PublishEvent is what content.OnPublish announces.
type PublishEvent struct {
	hook.Event
	// App is the transaction's app: what handlers write commits or vanishes
	// together with the publication.
	App core.App
	// Record is the post or page, with its new status not yet saved.
	Record *core.Record
}

// OnPublish fires once for each post or page, when it is first published, in
// the transaction that publishes it. An error refuses the publication.
// Records that were public where they were imported from don't fire it.
func OnPublish(app core.App) *hook.Hook[*PublishEvent] {
	return Of[*PublishEvent](app, "content.OnPublish")
}

// RenderEvent is what site.OnRender announces.
type RenderEvent struct {
	hook.Event
	App core.App
	// Request is the visitor's. What a page takes from it besides the path
	// needs NoStore, because the answer is shared by all visitors.
	Request *http.Request
	// Page is the template's name, such as "post".
	Page string
	// Record is the post, page, tag or author that is shown, if it is one.
	Record *core.Record
	// Extra is given to the template as .Extra.
	Extra map[string]any
	// Path is the page's canonical path and Locale its language.
	Path, Locale string
	// Comments is safe HTML that posts and pages show below their text.
	Comments template.HTML
	// Scripts are addresses of same-site scripts at the end of the page.
	Scripts []string
	// Feeds are further feeds of the page.
	Feeds []Feed

	uses    func(collection string, ids ...string)
	noStore func()
	until   func(time.Time)
}

// Feed is a feed of a page, as <link rel="alternate"> names it.
type Feed struct{ Title, Type, URL string }

// NewRenderEvent is for the site feature, which owns the page's cache entry.
func NewRenderEvent(app core.App, r *http.Request, page string, record *core.Record, uses func(string, ...string), noStore func()) *RenderEvent {
	return &RenderEvent{App: app, Request: r, Page: page, Record: record, Extra: map[string]any{}, uses: uses, noStore: noStore}
}

// Uses says that the page shows something of this collection, or of these
// records of it: the cached page is dropped when one of them changes.
func (e *RenderEvent) Uses(collection string, ids ...string) { e.uses(collection, ids...) }

// NoStore keeps this page out of the cache.
func (e *RenderEvent) NoStore() { e.noStore() }

// Until says that the page is wrong from t on.
func (e *RenderEvent) Until(t time.Time) {
	if e.until != nil {
		e.until(t)
	}
}

// WithUntil sets what Until calls; for the site feature.
func (e *RenderEvent) WithUntil(until func(time.Time)) *RenderEvent {
	e.until = until
	return e
}

// OnRender fires when a page is rendered, not when it is served from memory.
// An error gives the visitor the 500 page.
func OnRender(app core.App) *hook.Hook[*RenderEvent] {
	return Of[*RenderEvent](app, "site.OnRender")
}

// Served says what one visitor was answered. It holds values only, so that a
// handler may keep it.
type Served struct {
	Path      string
	Query     string
	Status    int
	Referrer  string
	UserAgent string
	Language  string // the Accept-Language header
	RemoteIP  string // as PocketBase's RealIP gives it
	Page      string // the template's name, or "" for a file
	Cached    bool
	At        time.Time
}

// ServedEvent is what site.OnServed announces.
type ServedEvent struct {
	hook.Event
	App core.App
	Served
}

// OnServed fires after a page was answered, from memory or not. Its handlers
// hold up the connection: hand long work to the queue.
func OnServed(app core.App) *hook.Hook[*ServedEvent] {
	return Of[*ServedEvent](app, "site.OnServed")
}

// MessageEvent is what inbox.OnMessage announces.
type MessageEvent struct {
	hook.Event
	// App is the transaction's app: what handlers write commits or vanishes
	// together with the message.
	App core.App
	// Conversation and Message are not yet saved; both may be changed.
	Conversation *core.Record
	Message      *core.Record
	// New is true where the message begins the conversation.
	New bool
}

// OnMessage fires once for each message that comes in, through a form or by
// mail, before it is stored and in the same transaction. An error refuses the
// message: a form shows it as a fault, a mail server is told to give up.
func OnMessage(app core.App) *hook.Hook[*MessageEvent] {
	return Of[*MessageEvent](app, "inbox.OnMessage")
}

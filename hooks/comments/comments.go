// Package comments is the conversation below posts, pages, and pages of other
// sites: what readers say, who may read it, and how it is kept clean.
//
// It promises that a comment which was accepted is stored, that a page shows
// an approved comment on the very next request, that a reply always has its
// thread, and that every comment which is held or filed says why. The HTML of
// a comment holds only simple text markup whose links pass on no reputation.
//
// It never shows a mail address, never keeps an address of the network but as
// a keyed hash, never creates a comment twice for one source key, and never
// removes what stands when something is imported.
package comments

import (
	"net/http"
	"sync"

	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/together"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

// Config is what comments are given by those who wire them.
type Config struct {
	// Pages shows pages of the site; nil without the site.
	Pages Pages
}

// Pages is what comments ask of the site.
type Pages interface {
	// Again shows the page at path for this visitor alone, with the status and
	// with what the request's context carries.
	Again(e *core.RequestEvent, path string, status int) error
	// Note shows a page with a title and a few sentences of safe HTML.
	Note(e *core.RequestEvent, status int, title, html string) error
}

// service is the state of one app.
type service struct {
	app core.App
	cfg Config
	hub hub

	mu      sync.Mutex
	options *Options // nil until read, and after the settings changed
	site    *settings.Site
	version int

	memory      memory
	writer      together.Writer[*draft]
	agents      agents
	waiting     waiting
	mostWaiting int
}

const storeKey = "bungalow.comments"

func serviceOf(app core.App) *service {
	return app.Store().GetOrSet(storeKey, func() any { return &service{app: app, mostWaiting: maxWaiting} }).(*service)
}

// Register binds the feature's hooks, jobs and clocks.
func Register(app core.App, cfg Config) error {
	s := serviceOf(app)
	s.cfg = cfg
	cache.Of(app).OnBump(s.forgetOptions, "settings")
	s.memory.followWith(cache.Of(app))
	bindRecords(app, s)
	bindMoves(app)
	bindTheme(app)
	bindErase(app)
	bindJobs(app)
	s.hub.endWith(app)
	app.Cron().MustAdd("bungalowCommentsSweep", "37 4 * * *", func() {
		if err := Sweep(app); err != nil {
			app.Logger().Error("comments could not be tidied", "error", err)
		}
	})
	return nil
}

// Routes is the table of the feature's addresses.
func Routes(core.App) []web.Route {
	const one = "/api/site/comments/{id}"
	public := func(method, path string, do func(e *core.RequestEvent) error) web.Route {
		return web.Route{Method: method, Path: path, Access: web.Public, Body: maxRequest, Do: crossOrigin(do)}
	}
	routes := []web.Route{
		public(http.MethodGet, "/api/site/comments", listThread),
		public(http.MethodPost, "/api/site/comments", postComment),
		public(http.MethodGet, "/api/site/comments/counts", listCounts),
		public(http.MethodGet, "/api/site/comments/live", live),
		public(http.MethodPatch, one, editComment),
		public(http.MethodDelete, one, deleteComment),
		public(http.MethodPost, one+"/reactions", react),
		{Method: http.MethodGet, Path: one + "/own", Access: web.Public, Do: showOwn},
		{Method: http.MethodPost, Path: one + "/own", Access: web.Public, Body: maxRequest, Do: changeOwn},
		{Method: http.MethodGet, Path: "/comments.xml", Access: web.Public, Do: siteFeed},
		{Method: http.MethodGet, Path: "/blog/{slug}/comments.xml", Access: web.Public, Do: threadFeed},
	}
	return append(routes, mailRoutes()...)
}

// maxRequest is the largest body of a visitor's request, in bytes.
const maxRequest = 128 << 10

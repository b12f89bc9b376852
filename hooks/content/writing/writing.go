// Package writing is where staff write posts and pages in the desk: lists, the
// editor, earlier versions, and the bin.
//
// It promises that every form works without JavaScript, that nothing typed is
// lost to a conflict (what can't be saved becomes the writer's draft), and
// that a text which is not the person's own answers like one that is not
// there. It decides nothing about a text: that is hooks/content/drafts.
package writing

import (
	"errors"
	"net/http"

	"bungalow/hooks/content/drafts"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// maxForm is the largest form of the editor, in bytes: a text of 2 MB takes
// three times as much in the encoding of a plain form.
const maxForm = 8 << 20

// Part is what the desk gets from here.
func Part(core.App) desk.Part {
	posts, pages := of(schema.Posts), of(schema.Pages)
	return desk.Part{
		Pages: append(append(posts.pages(), pages.pages()...),
			desk.Page{Method: http.MethodPost, Path: "writing/render", Access: web.Access(roles.ContentWrite), Body: maxForm, Do: render},
		),
		Cards:    []desk.Card{waiting()},
		Searches: []desk.Search{posts.search(), pages.search()},
	}
}

// kind is one of the two collections that are written here.
type kind struct {
	collection string
	root       string // below /desk/
	access     web.Access
	menu       desk.Menu
}

func of(collection string) kind {
	if collection == schema.Pages {
		return kind{collection, "pages", web.Access(roles.ContentEdit), desk.Menu{Group: desk.GroupContent, Label: "Pages", Icon: "files", Order: 20}}
	}
	return kind{collection, "posts", web.Access(roles.ContentWrite), desk.Menu{Group: desk.GroupContent, Label: "Posts", Icon: "newspaper", Order: 10}}
}

// isPosts is for templates.
func (k kind) isPosts() bool { return k.collection == schema.Posts }

// href is an address of the kind: href() is its list, href(id) a text.
func (k kind) href(parts ...string) string {
	at := desk.Root + k.root + "/"
	for _, p := range parts {
		at += p + "/"
	}
	return at
}

func (k kind) pages() []desk.Page {
	page := func(method, path string, do func(*desk.Event) error) desk.Page {
		return desk.Page{Method: method, Path: k.root + path, Access: k.access, Body: maxForm, Do: refused(do)}
	}
	list := page("", "", k.list)
	list.Menu = &k.menu
	return []desk.Page{
		list,
		page("", "/new", k.blank),
		page(http.MethodPost, "/new", k.create),
		page(http.MethodPost, "/bulk", k.bulk),
		page(http.MethodPost, "/unbin", k.unbinMany),
		page("", "/{id}", k.edit),
		page(http.MethodPost, "/{id}", k.save),
		page(http.MethodPost, "/{id}/autosave", k.autosave),
		page(http.MethodPost, "/{id}/unpublish", k.unpublish),
		page(http.MethodPost, "/{id}/discard", k.discard),
		page(http.MethodPost, "/{id}/bin", k.bin),
		page(http.MethodPost, "/{id}/unbin", k.unbin),
		page(http.MethodPost, "/{id}/purge", k.purge),
		page(http.MethodPost, "/{id}/translate", k.translate),
		page("", "/{id}/preview", k.preview),
		page("", "/{id}/conflict", k.conflict),
		page(http.MethodPost, "/{id}/conflict", k.resolve),
		page("", "/{id}/revisions", k.revisions),
		page("", "/{id}/revisions/{revision}", k.revision),
		page(http.MethodPost, "/{id}/revisions/{revision}/restore", k.restore),
	}
}

// by is who acts.
func by(e *desk.Event) drafts.By { return drafts.By{Person: e.Auth, Actor: e.Actor()} }

// refused turns the domain's errors into answers.
func refused(do func(*desk.Event) error) func(*desk.Event) error {
	return func(e *desk.Event) error {
		err := do(e)
		switch {
		case errors.Is(err, drafts.ErrMissing):
			return e.NotFoundError(e.T("This text is not here any more, or it is not yours."), nil)
		case errors.Is(err, drafts.ErrNoDraft), errors.Is(err, drafts.ErrThere):
			return router.NewApiError(http.StatusConflict, e.T(err.Error()), nil)
		}
		return err
	}
}

package imports

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
)

const (
	// batchSize is how many items one transaction holds.
	batchSize = 200
	// maxPasses is how deep pages may lie below one another in a source that
	// names children before their parents.
	maxPasses = 10
)

// CommentImporter saves comments in the caller's transaction. Comments that
// are there already count as known.
type CommentImporter interface {
	ImportComments(app core.App, batch []Comment) (created, known int, err error)
}

// Options say how an import is done.
type Options struct {
	Source   string // what the report calls it
	DryRun   bool   // report and change nothing
	Media    bool   // bring files here
	Comments CommentImporter
	Progress func() // called for each item
}

var errDryRun = errors.New("a dry run is rolled back")

// Import writes the items of a stream. Items are written in batches, each in
// one transaction, so that a cut-off import stands at the end of a batch and
// the next run goes on from there. The error is that of the database; what
// could not be read is in the report's Fault.
func Import(ctx context.Context, app core.App, stream Stream, o Options) (*Report, error) {
	w := &writer{options: o, report: newReport(o.Source, o.DryRun), names: map[string]string{}, places: map[string]place{}, waiting: map[string]string{}}
	var err error
	if w.site, err = settings.LoadSite(app); err != nil {
		return w.report, err
	}
	if !o.DryRun {
		return w.report, w.run(ctx, app, stream)
	}
	err = app.RunInTransaction(func(tx core.App) error {
		if err := w.run(ctx, tx, stream); err != nil {
			return err
		}
		return errDryRun
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	return w.report, err
}

// writer is one import.
type writer struct {
	app      core.App // of the batch's transaction
	site     settings.Site
	options  Options
	report   *Report
	names    map[string]string // ids of tags and authors by source key
	places   map[string]place  // of posts and pages by source key
	waiting  map[string]string // pages whose parent is not written yet: key → parent
	fresh    map[string]bool   // pages that a later pass wrote
	comments []Comment
	menus    []Item
	undo     []func() // what the report and the tables forget when an item is refused
}

// place is where a post or page is now.
type place struct {
	id, address, title string
	public             bool
	met                bool // in this run
}

// run reads the stream once, and again for pages that stood before their
// parents. Nothing of an item is kept but its place.
func (w *writer) run(ctx context.Context, app core.App, stream Stream) error {
	if err := w.pass(ctx, app, stream, w.item); err != nil {
		return err
	}
	for n := 0; len(w.waiting) > 0 && n <= maxPasses; n++ {
		before := len(w.waiting)
		last := n == maxPasses
		w.fresh = map[string]bool{}
		if err := w.pass(ctx, app, stream, func(i *Item) error { return w.late(i, last) }); err != nil {
			return err
		}
		if len(w.waiting) == before {
			n = max(n, maxPasses-1) // no parent will come: the last pass takes them as they are
		}
	}
	return app.RunInTransaction(func(tx core.App) error {
		w.app = tx
		for i := range w.menus {
			if err := w.safely(&w.menus[i], w.menu); err != nil {
				return err
			}
		}
		return nil
	})
}

// late writes what waited: pages whose parent is there now, and what belongs
// to pages written in this pass.
func (w *writer) late(i *Item, last bool) error {
	switch {
	case i.Kind == KindPage:
		parent, waits := w.waiting[i.Key]
		if !waits {
			return nil
		}
		if _, there := w.places[parent]; !there {
			if !last {
				return nil
			}
			i.orphan = true
			i.note("the page above it is not in the export; it stands at the top now")
		}
		delete(w.waiting, i.Key)
		w.fresh[i.Key] = true
		return w.write(i)
	case i.Kind == KindComment && i.Comment != nil && w.fresh[i.Comment.Thread]:
		return w.write(i)
	}
	return nil
}

// pass hands every item to visit, in batches that commit together.
func (w *writer) pass(ctx context.Context, app core.App, stream Stream, visit func(*Item) error) error {
	next, stop := iter.Pull2(stream)
	defer stop()
	held, more := w.pull(next)
	for more {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("import: %w", err)
		}
		err := app.RunInTransaction(func(tx core.App) error {
			w.app, w.undo = tx, nil
			// The comments of one post stay in one batch, so that answers find
			// their parents.
			for n := 0; more && (n < batchSize || held.Kind == KindComment && n < 10*batchSize); n++ {
				if err := visit(&held); err != nil {
					return err
				}
				held, more = w.pull(next)
			}
			return w.flushComments()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// pull returns the next item; a fault of the source ends the stream.
func (w *writer) pull(next func() (Item, error, bool)) (Item, bool) {
	i, err, ok := next()
	if err != nil {
		w.report.Fault = err.Error()
		return Item{}, false
	}
	return i, ok
}

// item writes one item of the first pass.
func (w *writer) item(i *Item) error {
	if w.options.Progress != nil {
		w.options.Progress()
	}
	switch {
	case i.Skip != "":
		w.report.skip(i, i.Skip)
		return nil
	case i.Kind == KindMenu:
		w.menus = append(w.menus, *i)
		return nil
	case (i.Kind == KindPost || i.Kind == KindPage) && w.taken(i.Key):
		w.report.skip(i, "something with its number came before it in the same source")
		return nil
	case i.Kind == KindPage && i.Parent != "":
		there, err := w.parentThere(i.Parent)
		if err != nil {
			return err
		}
		if !there {
			w.waiting[i.Key] = i.Parent
			return nil
		}
	case i.Kind == KindComment && i.Comment != nil:
		if _, waits := w.waiting[i.Comment.Thread]; waits {
			return nil
		}
	}
	return w.write(i)
}

// taken reports whether this run met the key of a post or page before.
func (w *writer) taken(key string) bool {
	_, waits := w.waiting[key]
	return w.places[key].met || waits
}

// parentThere reports whether a page is here already, from this run or an
// earlier one (a large site is exported in several files).
func (w *writer) parentThere(key string) (bool, error) {
	if _, there := w.places[key]; there {
		return true, nil
	}
	r, err := w.find(schema.Pages, key)
	if err != nil || r == nil {
		return false, err
	}
	p := w.place(r)
	p.met = false
	w.places[key] = p
	return true, nil
}

// write saves one item by its kind.
func (w *writer) write(i *Item) error {
	switch i.Kind {
	case KindPost, KindPage:
		return w.safely(i, w.writing)
	case KindTag, KindAuthor:
		return w.safely(i, w.named)
	case KindMedia:
		return w.safely(i, w.media)
	case KindComment:
		return w.comment(i)
	}
	w.report.skip(i, "it has no counterpart here")
	return nil
}

// safely saves one item. One that is refused leaves nothing behind.
func (w *writer) safely(i *Item, save func(*Item) error) error {
	refused, err := w.guarded("import_item", func() error { return save(i) })
	if err != nil {
		return fmt.Errorf("import %s: %w", i.label(), err)
	}
	if refused != nil {
		w.report.skip(i, "it was refused: "+reason(refused))
		return nil
	}
	if i.renamed != "" {
		w.report.Renamed = append(w.report.Renamed, Line{i.Kind, i.label(), i.renamed})
	}
	for _, n := range i.Notes {
		w.report.Notes = append(w.report.Notes, Line{i.Kind, i.label(), n})
	}
	return nil
}

// guarded runs save behind a savepoint: PocketBase's nested transactions are
// none. What save was refused is told apart from a database that fails.
func (w *writer) guarded(name string, save func() error) (refused, err error) {
	if err := w.exec("SAVEPOINT " + name); err != nil {
		return nil, err
	}
	undo := len(w.undo)
	err = save()
	var invalid validation.Errors
	if errors.As(err, &invalid) {
		for _, back := range w.undo[undo:] {
			back()
		}
		w.undo = w.undo[:undo]
		if err := w.exec("ROLLBACK TO " + name); err != nil {
			return nil, err
		}
		refused, err = invalid, nil
	}
	if err != nil {
		return nil, err
	}
	return refused, w.exec("RELEASE " + name)
}

// reason is what a refusal says, without its double full stop.
func reason(refused error) string {
	return strings.TrimRight(refused.Error(), ".")
}

// count adds one to a number of the report until the item is refused.
func (w *writer) count(n *int) {
	*n++
	w.undo = append(w.undo, func() { *n-- })
}

// know remembers the id of a tag or an author until the item is refused.
func (w *writer) know(key, id string) {
	w.names[key] = id
	w.undo = append(w.undo, func() { delete(w.names, key) })
}

func (w *writer) exec(sql string) error {
	if _, err := w.app.DB().NewQuery(sql).Execute(); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	return nil
}

// comment takes a comment into the batch. One on something that a visitor
// can't see waits for a moderator, because approved comments can be listed.
func (w *writer) comment(i *Item) error {
	if w.options.Comments == nil {
		w.report.skip(i, "the feature comments is switched off")
		return nil
	}
	c := *i.Comment
	p, there := w.places[c.Thread]
	if !there {
		w.report.skip(i, "what it was written on is not in the export")
		return nil
	}
	c.Thread = p.address
	if !p.public && c.Status == schema.CommentApproved {
		c.Status = schema.CommentPending
	}
	w.comments = append(w.comments, c)
	return nil
}

func (w *writer) flushComments() error {
	if len(w.comments) == 0 {
		return nil
	}
	created, known, err := w.options.Comments.ImportComments(w.app, w.comments)
	if err != nil {
		return err
	}
	w.report.of(KindComment).Created += created
	w.report.of(KindComment).Unchanged += known
	w.comments = w.comments[:0]
	return nil
}

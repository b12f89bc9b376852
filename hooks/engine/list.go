package engine

import (
	"errors"
	"net/http"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"
	"github.com/pocketbase/pocketbase/tools/search"
)

// bindJSON writes the answers of PocketBase's list and view in its own way,
// as the last hook before PocketBase would do it.
func bindJSON(app core.App) *answers {
	w := &answers{encoder: newEncoder()}
	app.OnRecordsListRequest().Bind(&hook.Handler[*core.RecordsListRequestEvent]{
		Id: "bungalowListJSON", Priority: last, Func: w.list,
	})
	app.OnRecordViewRequest().Bind(&hook.Handler[*core.RecordRequestEvent]{
		Id: "bungalowViewJSON", Priority: last, Func: w.view,
	})
	app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{
		Priority: last,
		Func: func(e *core.ServeEvent) error {
			bare, err := plain()
			if err != nil {
				return err
			}
			w.alone = func(app core.App) bool { return listHooks(app) == bare.listHooks+jsonHooks }
			return e.Next()
		},
	})
	return w
}

// Direct reports whether lists and views are written without asking each
// record, because no hook of anybody's sees them.
func (e *Engine) Direct(app core.App) bool {
	return e.answers != nil && e.answers.alone != nil && e.answers.alone(app)
}

// jsonHooks is how many bindJSON binds.
const jsonHooks = 2

// listHooks counts the handlers that may change a list, a view or their
// records.
func listHooks(app core.App) int {
	return app.OnRecordsListRequest().Length() + app.OnRecordViewRequest().Length() + app.OnRecordEnrich().Length()
}

type answers struct {
	encoder *encoder
	// alone reports whether nobody else's hooks see the records.
	alone func(core.App) bool
}

// left reports what is left to PocketBase: a choice of fields, whose order of
// names is random there; an answer within a transaction, which waits for the
// commit; and accounts, where each record has its own visible fields.
func left(e *core.RequestEvent, c *core.Collection) bool {
	return c == nil || c.IsAuth() || e.App.IsTransactional() || e.Request.URL.Query().Get("fields") != ""
}

func (w *answers) list(e *core.RecordsListRequestEvent) error {
	records, ok := e.Result.Items.(*[]*core.Record)
	// PocketBase slows down who finds nothing again and again.
	if !ok || records == nil || len(e.Records) == 0 || left(e.RequestEvent, e.Collection) {
		return e.Next()
	}
	shape, err := w.enrich(e.RequestEvent, e.Collection, e.Records)
	if err != nil {
		return apiError(err, e.InternalServerError("Failed to enrich records", err))
	}
	body := w.encoder.get()
	defer w.encoder.put(body)
	body.list(e.Result, *records, shape)
	return body.answer(e.RequestEvent, e.Result)
}

func (w *answers) view(e *core.RecordRequestEvent) error {
	if e.Record == nil || left(e.RequestEvent, e.Collection) {
		return e.Next()
	}
	shape, err := w.enrich(e.RequestEvent, e.Collection, []*core.Record{e.Record})
	if err != nil {
		return apiError(err, e.InternalServerError("Failed to enrich record", err))
	}
	body := w.encoder.get()
	defer w.encoder.put(body)
	body.record(e.Record, shape)
	return body.answer(e.RequestEvent, e.Record)
}

// enrich gives the shape of the records where it follows from the collection
// alone, nil where each record has to be asked: then it was enriched.
func (w *answers) enrich(e *core.RequestEvent, c *core.Collection, records []*core.Record) (*shape, error) {
	if w.alone != nil && w.alone(e.App) && e.Request.URL.Query().Get("expand") == "" {
		if s := w.encoder.shape(c, e.HasSuperuserAuth()); s != nil {
			return s, nil
		}
	}
	return nil, apis.EnrichRecords(e, records)
}

// apiError is the first of errs that says how to answer, as in PocketBase.
func apiError(errs ...error) error {
	for _, err := range errs {
		if api := (*router.ApiError)(nil); errors.As(err, &api) {
			return api
		}
	}
	return router.NewInternalServerError("", errors.Join(errs...))
}

// answer writes the body; where something in it can't be written, PocketBase
// says so in its own words.
func (b *body) answer(e *core.RequestEvent, value any) error {
	if b.err != nil {
		return e.JSON(http.StatusOK, value)
	}
	if header := e.Response.Header(); header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/json")
	}
	e.Response.WriteHeader(http.StatusOK)
	_, err := e.Response.Write(b.text)
	return err
}

// list writes a page of records.
func (b *body) list(page *search.Result, records []*core.Record, s *shape) {
	b.raw(`{"items":[`)
	for i, record := range records {
		if i > 0 {
			b.raw(`,`)
		}
		b.record(record, s)
	}
	b.raw(`],"page":`)
	b.integer(page.Page)
	b.raw(`,"perPage":`)
	b.integer(page.PerPage)
	b.raw(`,"totalItems":`)
	b.integer(page.TotalItems)
	b.raw(`,"totalPages":`)
	b.integer(page.TotalPages)
	b.raw(`}`)
}

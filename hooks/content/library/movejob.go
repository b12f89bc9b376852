package library

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"bungalow/hooks/content/imports"
	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/queue"
	"github.com/pocketbase/dbx"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
)

// works are the imports that this process has under way.
type works struct {
	mu   sync.Mutex
	done map[string]int
	end  map[string]context.CancelFunc
}

func underWay(app core.App) *works {
	return app.Store().GetOrSet("bungalow.library.imports", func() any {
		return &works{done: map[string]int{}, end: map[string]context.CancelFunc{}}
	}).(*works)
}

func (w *works) begin(id string, end context.CancelFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done[id], w.end[id] = 0, end
}

func (w *works) finish(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.done, id)
	delete(w.end, id)
}

func (w *works) step(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done[id]++
}

func (w *works) items(id string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.done[id]
}

func (w *works) stop(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if end := w.end[id]; end != nil {
		end()
	}
}

// registerImports makes the job known, so that an import goes on after a
// restart. Running it again doubles nothing.
func registerImports(app core.App, comments imports.CommentImporter) {
	queue.Register(app, queue.Kind{
		Name: moveKind, Timeout: 2 * time.Hour, Attempts: 5, Concurrency: 1,
		Backoff: queue.Exponential(2*time.Second, time.Minute),
		Do: func(ctx context.Context, app core.App, payload []byte) error {
			var id string
			if err := json.Unmarshal(payload, &id); err != nil {
				return queue.NoRetry(fmt.Errorf("read an import: %w", err))
			}
			return move(ctx, app, id, comments)
		},
		Dead: func(tx core.App, payload []byte, cause error) error {
			var id string
			if err := json.Unmarshal(payload, &id); err != nil {
				return err
			}
			_, err := tx.DB().Update("_library_imports", dbx.Params{"state": ImportFailed, "fault": cause.Error()}, dbx.HashExp{"id": id}).Execute()
			return err
		},
	})
}

// move tries an import or runs it. It may be called again at any point.
func move(ctx context.Context, app core.App, id string, comments imports.CommentImporter) error {
	m, err := FindImport(app, id)
	if errors.Is(err, ErrMissing) || err == nil && !m.Busy() {
		return nil // forgotten or stopped meanwhile
	}
	if err != nil {
		return err
	}
	source := filepath.Join(folderOf(app, id), "site")
	if _, err := os.Stat(source); err != nil {
		source = filepath.Join(folderOf(app, id), "upload"+strings.ToLower(path.Ext(m.Name)))
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	w := underWay(app)
	w.begin(id, end)
	defer w.finish(id)
	report, err := imports.Import(ctx, app, importKinds[m.Kind](source), imports.Options{
		Source: m.Kind + " " + m.Name, DryRun: m.State == ImportTrying, Media: m.Media || m.State == ImportTrying, Comments: comments,
		Progress: func() { w.step(id) },
	})
	if err != nil {
		if now, again := FindImport(app, id); again == nil && now.State == ImportStopped {
			return nil
		}
		return fmt.Errorf("run an import: %w", err)
	}
	return settle(app, m, report)
}

// settle writes the report down.
func settle(app core.App, m *Move, report *imports.Report) error {
	raw, err := json.Marshal(shorten(report))
	if err != nil {
		return fmt.Errorf("write the report of an import: %w", err)
	}
	next := ImportDone
	if m.State == ImportTrying {
		next = ImportTried
	}
	err = app.RunInTransaction(func(tx core.App) error {
		res, err := tx.DB().Update("_library_imports", dbx.Params{"state": next, "report": string(raw), "fault": report.Fault}, dbx.HashExp{"id": m.ID, "state": m.State}).Execute()
		if err != nil || next == ImportTried {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		var actor audit.Actor
		if err := json.Unmarshal([]byte(m.Actor), &actor); err != nil {
			return err
		}
		return audit.Write(tx, actor, "import.done", "", m.ID, map[string]any{"kind": m.Kind, "name": m.Name, "counts": report.Counts})
	})
	return wrap("write the report of an import", err)
}

// maxReported is how many lines of each sort a report on the desk keeps.
const maxReported = 5000

// shorten bounds a report; it says so where lines are left out.
func shorten(r *imports.Report) *imports.Report {
	for _, list := range []*[]imports.Line{&r.Skipped, &r.Renamed, &r.Kept, &r.Notes} {
		if n := len(*list); n > maxReported {
			*list = append((*list)[:maxReported:maxReported], imports.Line{Name: "…", Why: fmt.Sprintf("%d more are not listed here", n-maxReported)})
		}
	}
	r.Addresses = r.Addresses[:min(len(r.Addresses), maxReported)]
	return r
}

// isRefusal reports whether people can mend what is wrong.
func isRefusal(err error) (validation.Errors, bool) {
	var invalid validation.Errors
	ok := errors.As(err, &invalid)
	return invalid, ok
}

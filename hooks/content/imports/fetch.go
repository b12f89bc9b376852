package imports

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"bungalow/hooks/content/media"
	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/safehttp"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

// fetchKind is the queue's name for bringing one file here.
const fetchKind = "import.media"

type fetchJob struct {
	Media string `json:"media"`
}

// Register makes the job known that brings files here, so that what one
// import asked for goes on when the site runs.
func Register(app core.App) {
	queue.Register(app, queue.Kind{
		Name: fetchKind, Do: fetch, Timeout: 2 * time.Minute, Attempts: 6, Concurrency: 2,
		Backoff: queue.Exponential(15*time.Second, time.Hour),
	})
}

// client calls the outside world for one app; tests put their own there.
func client(app core.App) *http.Client {
	return app.Store().GetOrSet("bungalow.imports.client", func() any {
		return safehttp.Client(safehttp.Options{Timeout: time.Minute, MaxBytes: media.MaxBytes})
	}).(*http.Client)
}

// fetch brings the file of one media record here and then gives the texts that
// show it the new address. It may run again at any point.
func fetch(ctx context.Context, app core.App, payload []byte) error {
	var job fetchJob
	if err := json.Unmarshal(payload, &job); err != nil {
		return queue.NoRetry(err)
	}
	r, err := app.FindRecordById(schema.Media, job.Media)
	if err != nil {
		return queue.NoRetry(fmt.Errorf("the media record is gone: %w", err))
	}
	source := r.GetString("source_url")
	if r.GetString("file") == "" {
		data, err := get(ctx, app, source)
		if err != nil {
			return err
		}
		if err := keep(app, job.Media, fileName(source), data); err != nil {
			return err
		}
	}
	return showHere(app, source)
}

// keep gives the record its file. It reads the record anew: fetching took its
// time, and somebody may have described the picture meanwhile.
func keep(app core.App, id, name string, data []byte) error {
	f, err := filesystem.NewFileFromBytes(data, name)
	if err != nil {
		return queue.NoRetry(err)
	}
	err = app.RunInTransaction(func(tx core.App) error {
		r, err := tx.FindRecordById(schema.Media, id)
		if err != nil || r.GetString("file") != "" {
			return err
		}
		r.Set("file", f)
		return tx.Save(r)
	})
	var refused validation.Errors
	switch {
	case errors.As(err, &refused):
		return queue.NoRetry(err)
	case err != nil:
		return fmt.Errorf("store the file: %w", err)
	}
	return nil
}

func get(ctx context.Context, app core.App, source string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, source, nil)
	if err != nil {
		return nil, queue.NoRetry(err)
	}
	res, err := client(app).Do(req)
	if errors.Is(err, safehttp.ErrRefused) {
		return nil, queue.NoRetry(err)
	}
	if err != nil {
		return nil, fmt.Errorf("fetch the file: %w", err)
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusRequestTimeout:
		return nil, fmt.Errorf("fetch the file: the server answers %s", res.Status)
	case res.StatusCode != http.StatusOK:
		return nil, queue.NoRetry(fmt.Errorf("fetch the file: the server answers %s", res.Status))
	}
	data, err := io.ReadAll(res.Body)
	if errors.Is(err, safehttp.ErrTooLarge) {
		return nil, queue.NoRetry(err)
	}
	if err != nil {
		return nil, fmt.Errorf("fetch the file: %w", err)
	}
	return data, nil
}

func fileName(source string) string {
	u, err := url.Parse(source)
	if err != nil || path.Base(u.Path) == "/" || path.Base(u.Path) == "." {
		return "file"
	}
	return path.Base(u.Path)
}

// showHere rewrites the texts that show a file at its old address. A text that
// nobody edited since its import counts as unedited afterwards too.
func showHere(app core.App, source string) error {
	_, stem, _ := strings.Cut(source, "://")
	stem, _, _ = strings.Cut(stem, "?")
	stem = strings.TrimSuffix(stem, path.Ext(stem))
	return app.RunInTransaction(func(tx core.App) error {
		for _, collection := range []string{schema.Posts, schema.Pages} {
			texts, err := tx.FindAllRecords(collection, dbx.NewExp("instr(body, {:stem}) > 0", dbx.Params{"stem": stem}))
			if err != nil {
				return fmt.Errorf("find texts that show the file: %w", err)
			}
			for _, r := range texts {
				body, err := rewriteRemote(tx, r.GetString("body"))
				if err != nil {
					return err
				}
				if body == r.GetString("body") {
					continue
				}
				fingerprint, here, _ := strings.Cut(r.GetString("imported_hash"), ":")
				unedited := here == recordHash(r)
				r.Set("body", body)
				if err := tx.Save(r); err != nil {
					return fmt.Errorf("show the file at its new address: %w", err)
				}
				if unedited && fingerprint != "" {
					if err := setHash(tx, r, fingerprint); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
}

// mediaSource is the address that a job is to fetch.
func mediaSource(app core.App, payload []byte) string {
	var job fetchJob
	if json.Unmarshal(payload, &job) == nil {
		if r, err := app.FindRecordById(schema.Media, job.Media); err == nil {
			return r.GetString("source_url")
		}
	}
	return string(payload)
}

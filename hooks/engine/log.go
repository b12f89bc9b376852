package engine

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/logger"
	"github.com/pocketbase/pocketbase/tools/types"
	"github.com/spf13/cast"
)

// Keys under which PocketBase's middlewares talk about the log. They have no
// exported name; a test holds that they are still these.
const (
	keyStarted     = "__execStart"
	keySkipSuccess = "__skipSuccessActivityLogger"
)

// activityLog stands in for PocketBase's activity logger.
type activityLog struct {
	rows     *logRows
	original func(*core.RequestEvent) error
	bound    *hook.Handler[*core.RequestEvent] // ours, nil where PocketBase's stays
	// format turns attributes into a row as PocketBase's own logger does.
	format *slog.Logger
}

// bindActivityLog replaces the middleware when the app serves. PocketBase
// keeps its own where it prints each row (dev mode), where somebody's hooks
// want to see each row saved, and where somebody took the middleware away.
func bindActivityLog(app core.App) *activityLog {
	l := &activityLog{rows: newLogRows(app)}
	l.format = slog.New(logger.NewBatchHandler(logger.BatchOptions{
		Level:     slog.Level(-1 << 20), // whether to log is asked before
		BatchSize: 1,
		WriteFunc: func(_ context.Context, logs []*logger.Log) error {
			for _, row := range logs {
				l.rows.addModel(row)
			}
			return nil
		},
	}))
	app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{
		Priority: last, // after those who bind or unbind middlewares
		Func: func(e *core.ServeEvent) error {
			bare, err := plain()
			if err != nil {
				return err
			}
			for _, m := range e.Router.Middlewares {
				if m.Id == apis.DefaultActivityLoggerMiddlewareId {
					l.original = m.Func
				}
			}
			if l.original != nil && !e.App.IsDev() && logHooks(e.App) == bare.logHooks {
				l.bound = &hook.Handler[*core.RequestEvent]{
					Id:       apis.DefaultActivityLoggerMiddlewareId,
					Priority: apis.DefaultActivityLoggerMiddlewarePriority,
					Func:     l.handle,
				}
				e.Router.Bind(l.bound)
			}
			return e.Next()
		},
	})
	l.rows.bind(app)
	return l
}

// last lets a handler come after everybody else's.
const last = 1 << 30

func (l *activityLog) handle(e *core.RequestEvent) error {
	if _, ok := e.App.Logger().Handler().(*logger.BatchHandler); !ok {
		return l.original(e) // somebody's own logger
	}
	e.Set(keyStarted, time.Now())
	err := e.Next()
	l.note(e, err)
	return err
}

// note queues a row about a finished request.
func (l *activityLog) note(e *core.RequestEvent, err error) {
	if err == nil && e.Get(keySkipSuccess) != nil || !wanted(e.App, err) {
		return
	}
	r := requestRow{
		status: e.Status(),
		method: cut(strings.ToUpper(e.Request.Method), 50),
		uri:    cut(e.Request.URL.RequestURI(), 3000),
	}
	if started := cast.ToTime(e.Get(keyStarted)); !started.IsZero() {
		r.took(started)
	}
	l.queue(e, &r, e.Get(apis.RequestEventKeyLogMeta), err)
}

// answered queues a row about a request that was answered before the router.
func (l *activityLog) answered(e *core.RequestEvent, w *wish, started time.Time, err error) {
	if !wanted(e.App, err) {
		return
	}
	r := requestRow{status: http.StatusOK, method: http.MethodGet, uri: w.uri, text: w.message}
	r.took(started)
	l.queue(e, &r, nil, err)
}

// wanted reports whether the settings ask for a row.
func wanted(app core.App, err error) bool {
	settings := app.Settings().Logs
	return settings.MaxDays != 0 && level(err) >= slog.Level(settings.MinLevel)
}

func level(err error) slog.Level {
	if err != nil {
		return slog.LevelError
	}
	return slog.LevelInfo
}

// queue adds what every row says about a request.
func (l *activityLog) queue(e *core.RequestEvent, r *requestRow, meta any, err error) {
	settings := e.App.Settings().Logs
	r.referer, r.userAgent = cut(e.Request.Referer(), 2000), cut(e.Request.UserAgent(), 2000)
	if e.Auth != nil {
		r.auth = e.Auth.Collection().Name
		if settings.LogAuthId {
			r.withAuthID, r.authID = true, e.Auth.Id
		}
	}
	if settings.LogIP {
		r.withIP, r.userIP, r.remoteIP = true, e.RealIP(), e.RemoteIP()
	}
	if err != nil || meta != nil {
		l.format.LogAttrs(context.Background(), level(err), r.message(), r.attrs(meta, err)...)
		return
	}
	l.rows.addRequest(r, settings.MaxDataSize)
}

// requestRow is what the log says about a request.
type requestRow struct {
	status                          int
	method, uri, referer, userAgent string
	timed                           bool
	execTime                        float64 // milliseconds
	auth                            string
	withAuthID                      bool
	authID                          string
	withIP                          bool
	userIP, remoteIP                string
	text                            string // the message, where it is known already
}

func (r *requestRow) took(started time.Time) {
	r.timed, r.execTime = true, float64(time.Since(started))/float64(time.Millisecond)
}

func (r *requestRow) message() string {
	if r.text != "" {
		return r.text
	}
	if plain, err := url.PathUnescape(r.uri); err == nil {
		return r.method + " " + plain
	}
	return r.method + " " + r.uri
}

func cut(s string, most int) string {
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}

// model makes the row as core.Log, whose DBExport knows the limits.
func model(row *logger.Log) *core.Log {
	m := &core.Log{Data: row.Data, Message: row.Message, Level: int(row.Level)}
	m.Created, _ = types.ParseDateTime(row.Time)
	return m
}

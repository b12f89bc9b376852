package engine

import (
	"context"
	"database/sql"
	"encoding/json/v2"
	"fmt"
	"log"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/logger"
	"github.com/pocketbase/pocketbase/tools/types"
)

const (
	// logEvery is how long a row waits for company.
	logEvery = time.Second
	// logBatch rows are written without waiting any longer.
	logBatch = 1000
	// logBytes is how much may wait. What comes beyond it is dropped and
	// counted: a disk that can't follow must not eat the memory.
	logBytes = 8 << 20
	// rowOverhead is what a waiting row costs besides its text.
	rowOverhead = 128
	// PocketBase's own limits, for rows and their messages.
	defaultDataSize = 16 << 10
	maxMessage      = 8000
)

// storedRow is a row as it lies in the table.
type storedRow struct {
	id, created, data, message string
	level                      int
}

// logRows is the queue between the requests and the table.
type logRows struct {
	app core.App
	ids *rowIDs

	mu    sync.Mutex
	rows  []storedRow
	spare []storedRow // the last batch's room
	bytes int
	timer *time.Timer // set while rows wait

	writing sync.Mutex // one batch at a time, in order
	written atomic.Int64
	dropped atomic.Int64
	told    int64 // dropped rows that the log knows of; guarded by writing
}

func newLogRows(app core.App) *logRows { return &logRows{app: app, ids: newRowIDs()} }

// bind writes what waits before the app lets go of its databases.
func (l *logRows) bind(app core.App) {
	app.OnTerminate().Bind(&hook.Handler[*core.TerminateEvent]{
		Func: func(e *core.TerminateEvent) error {
			l.flush()
			return e.Next()
		},
	})
	app.OnBootstrapClear().Bind(&hook.Handler[*core.BootstrapEvent]{
		Priority: -last, // before the pools close
		Func: func(e *core.BootstrapEvent) error {
			l.flush()
			return e.Next()
		},
	})
}

// addRequest queues a plain success.
func (l *logRows) addRequest(r *requestRow, maxSize int64) {
	if maxSize == 0 {
		maxSize = defaultDataSize
	}
	now := time.Now()
	data := r.json(make([]byte, 0, 256+len(r.uri)+len(r.userAgent)+len(r.referer)))
	if int64(len(data)) > maxSize {
		row := &logger.Log{Time: now, Message: r.message(), Data: types.JSONMap[any]{}}
		if err := json.Unmarshal(data, &row.Data); err != nil {
			l.dropped.Add(1)
			return
		}
		l.addModel(row)
		return
	}
	message := r.message()
	n := len(data)
	data = now.UTC().AppendFormat(data, types.DefaultDateLayout)
	created := len(data)
	text := string(l.ids.append(data, now)) // one string for all that is made here
	l.add(storedRow{
		id: text[created:], created: text[n:created], data: text[:n],
		message: message[:min(len(message), maxMessage)],
	})
}

// addModel queues a row that only PocketBase's own model knows how to store.
func (l *logRows) addModel(row *logger.Log) {
	m := model(row)
	fields, err := m.DBExport(l.app)
	if err != nil {
		log.Println("Failed to write log", m, err) // as PocketBase does
		return
	}
	r := storedRow{id: string(l.ids.append(nil, row.Time)), created: m.Created.String(), level: m.Level}
	r.message, _ = fields["message"].(string)
	switch data := fields["data"].(type) {
	case types.JSONRaw:
		r.data = data.String()
	case types.JSONMap[any]:
		r.data = data.String()
	}
	l.add(r)
}

func (l *logRows) add(r storedRow) {
	size := len(r.data) + len(r.message) + rowOverhead
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bytes+size > logBytes {
		l.dropped.Add(1)
		return
	}
	l.rows, l.bytes = append(l.rows, r), l.bytes+size
	switch {
	case l.timer == nil:
		l.timer = time.AfterFunc(logEvery, l.flush)
	case len(l.rows) == logBatch:
		l.timer.Reset(0)
	}
}

// flush writes what waits. It is safe to call at any time.
func (l *logRows) flush() {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	rows := l.rows
	l.rows, l.spare, l.bytes = l.spare, nil, 0
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	l.mu.Unlock()
	if len(rows) == 0 || !l.app.IsBootstrapped() || l.app.Settings().Logs.MaxDays == 0 {
		return
	}
	for batch := range slices.Chunk(rows, logBatch) {
		if err := l.write(batch); err != nil {
			l.dropped.Add(int64(len(batch)))
			log.Println("Failed to write log", err)
		} else {
			l.written.Add(int64(len(batch)))
		}
	}
	l.reuse(rows)
	if dropped := l.dropped.Load(); dropped > l.told {
		l.app.Logger().Warn("Requests are missing from the log", "dropped", dropped-l.told)
		l.told = dropped
	}
}

// reuse keeps the room of a usual batch for the next but one.
func (l *logRows) reuse(rows []storedRow) {
	if cap(rows) > 4*logBatch {
		return
	}
	clear(rows)
	l.mu.Lock()
	l.spare = rows[:0]
	l.mu.Unlock()
}

// perInsert rows share a statement.
const perInsert = 50

// write stores rows in one transaction, all or none.
func (l *logRows) write(rows []storedRow) error {
	db, ok := l.app.AuxNonconcurrentDB().(*dbx.DB)
	if !ok {
		return fmt.Errorf("no pool to write the log to: %T", l.app.AuxNonconcurrentDB())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	tx, err := db.DB().BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin to write the log: %w", err)
	}
	defer tx.Rollback() // nothing after a commit
	for len(rows) > 0 {
		n := min(len(rows), perInsert)
		if err := insert(ctx, tx, rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit the log: %w", err)
	}
	return nil
}

func insert(ctx context.Context, tx *sql.Tx, rows []storedRow) error {
	query := "INSERT INTO `_logs` (`created`, `data`, `id`, `level`, `message`) VALUES (?, ?, ?, ?, ?)" +
		strings.Repeat(", (?, ?, ?, ?, ?)", len(rows)-1)
	values := make([]any, 0, 5*len(rows))
	for i := range rows {
		r := &rows[i]
		values = append(values, r.created, r.data, r.id, r.level, r.message)
	}
	if _, err := tx.ExecContext(ctx, query, values...); err != nil {
		return fmt.Errorf("write the log: %w", err)
	}
	return nil
}

// LogStats counts the rows that were written to the request log and those
// that were dropped because the disk could not follow.
func (e *Engine) LogStats() (written, dropped int64) {
	if e.log == nil {
		return 0, 0
	}
	return e.log.rows.written.Load(), e.log.rows.dropped.Load()
}

package engine

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json/v2"
	"errors"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/logger"
)

// eventually waits until ok, and fails the test when that takes too long.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// logRow is a row of the log with the storage class of each value.
type logRow struct {
	Message, Data, Level, ID, Created string
}

var elapsed = regexp.MustCompile(`"execTime":[-+.0-9e]+`)

// logged writes what both loggers hold and returns all n rows but those of the
// start, without what differs from run to run.
func logged(t testing.TB, s *site, n int) []logRow {
	t.Helper()
	var rows []logRow
	eventually(t, fmt.Sprintf("%d rows in the log", n), func() bool {
		ctx := context.WithValue(context.Background(), logger.BlockKey, true)
		if err := s.Logger().Handler().(*logger.BatchHandler).WriteAll(ctx); err != nil {
			t.Fatal(err)
		}
		if l := Of(s.App).log; l != nil {
			l.rows.flush()
		}
		rows = nil
		err := s.AuxDB().NewQuery("SELECT typeof(message)||' '||message AS message, typeof(data)||' '||data AS data," +
			" typeof(level)||' '||level AS level, typeof(id)||' '||length(id) AS id, typeof(created)||' '||length(created) AS created" +
			" FROM _logs WHERE data LIKE '%\"type\":\"request\"%' OR data LIKE '%truncated%' ORDER BY message, data").All(&rows)
		if err != nil {
			t.Fatal(err)
		}
		return len(rows) >= n
	})
	for i := range rows {
		rows[i].Data = elapsed.ReplaceAllString(rows[i].Data, `"execTime":0`)
	}
	slices.SortFunc(rows, func(a, b logRow) int { return cmp.Or(cmp.Compare(a.Message, b.Message), cmp.Compare(a.Data, b.Data)) })
	return rows
}

// strange are routes that end in every way in which a handler may end.
func strange(_ core.App, e *core.ServeEvent) {
	e.Router.GET("/t/meta", func(e *core.RequestEvent) error {
		e.Set(apis.RequestEventKeyLogMeta, map[string]any{"b": []int{1, 2}, "a": errors.New("inner"), "c": "\xff"})
		return e.String(http.StatusAccepted, "x")
	})
	e.Router.GET("/t/quiet", func(e *core.RequestEvent) error { return e.String(200, "x") }).Bind(apis.SkipSuccessActivityLog())
	e.Router.GET("/t/quiet-error", func(*core.RequestEvent) error { return errors.New("loud") }).Bind(apis.SkipSuccessActivityLog())
	e.Router.GET("/t/plain-error", func(*core.RequestEvent) error { return errors.New("out of <order> \xc3\x28") })
	e.Router.GET("/t/no-rows", func(*core.RequestEvent) error { return sql.ErrNoRows })
	e.Router.GET("/t/wrapped", func(e *core.RequestEvent) error {
		return fmt.Errorf("wrapped: %w", e.BadRequestError("No.", errors.New("because")))
	})
	e.Router.GET("/t/invalid", func(e *core.RequestEvent) error {
		return e.BadRequestError("No.", validation.Errors{"title": validation.NewError("code", "message")})
	})
	e.Router.GET("/t/after-write", func(e *core.RequestEvent) error {
		_ = e.String(http.StatusTeapot, "x")
		return e.ForbiddenError("Late.", nil)
	})
	e.Router.GET("/t/panic", func(*core.RequestEvent) error { panic("at the disco") })
	e.Router.GET("/t/big", func(e *core.RequestEvent) error {
		e.Set(apis.RequestEventKeyLogMeta, strings.Repeat("é", 20_000))
		return e.String(200, "x")
	})
}

func TestTheLogHoldsWhatPocketBasesDoes(t *testing.T) {
	t.Parallel()
	theirs, ours := serve(t, "", Options{}, strange), serve(t, "", Options{ActivityLog: true}, strange)
	_, theirToken := theirs.user(t, "ada@example.com")
	_, ourToken := ours.user(t, "ada@example.com")
	steps := []struct {
		name string
		rows int // in the log after the step
		set  func(*core.Settings)
	}{
		{"default", 13, func(s *core.Settings) { s.Logs.MaxDays = 5 }},
		{"auth id, no IP", 26, func(s *core.Settings) { s.Logs.LogAuthId = true; s.Logs.LogIP = false }},
		{"small rows", 39, func(s *core.Settings) { s.Logs.MaxDataSize = 150; s.Logs.LogIP = true }},
		{"errors only", 32, func(s *core.Settings) { s.Logs.MinLevel = 8; s.Logs.MaxDataSize = 0 }},
		{"off", 0, func(s *core.Settings) { s.Logs.MaxDays = 0 }},
		{"on again", 13, func(s *core.Settings) { s.Logs.MaxDays = 5; s.Logs.MinLevel = 0 }},
	}
	for _, step := range steps {
		for s, token := range map[*site]string{theirs: theirToken, ours: ourToken} {
			step.set(s.Settings())
			if err := s.Save(s.Settings()); err != nil {
				t.Fatal(err)
			}
			for _, path := range []string{"/api/health", "/t/meta", "/t/quiet", "/t/quiet-error", "/t/plain-error", "/t/no-rows", "/t/wrapped",
				"/t/invalid", "/t/after-write", "/t/big", "/api/collections/users/records?filter=%22%E2%80%A8%3C%26", "/nowhere",
				"/api/health?x=%ff%fe&y=%zz", "/api/health?long=" + strings.Repeat("a%20", 2000)} {
				s.do(http.MethodGet, path, "", "Authorization", token, "User-Agent", "a \"b\" <c>\u2028\xff", "Referer", strings.Repeat("r", 2100))
			}
		}
		want := logged(t, theirs, step.rows)
		got := logged(t, ours, step.rows)
		if len(want) != step.rows || len(got) != step.rows {
			t.Errorf("%s: %d rows, PocketBase has %d, expected were %d", step.name, len(got), len(want), step.rows)
			continue
		}
		for i := range want {
			if want[i] != got[i] {
				t.Errorf("%s:\nPocketBase %.200q\nengine     %.200q", step.name, want[i], got[i])
			}
		}
	}
	if written, dropped := Of(ours.App).LogStats(); written == 0 || dropped != 0 {
		t.Errorf("%d written, %d dropped", written, dropped)
	}
}

func TestNumbersAreWrittenAsPocketBaseDoes(t *testing.T) {
	t.Parallel()
	for _, f := range []float64{0, 1, 0.1, 1e-6, 9.99e-7, 1e-7, 123456.789, 1e20, 1e21, 1e22, 0.034123, 5e-324, math.MaxFloat64, 1 << 53, -0.5, math.Copysign(0, -1)} {
		want, err := json.Marshal(f)
		must(t, err)
		if got := string(number(nil, f)); got != string(want) {
			t.Errorf("%v: %s, want %s", f, got, want)
		}
	}
}

func TestTheLogCountsEveryRequest(t *testing.T) {
	t.Parallel()
	s := serve(t, "", Options{ActivityLog: true})
	const clients, each = 8, 400
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for range each {
				s.get("/api/health", "")
			}
		})
	}
	wg.Wait()
	Of(s.App).log.rows.flush()
	if rows := count(t, s); rows != clients*each {
		t.Errorf("%d rows of %d requests", rows, clients*each)
	}
}

func TestRowsAreWrittenWithinASecond(t *testing.T) {
	t.Parallel()
	s := serve(t, "", Options{ActivityLog: true})
	s.get("/api/health", "")
	eventually(t, "a row without a flush", func() bool { return count(t, s) == 1 })
}

func TestTheStopWritesWhatWaits(t *testing.T) {
	t.Parallel()
	s := serve(t, "", Options{ActivityLog: true})
	s.get("/api/health", "")
	if err := s.ClearBootstrap(); err != nil {
		t.Fatal(err)
	}
	if err := s.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	if rows := count(t, s); rows != 1 {
		t.Errorf("%d rows after the stop", rows)
	}
}

func TestWhatTheDiskCantFollowIsCounted(t *testing.T) {
	t.Parallel()
	s := serve(t, "", Options{ActivityLog: true})
	rows := Of(s.App).log.rows
	rows.writing.Lock() // the disk is busy
	r := requestRow{method: "GET", uri: "/" + strings.Repeat("x", 3000)}
	for range logBytes / 3000 {
		rows.addRequest(&r, 0)
	}
	rows.writing.Unlock()
	eventually(t, "the warning", func() bool {
		logged(t, s, 0)
		var n int
		_ = s.AuxDB().NewQuery("SELECT count(*) FROM _logs WHERE message LIKE 'Requests are missing%'").Row(&n)
		return n == 1
	})
	written, dropped := Of(s.App).LogStats()
	if dropped == 0 || written+dropped != logBytes/3000 {
		t.Errorf("%d written, %d dropped of %d", written, dropped, logBytes/3000)
	}
}

func TestHooksOnRowsOfTheLogAreCalled(t *testing.T) {
	t.Parallel()
	var seen sync.Map
	s := serve(t, "", Options{ActivityLog: true}, func(app core.App, _ *core.ServeEvent) {
		app.OnModelCreate(core.LogsTableName).BindFunc(func(e *core.ModelEvent) error {
			seen.Store(e.Model.(*core.Log).Message, true)
			return e.Next()
		})
	})
	s.get("/api/health", "")
	eventually(t, "the hook", func() bool {
		logged(t, s, 0)
		_, ok := seen.Load("GET /api/health")
		return ok
	})
}

// count is the number of requests in the log.
func count(t testing.TB, s *site) (n int) {
	t.Helper()
	err := s.AuxDB().Select("count(*)").From("_logs").Where(dbx.Like("data", `"type":"request"`)).Row(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func BenchmarkGet(b *testing.B) {
	for name, o := range map[string]Options{"vanilla": {}, "log": {ActivityLog: true}} {
		b.Run(name, func(b *testing.B) {
			s := serve(b, "", o)
			s.Settings().Logs.MaxDays = 5
			s.user(b, "ada@example.com")
			b.ReportAllocs()
			for b.Loop() {
				s.get("/api/collections/users/records?perPage=1&skipTotal=1", "")
			}
			b.StopTimer()
			logged(b, s, 0)
		})
	}
}

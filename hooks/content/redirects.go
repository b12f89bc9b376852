package content

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"bungalow/hooks/kit/address"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

const (
	// maxChain is how many redirects may follow one another.
	maxChain = 10
	// maxSegments bounds the look-up of prefix redirects.
	maxSegments = 32
	// hitsEvery is how often counted hits are written down.
	hitsEvery = 10 * time.Second
	// maxCounted bounds the addresses counted between two writes.
	maxCounted = 10_000
)

// Redirect is where an old address leads. A Status of 410 has no To.
type Redirect struct {
	ID     string
	To     string
	Status int
}

// FindRedirect looks up where a path (with its query, "" for none) leads. An
// exact redirect wins over a prefix, a longer prefix over a shorter one.
func FindRedirect(app core.App, path, query string) (Redirect, bool, error) {
	path = address.Normal((&url.URL{Path: path}).String())
	row, found, err := lookUp(app, path, query, "")
	if !found || err != nil {
		return Redirect{}, false, err
	}
	return row.target(path), true, nil
}

// lookUp finds the redirect of a path in its normal form; without is the id of
// one to pass over, or "".
func lookUp(app core.App, path, query, without string) (row redirectRow, found bool, err error) {
	exact := []any{path}
	if query != "" && len(query) <= 500 {
		exact = []any{path + "?" + query, path}
		if path == "/" { // only with its query: the home page itself never moves
			exact = exact[:1]
		}
	} else if path == "/" {
		return row, false, nil
	}
	for prefix, from := range [][]any{exact, prefixes(path)} {
		err = app.DB().Select("id", "from", "to", "status", "prefix").From(schema.Redirects).
			Where(dbx.HashExp{"prefix": prefix == 1}).AndWhere(dbx.In("from", from...)).
			AndWhere(dbx.Not(dbx.HashExp{"id": without})).OrderBy("length([[from]]) DESC").Limit(1).One(&row)
		if !errors.Is(err, sql.ErrNoRows) {
			break
		}
	}
	if errors.Is(err, sql.ErrNoRows) {
		return row, false, nil
	}
	if err != nil {
		return row, false, fmt.Errorf("look up redirect: %w", err)
	}
	return row, true, nil
}

type redirectRow struct {
	ID     string `db:"id"`
	From   string `db:"from"`
	To     string `db:"to"`
	Status string `db:"status"`
	Prefix bool   `db:"prefix"`
}

// target is where the row leads a path; a prefix takes the rest along.
func (r redirectRow) target(path string) Redirect {
	status, err := strconv.Atoi(r.Status)
	if err != nil {
		status = http.StatusMovedPermanently
	}
	to := r.To
	if r.Prefix {
		rest := strings.TrimPrefix(strings.TrimPrefix(path, r.From), "/")
		to = strings.TrimRight(to, "/") + "/"
		if rest != "" {
			to += (&url.URL{Path: rest}).EscapedPath()
			if last := rest[strings.LastIndexByte(rest, '/')+1:]; !strings.Contains(last, ".") {
				to += "/"
			}
		}
	}
	return Redirect{ID: r.ID, To: to, Status: status}
}

// prefixes lists /a/b/c, /a/b and /a for /a/b/c.
func prefixes(path string) []any {
	var out []any
	for p := path; len(p) > 1 && len(out) < maxSegments; {
		out = append(out, p)
		i := strings.LastIndexByte(p, '/')
		if i < 0 {
			break
		}
		p = p[:i]
	}
	return out
}

// validateRedirect brings a redirect into its one form and refuses loops.
func validateRedirect(e *core.RecordEvent) error {
	r := e.Record
	from := address.Normal(r.GetString("from"))
	if from == "" || from == "/" || !strings.HasPrefix(strings.TrimSpace(r.GetString("from")), "/") {
		return invalid("from", "validation_from", "Write the old address as a path that begins with a slash, such as /old-page/.")
	}
	r.Set("from", from)
	if r.GetString("status") == "" {
		r.Set("status", "301")
	}
	if r.GetString("status") == "410" {
		r.Set("to", "")
		return e.Next()
	}
	to := strings.TrimSpace(r.GetString("to"))
	if to == "" || !safeLink(to) || strings.HasPrefix(to, "mailto:") || strings.HasPrefix(to, "tel:") || strings.HasPrefix(to, "#") {
		return invalid("to", "validation_to", "Write the new address as a path such as /new-page/ or a whole https address.")
	}
	r.Set("to", to)
	if err := noLoop(e.App, r); err != nil {
		return err
	}
	return e.Next()
}

// noLoop follows the redirects as a visitor of this one would, and refuses to
// come back. A prefix stands for every address below it; those that go on by
// another redirect are followed each.
func noLoop(app core.App, r *core.Record) error {
	mine := redirectRow{From: r.GetString("from"), To: r.GetString("to"), Status: r.GetString("status"), Prefix: r.GetBool("prefix")}
	starts, err := mine.goingOn(app)
	if err != nil {
		return err
	}
	for _, at := range append(starts, mine.From) {
		if err := mine.walk(app, r.Id, at); err != nil {
			return err
		}
	}
	return nil
}

// maxGoingOn bounds how many addresses below a prefix are followed.
const maxGoingOn = 1000

// goingOn lists the addresses below a prefix from which a second redirect leads on.
func (r redirectRow) goingOn(app core.App) ([]string, error) {
	to, err := url.Parse(r.To)
	if !r.Prefix || err != nil || to.Host != "" {
		return nil, nil
	}
	base := strings.TrimRight(address.Normal(to.Path), "/")
	var from []string
	err = app.DB().Select("from").From(schema.Redirects).
		Where(dbx.NewExp("substr([[from]], 1, {:n}) = {:below}", dbx.Params{"n": utf8.RuneCountInString(base) + 1, "below": base + "/"})).
		Limit(maxGoingOn).Column(&from)
	if err != nil {
		return nil, fmt.Errorf("look up redirects below: %w", err)
	}
	for i, f := range from {
		from[i] = r.From + strings.TrimPrefix(f, base)
	}
	return from, nil
}

// walk follows the redirects from an address on, with r in the place of the
// stored one with this id.
func (r redirectRow) walk(app core.App, id, at string) error {
	seen := map[string]bool{}
	for range maxChain + 1 {
		u, err := url.Parse(at)
		if err != nil || u.Host != "" {
			return nil
		}
		path := address.Normal((&url.URL{Path: u.Path}).String())
		here := path + "?" + u.RawQuery
		if seen[here] {
			return invalid("to", "validation_loop", "This redirect would lead back to itself.")
		}
		seen[here] = true
		next, found, err := lookUp(app, path, u.RawQuery, id)
		if err != nil {
			return err
		}
		if r.covers(path, u.RawQuery) && (!found || r.beats(next)) {
			next, found = r, true
		}
		if !found || next.Status == "410" {
			return nil
		}
		at = next.target(path).To
	}
	return invalid("to", "validation_chain", fmt.Sprintf("More than %d redirects follow one another from here. Lead straight to the last address.", maxChain))
}

// beats is the order of FindRedirect between two that cover one address.
func (r redirectRow) beats(other redirectRow) bool {
	if r.Prefix != other.Prefix {
		return other.Prefix
	}
	return len(r.From) > len(other.From)
}

// covers reports whether the row redirects the path.
func (r redirectRow) covers(path, query string) bool {
	if r.Prefix {
		return path == r.From || strings.HasPrefix(path, r.From+"/")
	}
	if query != "" && r.From == path+"?"+query {
		return true
	}
	return r.From == path
}

// hits counts in memory and is written down now and then, so that a stranger
// who asks for old addresses causes no write per request.
type hits struct {
	mu    sync.Mutex
	count map[string]int
}

func hitsOf(app core.App) *hits {
	return app.Store().GetOrSet("bungalow.content.hits", func() any {
		return &hits{count: map[string]int{}}
	}).(*hits)
}

// CountHit notes that a redirect was followed.
func CountHit(app core.App, id string) {
	h := hitsOf(app)
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, known := h.count[id]; known || len(h.count) < maxCounted {
		h.count[id]++
	}
}

// FlushHits writes the counted hits down.
func FlushHits(app core.App) error {
	h := hitsOf(app)
	h.mu.Lock()
	counted := h.count
	h.count = map[string]int{}
	h.mu.Unlock()
	if len(counted) == 0 {
		return nil
	}
	err := app.RunInTransaction(func(tx core.App) error {
		for id, n := range counted {
			_, err := tx.DB().NewQuery("UPDATE {{redirects}} SET [[hits]] = [[hits]] + {:n} WHERE [[id]] = {:id}").
				Bind(dbx.Params{"n": n, "id": id}).Execute()
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write down the hits of redirects: %w", err)
	}
	return nil
}

func bindHits(app core.App) {
	app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		if err := e.Next(); err != nil || e.Server == nil || !e.App.HasTable(schema.Redirects) {
			return err
		}
		background(e.App, func(ctx context.Context) {
			tick := time.NewTicker(hitsEvery)
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
				if err := FlushHits(e.App); err != nil {
					e.App.Logger().Error("hits of redirects", "error", err)
				}
			}
		})
		return nil
	})
	app.OnTerminate().BindFunc(func(e *core.TerminateEvent) error {
		if err := FlushHits(e.App); err != nil {
			e.App.Logger().Error("hits of redirects", "error", err)
		}
		return e.Next()
	})
}

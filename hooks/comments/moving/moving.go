// Package moving brings the comments of other systems in and lets ours out:
// Disqus, Isso and Remark42, and lines of JSON.
//
// It promises that a file is read to its end before anything is written, that
// a thread comes whole or not at all, that running an import again doubles
// nothing and changes nothing that is here, and that every comment is either
// written or named in the report with the reason.
package moving

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"bungalow/hooks/comments"
	"bungalow/hooks/kit/address"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// ErrBroken says that a file could not be read to its end, so nothing of it
// was written.
var ErrBroken = errors.New("the file could not be read to its end; nothing was moved in")

// maxItems is how many comments one file may hold.
const maxItems = 2_000_000

// Item is a comment of another system with the address of its page there.
type Item struct {
	comments.Imported
	Page string // absolute address, or a path
	Skip string // why nothing is made of it
}

// Options say how to move in.
type Options struct {
	DryRun bool
	// Map lists rules OLD=NEW: an address that begins with OLD begins with NEW
	// here. The first that fits counts.
	Map []string
	// Progress is called for each comment.
	Progress func()
}

// Line is a comment, or a page, and what is to be said of it.
type Line struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

// Report accounts for every comment of a file.
type Report struct {
	DryRun  bool   `json:"dry_run"`
	Read    int    `json:"read"`
	Created int    `json:"created"`
	Known   int    `json:"known"` // here since an earlier import
	Threads int    `json:"threads"`
	Skipped []Line `json:"skipped"`
	Notes   []Line `json:"notes"`
	Fault   string `json:"fault,omitempty"`
}

var errDry = errors.New("a dry run")

// Import writes the items, thread by thread, each in one transaction.
func Import(ctx context.Context, app core.App, items []Item, o Options) (*Report, error) {
	report := &Report{DryRun: o.DryRun, Read: len(items), Skipped: []Line{}, Notes: []Line{}}
	rules, err := parseRules(o.Map)
	if err != nil {
		return report, err
	}
	m := &mapper{app: app, rules: rules, known: map[string]string{}}
	threads := map[string][]comments.Imported{}
	var order []string
	for _, item := range items {
		if item.Skip == "" {
			item.Thread, item.Skip, err = m.thread(item.Page)
			if err != nil {
				return report, err
			}
		}
		if item.Skip != "" {
			report.Skipped = append(report.Skipped, Line{item.SourceKey, item.Skip})
			continue
		}
		if threads[item.Thread] == nil {
			order = append(order, item.Thread)
		}
		threads[item.Thread] = append(threads[item.Thread], item.Imported)
	}
	report.Threads = len(order)
	report.Notes = m.notes
	for _, thread := range order {
		if err := ctx.Err(); err != nil {
			return report, err
		}
		err := app.RunInTransaction(func(tx core.App) error {
			created, known, err := comments.Import(tx, threads[thread])
			if err != nil {
				return err
			}
			report.Created += created
			report.Known += known
			if o.DryRun {
				return errDry
			}
			return nil
		})
		if err != nil && !errors.Is(err, errDry) {
			return report, fmt.Errorf("write the thread %s: %w", thread, err)
		}
		for range threads[thread] {
			if o.Progress != nil {
				o.Progress()
			}
		}
	}
	return report, nil
}

// rule rewrites the beginning of an address.
type rule struct{ from, to string }

func parseRules(list []string) ([]rule, error) {
	var out []rule
	for _, line := range list {
		from, to, ok := strings.Cut(line, "=")
		if !ok || from == "" {
			return nil, fmt.Errorf("--map %q: write it as OLD=NEW, for example --map https://old.example/posts=/blog", line)
		}
		out = append(out, rule{from, to})
	}
	return out, nil
}

// mapper finds the thread of an old address.
type mapper struct {
	app   core.App
	rules []rule
	known map[string]string
	notes []Line
}

// thread is the address here of a page there; skip says why there is none.
func (m *mapper) thread(page string) (thread, skip string, err error) {
	if page == "" {
		return "", "its page is not in the file", nil
	}
	if known, ok := m.known[page]; ok {
		return known, "", nil
	}
	moved, ruled := page, false
	for _, r := range m.rules {
		if rest, ok := strings.CutPrefix(page, r.from); ok {
			moved, ruled = r.to+rest, true
			break
		}
	}
	candidate := comments.Normalize(moved)
	if !strings.HasPrefix(candidate, "/") {
		// An address of the old site means the same path here, unless the
		// owner lists it as a site of its own.
		if _, err := comments.FindThread(m.app, candidate); candidate == "" || err != nil || !ruled {
			candidate = comments.Normalize(address.Normal(moved))
		}
	}
	candidate = strings.TrimSuffix(strings.TrimSuffix(candidate, "index.html"), "index.php")
	if candidate == "" {
		return "", "the address of its page is none: " + page, nil
	}
	t, err := comments.FindThread(m.app, candidate)
	if err != nil {
		to, found := m.redirected(candidate)
		if found {
			if led, err := comments.FindThread(m.app, to); err == nil {
				t, candidate = led, led.Address
			}
		}
	}
	if t.Address == "" {
		t.Address = candidate
	}
	if t.Page == "" && !t.External {
		m.notes = append(m.notes, Line{page, "there is no page at " + t.Address + " yet; its comments show as soon as there is (or use --map)"})
	}
	m.known[page] = t.Address
	return t.Address, "", nil
}

// redirected follows a redirect that an earlier import left.
func (m *mapper) redirected(path string) (string, bool) {
	if !m.app.HasTable(schema.Redirects) {
		return "", false
	}
	var to string
	err := m.app.DB().Select("to").From(schema.Redirects).
		Where(dbx.HashExp{"from": address.Normal(path), "prefix": false}).Limit(1).Row(&to)
	return to, err == nil && strings.HasPrefix(to, "/")
}

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	if r.DryRun {
		b.WriteString("This is what an import would do; nothing was changed.\n\n")
	}
	fmt.Fprintf(&b, "%d comments read: %d created in %d threads, %d here already, %d skipped\n", r.Read, r.Created, r.Threads, r.Known, len(r.Skipped))
	for _, part := range []struct {
		title string
		lines []Line
	}{{"Skipped", r.Skipped}, {"Worth knowing", r.Notes}} {
		if len(part.lines) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s (%d):\n", part.title, len(part.lines))
		for _, l := range slices.Compact(part.lines) {
			fmt.Fprintf(&b, "  %s: %s\n", l.Name, l.Why)
		}
	}
	if r.Fault != "" {
		b.WriteString("\n" + r.Fault + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// moment reads a time as exports write it; zero for none.
func moment(s string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, strings.TrimSpace(s)); err == nil && t.Year() > 1970 && t.Year() < 3000 {
			return t.UTC()
		}
	}
	return time.Time{}
}

// status is that of a comment by what another system says of it.
func status(approved, isSpam, deleted bool) string {
	switch {
	case deleted:
		return schema.CommentTrash
	case isSpam:
		return schema.CommentSpam
	case approved:
		return schema.CommentApproved
	}
	return schema.CommentPending
}

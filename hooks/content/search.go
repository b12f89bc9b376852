package content

import (
	"context"
	"errors"
	"fmt"
	"html"
	"strings"
	"time"
	"unicode"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

const (
	// maxQuery, maxTerms and maxTerm bound what a stranger can make us search.
	maxQuery = 500
	maxTerms = 12
	maxTerm  = 64
	// MaxPerPage is the largest page of results.
	MaxPerPage = 50
	// maxPage bounds how far back one can leaf.
	maxPage = 1000
	// searchTime is how long one search may take.
	searchTime = 3 * time.Second
)

// Found is one hit of a search.
type Found struct {
	Collection string `db:"collection" json:"collection"`
	Record     string `db:"record" json:"id"`
	Title      string `db:"title" json:"title"`
	// Snippet is HTML: escaped text of the body in which <mark> stands around
	// the terms.
	Snippet string `db:"snippet" json:"snippet"`
}

// Results is one page of hits, the best first.
type Results struct {
	Page, PerPage, Total int
	Items                []Found
}

// ErrSlow says that a search was given up after searchTime, whether or not there
// is something to find.
var ErrSlow = errors.New("this search took too long; try longer or rarer words")

// Search finds published posts and pages of a locale. The query is words, never
// a syntax: any string gives results or none. The last word matches as a prefix.
// Errors: ErrSlow.
func Search(app core.App, locale, query string, page, perPage int) (Results, error) {
	perPage = min(max(perPage, 1), MaxPerPage)
	page = min(max(page, 1), maxPage)
	out := Results{Page: page, PerPage: perPage, Items: []Found{}}
	match := matchExpression(query)
	if match == "" {
		return out, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), searchTime)
	defer cancel()
	params := dbx.Params{"match": match, "locale": locale, "limit": perPage, "offset": (page - 1) * perPage}
	from := "FROM content_search JOIN content_search_docs d ON d.id = content_search.rowid WHERE content_search MATCH {:match} AND d.locale = {:locale}"
	if err := app.DB().NewQuery("SELECT count(*) " + from).Bind(params).WithContext(ctx).Row(&out.Total); err != nil {
		if ctx.Err() != nil {
			return out, ErrSlow
		}
		return out, fmt.Errorf("count the hits: %w", err)
	}
	if out.Total == 0 {
		return out, nil
	}
	err := app.DB().NewQuery("SELECT d.collection, d.record, content_search.title, " +
		"snippet(content_search, 2, char(2), char(3), '…', 28) AS snippet " + from +
		" ORDER BY bm25(content_search, 10.0, 5.0, 1.0), d.id DESC LIMIT {:limit} OFFSET {:offset}").
		Bind(params).WithContext(ctx).All(&out.Items)
	if err != nil && ctx.Err() != nil {
		return out, ErrSlow
	}
	if err != nil {
		return out, fmt.Errorf("search: %w", err)
	}
	for i := range out.Items {
		out.Items[i].Snippet = mark(out.Items[i].Snippet)
	}
	return out, nil
}

// matchExpression makes an FTS5 expression from words: each is quoted, so that
// nothing in it is syntax (sqlite.org/fts5.html, section 3.1), all must occur.
func matchExpression(query string) string {
	words := strings.FieldsFunc(firstRunes(query, maxQuery), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
	})
	var b strings.Builder
	for i, w := range words[:min(len(words), maxTerms)] {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(`"` + firstRunes(w, maxTerm) + `"`)
	}
	if b.Len() > 0 {
		b.WriteByte('*')
	}
	return b.String()
}

func firstRunes(s string, n int) string {
	s = strings.ToValidUTF8(s, " ")
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// mark makes safe HTML of a snippet whose hits lie between the control
// characters 2 and 3.
func mark(snippet string) string {
	escaped := html.EscapeString(snippet)
	return strings.NewReplacer("\x02", "<mark>", "\x03", "</mark>").Replace(balanced(escaped))
}

// balanced drops control characters that came from a body and not from FTS5.
func balanced(s string) string {
	var b strings.Builder
	open := false
	for _, r := range s {
		if r == 2 && open || r == 3 && !open {
			continue
		}
		if r == 2 || r == 3 {
			open = !open
		}
		b.WriteRune(r)
	}
	if open {
		b.WriteByte(3)
	}
	return b.String()
}

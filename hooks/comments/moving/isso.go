package moving

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"bungalow/hooks/comments"
	"bungalow/hooks/kit/schema"
	_ "modernc.org/sqlite" // reads Isso's database
)

// Isso reads the database of Isso (its file comments.db). It is opened for
// reading only.
func Isso(path string) ([]Item, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open what is to be moved in: %w. Check the path", err)
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open what is to be moved in: %w", err)
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: full, RawQuery: "mode=ro"}).String())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	defer db.Close()
	rows, err := db.Query(`SELECT c.id, coalesce(c.parent, 0), coalesce(t.uri, ''), coalesce(c.created, 0), coalesce(c.mode, 2), coalesce(c.text, ''),
		coalesce(c.author, ''), coalesce(c.email, ''), coalesce(c.website, ''), coalesce(c.likes, 0) - coalesce(c.dislikes, 0)
		FROM comments c LEFT JOIN threads t ON t.id = c.tid ORDER BY c.id`)
	if err != nil {
		return nil, fmt.Errorf("%w: it is no database of Isso: %w", ErrBroken, err)
	}
	defer rows.Close()
	var items []Item
	for rows.Next() {
		var id, parent int64
		var created float64
		var mode int
		var text string
		i := Item{}
		if err := rows.Scan(&id, &parent, &i.Page, &created, &mode, &text, &i.Author, &i.Email, &i.URL, &i.Votes); err != nil {
			return items, fmt.Errorf("%w: %w", ErrBroken, err)
		}
		i.SourceKey = "isso:" + strconv.FormatInt(id, 10)
		if parent != 0 {
			i.Parent = "isso:" + strconv.FormatInt(parent, 10)
		}
		if created > 0 {
			i.At = time.UnixMilli(int64(created * 1000)).UTC()
		}
		i.HTML = comments.Render(text, false)
		i.Status = map[int]string{1: schema.CommentApproved, 2: schema.CommentPending}[mode]
		if mode == 4 || i.Status == "" { // deleted, with answers below
			i.Status, i.Removed, i.HTML = schema.CommentTrash, true, ""
		}
		if items = append(items, i); len(items) > maxItems {
			return items, fmt.Errorf("%w: it holds more than %d comments", ErrBroken, maxItems)
		}
	}
	if err := rows.Err(); err != nil {
		return items, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	return items, nil
}

package moving

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"bungalow/hooks/comments"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// line is a comment as we let it out, one JSON object a line. The first line of
// a file says what it is and how many follow.
type line struct {
	Bungalow string `json:"bungalow,omitempty"`
	Count    *int   `json:"count,omitempty"`

	ID        string         `json:"id,omitempty"`
	Parent    string         `json:"parent,omitempty"`
	Thread    string         `json:"thread,omitempty"`
	Author    string         `json:"author,omitempty"`
	Email     string         `json:"email,omitempty"`
	URL       string         `json:"url,omitempty"`
	Body      string         `json:"body,omitempty"`
	HTML      string         `json:"html,omitempty"`
	Status    string         `json:"status,omitempty"`
	Created   string         `json:"created,omitempty"`
	Edited    string         `json:"edited,omitempty"`
	Pinned    bool           `json:"pinned,omitempty"`
	Removed   bool           `json:"removed,omitempty"`
	Votes     int            `json:"votes,omitempty"`
	Reactions map[string]int `json:"reactions,omitempty"`
	Badge     string         `json:"badge,omitempty"`
	SourceKey string         `json:"source_key,omitempty"`
}

const kindLine = "comments 1"

// exportBatch is how many comments are read at once.
const exportBatch = 500

// Export writes every comment, those above before those that answer them.
func Export(app core.App, w io.Writer) (int, error) {
	total, err := app.CountRecords(schema.Comments)
	if err != nil {
		return 0, fmt.Errorf("count the comments: %w", err)
	}
	n := int(total)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(line{Bungalow: kindLine, Count: &n}); err != nil {
		return 0, fmt.Errorf("write the comments: %w", err)
	}
	written := 0
	for depth, last := -1, ""; written < n; {
		var batch []*core.Record
		err := app.RecordQuery(schema.Comments).
			AndWhere(dbx.NewExp("(depth, id) > ({:d}, {:id})", dbx.Params{"d": depth, "id": last})).
			OrderBy("depth", "id").Limit(exportBatch).All(&batch)
		if err != nil {
			return written, fmt.Errorf("read the comments: %w", err)
		}
		if len(batch) == 0 {
			break
		}
		for _, r := range batch {
			if err := enc.Encode(lineOf(r)); err != nil {
				return written, fmt.Errorf("write the comments: %w", err)
			}
			written++
		}
		depth, last = batch[len(batch)-1].GetInt("depth"), batch[len(batch)-1].Id
	}
	return written, nil
}

func lineOf(r *core.Record) line {
	l := line{
		ID: r.Id, Parent: r.GetString("parent"), Thread: r.GetString("thread"), Author: r.GetString("author"), Email: r.GetString("email"),
		URL: r.GetString("url"), Body: r.GetString("body"), HTML: r.GetString("html"), Status: r.GetString("status"),
		Created: r.GetDateTime("created").String(), Edited: r.GetDateTime("edited").String(), Pinned: r.GetBool("pinned"),
		Removed: r.GetBool("removed"), Votes: r.GetInt("votes"), Badge: r.GetString("badge"), SourceKey: r.GetString("source_key"),
	}
	_ = r.UnmarshalJSONField("reactions", &l.Reactions)
	return l
}

// Lines reads what Export wrote, of this site or another one.
func Lines(r io.Reader) ([]Item, error) {
	plain, err := unpacked(r)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(plain)
	var head line
	if err := d.Decode(&head); err != nil || head.Bungalow != kindLine || head.Count == nil {
		return nil, fmt.Errorf("%w: it is no file of `export comments`", ErrBroken)
	}
	var items []Item
	for {
		var l line
		err := d.Decode(&l)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return items, fmt.Errorf("%w: %w", ErrBroken, err)
		}
		if items = append(items, l.item()); len(items) > maxItems {
			return items, fmt.Errorf("%w: it holds more than %d comments", ErrBroken, maxItems)
		}
	}
	if len(items) != *head.Count {
		return items, fmt.Errorf("%w: it names %d comments and holds %d", ErrBroken, *head.Count, len(items))
	}
	return items, nil
}

func (l line) item() Item {
	i := Item{Page: l.Thread, Imported: comments.Imported{
		SourceKey: "bungalow:" + l.ID, Author: l.Author, Email: l.Email, URL: l.URL, HTML: l.HTML, Status: l.Status,
		At: moment(l.Created), Votes: l.Votes, Pinned: l.Pinned, Removed: l.Removed,
	}}
	if i.At.IsZero() {
		i.At = moment(cutZ(l.Created))
	}
	if l.Parent != "" {
		i.Parent = "bungalow:" + l.Parent
	}
	switch l.Status {
	case schema.CommentApproved, schema.CommentPending, schema.CommentSpam, schema.CommentTrash:
	default:
		i.Skip = "its status is none that there is"
	}
	if l.ID == "" {
		i.Skip = "it has no id"
	}
	return i
}

// cutZ takes PocketBase's Z and milliseconds from a time.
func cutZ(s string) string {
	if len(s) < 19 {
		return s
	}
	return s[:19]
}

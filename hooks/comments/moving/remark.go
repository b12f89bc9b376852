package moving

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"bungalow/hooks/comments"
	"bungalow/hooks/kit/schema"
)

// remarkComment is a line of a backup of Remark42.
type remarkComment struct {
	ID   string `json:"id"`
	PID  string `json:"pid"`
	Text string `json:"text"`
	Orig string `json:"orig"`
	User struct {
		Name string `json:"name"`
	} `json:"user"`
	Locator struct {
		URL string `json:"url"`
	} `json:"locator"`
	Score   int    `json:"score"`
	Time    string `json:"timestamp"`
	OldTime string `json:"time"`
	Pin     bool   `json:"pin"`
	Delete  bool   `json:"delete"`
}

// Remark42 reads a backup of Remark42, compressed or not: a line about the
// site, and then a line for each comment.
func Remark42(r io.Reader) ([]Item, error) {
	lines, err := unpacked(r)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(lines)
	var head struct {
		Version *int `json:"version"`
	}
	if err := d.Decode(&head); err != nil || head.Version == nil {
		return nil, fmt.Errorf("%w: it is no backup of Remark42", ErrBroken)
	}
	var items []Item
	for {
		var c remarkComment
		err := d.Decode(&c)
		if errors.Is(err, io.EOF) {
			return items, nil
		}
		if err != nil {
			return items, fmt.Errorf("%w: %w", ErrBroken, err)
		}
		if len(items) >= maxItems {
			return items, fmt.Errorf("%w: it holds more than %d comments", ErrBroken, maxItems)
		}
		items = append(items, c.item())
	}
}

func (c remarkComment) item() Item {
	i := Item{Page: c.Locator.URL, Imported: comments.Imported{
		SourceKey: "remark42:" + c.ID, Author: c.User.Name, HTML: c.Text, Status: schema.CommentApproved,
		At: moment(c.Time), Votes: c.Score, Pinned: c.Pin,
	}}
	if i.At.IsZero() {
		i.At = moment(c.OldTime)
	}
	if i.HTML == "" {
		i.HTML = comments.Render(c.Orig, false)
	}
	if c.PID != "" {
		i.Parent = "remark42:" + c.PID
	}
	if c.Delete {
		i.Status, i.Removed, i.HTML, i.Author = schema.CommentTrash, true, "", ""
	}
	if c.ID == "" {
		i.Skip = "it has no id"
	}
	return i
}

// maxUnpacked bounds what a small file may unpack to, in bytes.
const maxUnpacked = 4 << 30

// unpacked reads through gzip where the file is compressed.
func unpacked(r io.Reader) (io.Reader, error) {
	buffered := bufio.NewReader(r)
	head, _ := buffered.Peek(2)
	if len(head) == 2 && head[0] == 0x1f && head[1] == 0x8b {
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrBroken, err)
		}
		return io.LimitReader(z, maxUnpacked), nil
	}
	return buffered, nil
}

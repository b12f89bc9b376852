package moving

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	"bungalow/hooks/comments"
)

// disqusThread and disqusPost are what an export of Disqus holds
// (https://help.disqus.com, "Comments Export").
type disqusThread struct {
	ID    string `xml:"http://disqus.com/disqus-internals id,attr"`
	Link  string `xml:"link"`
	Title string `xml:"title"`
}

type disqusPost struct {
	ID        string `xml:"http://disqus.com/disqus-internals id,attr"`
	Message   string `xml:"message"`
	CreatedAt string `xml:"createdAt"`
	Deleted   bool   `xml:"isDeleted"`
	Spam      bool   `xml:"isSpam"`
	Approved  *bool  `xml:"isApproved"`
	Author    struct {
		Name  string `xml:"name"`
		Email string `xml:"email"`
	} `xml:"author"`
	Thread struct {
		ID string `xml:"http://disqus.com/disqus-internals id,attr"`
	} `xml:"thread"`
	Parent struct {
		ID string `xml:"http://disqus.com/disqus-internals id,attr"`
	} `xml:"parent"`
}

// Disqus reads an export of Disqus.
func Disqus(r io.Reader) ([]Item, error) {
	d := xml.NewDecoder(r)
	pages := map[string]string{}
	var items []Item
	begun, ended := false, false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return items, fmt.Errorf("%w: %w", ErrBroken, err)
		}
		switch t := token.(type) {
		case xml.EndElement:
			ended = t.Name.Local == "disqus"
		case xml.StartElement:
			switch t.Name.Local {
			case "disqus":
				begun = true
			case "thread":
				var one disqusThread
				if err := d.DecodeElement(&one, &t); err != nil {
					return items, fmt.Errorf("%w: %w", ErrBroken, err)
				}
				pages[one.ID] = one.Link
			case "post":
				var one disqusPost
				if err := d.DecodeElement(&one, &t); err != nil {
					return items, fmt.Errorf("%w: %w", ErrBroken, err)
				}
				items = append(items, one.item())
			}
		}
		if len(items) > maxItems {
			return items, fmt.Errorf("%w: it holds more than %d comments", ErrBroken, maxItems)
		}
	}
	if !begun || !ended {
		return items, fmt.Errorf("%w: it is no export of Disqus, or it ends early", ErrBroken)
	}
	for i := range items {
		items[i].Page = pages[items[i].Page]
	}
	return items, nil
}

// item is a post; its page is still the thread's id.
func (p disqusPost) item() Item {
	i := Item{Page: p.Thread.ID, Imported: comments.Imported{
		SourceKey: "disqus:" + p.ID, Author: p.Author.Name, Email: p.Author.Email, HTML: p.Message,
		Status: status(p.Approved == nil || *p.Approved, p.Spam, p.Deleted), At: moment(p.CreatedAt),
	}}
	if p.Parent.ID != "" {
		i.Parent = "disqus:" + p.Parent.ID
	}
	if p.ID == "" {
		i.Skip = "it has no id"
	}
	return i
}

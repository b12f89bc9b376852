package pages

import (
	"net/url"
	"strings"
	"time"

	"bungalow/hooks/inbox"
	"bungalow/hooks/inbox/live"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

const viewPage = "desk/inbox/view.html"

// attachment is a file of a message with its address.
type attachment struct {
	Name, Href, Size string
	Picture          bool
}

// entry is one message as the page shows it.
type entry struct {
	ID, From, To, Cc, Subject string
	Direction, Kind, State    string
	Error, Author             string
	Blocks                    []block
	Quoted                    string
	At                        time.Time
	Ago                       string
	HasHTML, First, CanUndo   bool
	Files                     []attachment
	Left                      []string
	Path                      string
	Wait                      int // seconds until it goes out
}

// block is a piece of a text; a quote is folded where it is long.
type block struct {
	Text  string
	Quote bool
}

type viewData struct {
	C           row
	Email       string
	Hint        string
	Linked      *row
	Form        string
	Submission  string
	Messages    []entry
	Earlier     []row
	Team        []choice
	AssigneeID  string
	TagText     string
	Canned      []cannedChoice
	Draft       string
	NoteDraft   string
	Seen        string
	Collision   bool
	Error       string
	Others      []live.Present
	Cc          string
	Back        string
	CanErase    bool
	Mentionable []string
	Undoing     string
	Secure      bool
}

type cannedChoice struct{ ID, Title, Text string }

func show(e *desk.Event) error {
	c, err := inbox.Find(e.App, e.Request.PathValue("id"))
	if err != nil {
		return refuse(e, err)
	}
	if c.Id != e.Request.PathValue("id") { // merged into another
		return e.Redirect(302, inbox.Path(c.Id))
	}
	if err := inbox.MarkRead(e.App, c.Id, false); err != nil {
		return refuse(e, err)
	}
	data, err := viewOf(e, c)
	if err != nil {
		return refuse(e, err)
	}
	if id := e.Request.URL.Query().Get("canned"); id != "" {
		for _, item := range data.Canned {
			if item.ID == id {
				data.Draft = item.Text
			}
		}
	}
	if e.IsHTMX() {
		return e.Fragment(viewPage, "thread", data)
	}
	return render(e, 200, data)
}

// render writes the page.
func render(e *desk.Event, status int, data *viewData) error {
	return e.RenderStatus(status, viewPage, data.C.Subject, data, "/assets/css/desk-inbox.css", "/assets/js/desk-inbox.js")
}

// viewOf reads everything that the page of a conversation shows.
func viewOf(e *desk.Event, c *core.Record) (*viewData, error) {
	team, names, err := people(e.App)
	if err != nil {
		return nil, err
	}
	messages, err := inbox.Messages(e.App, c.Id)
	if err != nil {
		return nil, err
	}
	data := &viewData{
		C: rowOf(c, names, e.Auth.Id), Email: c.GetString("email"), Hint: c.GetString("hint"), Form: formTitle(e.App, c.GetString("form")),
		Team: team, AssigneeID: c.GetString("assignee"), Others: live.Of(e.App).Others(c.Id, e.Auth.Id), Back: root,
		CanErase: c.GetString("email") != "" && e.Can(roles.InboxAnswer),
	}
	data.TagText = strings.Join(data.C.Tags, ", ")
	if from, err := url.Parse(e.Request.Referer()); err == nil && from.Host == e.Request.Host && from.Path == root {
		data.Back = from.RequestURI()
	}
	for i, m := range messages {
		en := entryOf(e, c, m)
		en.First = i == 0
		data.Messages = append(data.Messages, en)
		if m.GetString("submission") != "" {
			data.Submission = m.GetString("submission")
		}
	}
	if data.Seen, err = lastOf(e.App, c.Id); err != nil {
		return nil, err
	}
	if linked := c.GetString("linked"); linked != "" {
		if other, err := inbox.Find(e.App, linked); err == nil { // it may be erased
			r := rowOf(other, names, e.Auth.Id)
			data.Linked = &r
		}
	}
	earlier, err := inbox.Earlier(e.App, c, 8)
	if err != nil {
		return nil, err
	}
	for _, other := range earlier {
		data.Earlier = append(data.Earlier, rowOf(other, names, e.Auth.Id))
	}
	for _, p := range team {
		if person, err := e.App.FindRecordById(schema.Staff, p.Value); err == nil {
			data.Mentionable = append(data.Mentionable, inbox.Handle(person))
		}
	}
	items, err := inbox.CannedReplies(e.App)
	if err != nil {
		return nil, err
	}
	me := desk.PersonOf(e.Auth).Name
	for _, item := range items {
		data.Canned = append(data.Canned, cannedChoice{item.ID, item.Title, inbox.Fill(e.App, item.Text, c, me)})
	}
	return data, nil
}

func entryOf(e *desk.Event, c, m *core.Record) entry {
	path := inbox.Path(c.Id) + "messages/" + m.Id + "/"
	en := entry{
		ID: m.Id, From: m.GetString("from"), To: m.GetString("to"), Cc: m.GetString("cc"), Subject: m.GetString("subject"),
		Direction: m.GetString("direction"), Kind: m.GetString("kind"), State: m.GetString("state"), Error: m.GetString("error"),
		Blocks: blocks(m.GetString("text")), Quoted: m.GetString("quoted"),
		At: m.GetDateTime("created").Time(), HasHTML: m.GetString("html") != "", Path: path,
	}
	en.Ago = ago(en.At, time.Now())
	en.Author, _, _ = strings.Cut(m.GetString("author_name"), " <")
	if en.State == "scheduled" {
		en.Wait = max(0, int(time.Until(m.GetDateTime("send_at").Time()).Seconds()+0.5))
		en.CanUndo = true
	}
	known := inbox.Parts(m)
	en.Left = known.Left
	for _, f := range known.Files {
		a := attachment{Name: f.Name, Size: size(f.Size), Picture: picture(f.Type)}
		switch {
		case f.Path != "":
			a.Href = f.Path
		case f.CID != "" && en.HasHTML:
			continue // it is part of the formatted text
		default:
			a.Href = path + "files/" + url.PathEscape(f.Stored) + "/"
		}
		en.Files = append(en.Files, a)
	}
	return en
}

// blocks parts a text where quoted lines begin and end.
func blocks(text string) []block {
	var out []block
	for l := range strings.SplitSeq(text, "\n") {
		quote := strings.HasPrefix(strings.TrimSpace(l), ">")
		if n := len(out); n > 0 && out[n-1].Quote == quote {
			out[n-1].Text += "\n" + l
			continue
		}
		out = append(out, block{l, quote})
	}
	for i := range out {
		out[i].Text = strings.Trim(out[i].Text, "\n")
	}
	return out
}

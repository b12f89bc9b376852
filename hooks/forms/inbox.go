package forms

import (
	"net/mail"
	"net/url"
	"time"

	"bungalow/hooks/kit/desk"
	"github.com/pocketbase/pocketbase/core"
)

// Inbox is what forms asks of the inbox. It is answered in hooks/features.go,
// and nil where the inbox is switched off: then a submission is stored and
// read on the form's own pages in the desk.
type Inbox interface {
	// Receive makes a conversation of a submission, in the transaction that
	// stores it, and gives its id. The submission's record is saved right after,
	// with that id in it; its files are in the storage already. A submission that
	// is spam becomes a conversation in the state spam.
	Receive(tx core.App, in Incoming) (conversation string, err error)
	// Judge moves a conversation to spam, or back to open, because staff said so
	// of the submission that began it. An unknown conversation is no error.
	Judge(tx core.App, conversation string, spam bool) error
	// ReplyTo is the address at which an answer to a mail about the conversation
	// is filed into it; the zero address where mail can't come in.
	ReplyTo(app core.App, conversation string) (mail.Address, error)
	// Path is the conversation's page in the desk, such as /desk/inbox/ID/.
	Path(conversation string) string
}

// Incoming is a submission as the inbox needs it. All text is valid UTF-8
// without NUL; Name, Email, Subject and FormTitle are one line each.
type Incoming struct {
	Submission string // id of the record in submissions
	FormID     string
	Form       string // slug
	FormTitle  string
	Locale     string
	// Name and Email are the sender's as written in the form, "" where it does
	// not ask; Email is one that net/mail takes.
	Name, Email string
	Subject     string
	// Text is every answer, label and value, readable as a message; Gist is what
	// of it a list shows: the first answer of several lines, or "".
	Text  string
	Gist  string
	Files []File
	Spam  bool
	// Reasons say why it is spam, for staff.
	Reasons []string
	At      time.Time
}

// FilePath is where staff fetch a file of a submission by the name under which
// it is stored.
func FilePath(submission, stored string) string {
	return desk.Root + "submissions/" + submission + "/files/" + url.PathEscape(stored) + "/"
}

// File is one file of a submission. It stays with the submission's record.
type File struct {
	Field  string `json:"field"`  // the form's field
	Name   string `json:"name"`   // what its sender called it, one line, no path
	Stored string `json:"stored"` // its name in submissions.files
	Type   string `json:"type"`   // by its content
	Size   int64  `json:"size"`   // bytes
	// Path is the file's key in the app's storage (app.NewFilesystem).
	Path string `json:"-"`
}

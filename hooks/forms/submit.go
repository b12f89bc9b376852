package forms

import (
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"bungalow/hooks/forms/body"
	"bungalow/hooks/forms/field"
	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/limit"
	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Sent is what a visitor sent.
type Sent struct {
	Values map[string][]string
	Files  []body.File
	// Key is the Idempotency-Key, "" without one.
	Key string
	// IP is the visitor's address; only keyed hashes of it are kept.
	IP     string
	Locale string
}

func (s Sent) first(name string) string {
	if v := s.Values[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// Receipt says what became of it.
type Receipt struct {
	ID string
	// Again says that this was sent before and is stored once.
	Again bool
}

// Outcomes that a visitor is told of.
var (
	ErrClosed  = errors.New("the form is closed")
	ErrFull    = errors.New("the form has taken all that it takes in one day")
	ErrKeyUsed = errors.New("this Idempotency-Key was used for something else")
)

// Invalid says which answers are wrong.
type Invalid struct {
	Problems map[string]field.Problem
}

// Error names nothing that a visitor wrote.
func (e *Invalid) Error() string {
	return fmt.Sprintf("%d answers need another value", len(e.Problems))
}

const (
	// keyFor is how long an Idempotency-Key is known.
	keyFor = 24 * time.Hour
	// clickFor is how long the same content from the same visitor is one click.
	clickFor = 2 * time.Minute
)

// Submit checks and stores what a visitor sent to the form. Errors: *Invalid,
// ErrClosed, ErrFull, ErrKeyUsed, or what a handler of forms.OnSubmit refused with.
func Submit(app core.App, slug string, sent Sent) (Receipt, error) {
	s, err := of(app)
	if err != nil {
		return Receipt{}, err
	}
	form, record, err := s.find(app, slug)
	if err != nil {
		return Receipt{}, err
	}
	return s.submit(app, form, record, sent)
}

func (s *service) submit(app core.App, form *Form, record *core.Record, sent Sent) (Receipt, error) {
	if !form.Open {
		return Receipt{}, ErrClosed
	}
	answers, extra, problems := sortOut(form, sent)
	if len(problems) > 0 {
		return Receipt{}, &Invalid{problems}
	}
	d, err := s.begin(app, form, record, sent, answers, extra)
	if err != nil {
		return Receipt{}, err
	}
	if d.keyed || len(sent.Files) > 0 { // what is sent twice stores no file twice
		if receipt, err := d.before(app); err != nil || receipt.Again {
			return receipt, err
		}
	}
	if !s.quota.take(app, form, s.options(app).perDay(form), d.now) {
		return Receipt{}, ErrFull
	}
	receipt, err := d.store(app)
	if err != nil || receipt.Again {
		s.quota.giveBack(form, d.now)
	}
	return receipt, err
}

// draft is a submission on its way into the database.
type draft struct {
	*service
	form       *Form
	formRecord *core.Record
	sent       Sent
	answers    map[string][]string
	extra      map[string][]string
	record     *core.Record
	files      []File
	verdict    verdict
	now        time.Time
	judged     verdict             // as the filter found it
	asSent     map[string][]string // the answers before any hook
	receipt    Receipt
	once       string
	keyed      bool
	digest     string
}

func (s *service) begin(app core.App, form *Form, record *core.Record, sent Sent, answers, extra map[string][]string) (*draft, error) {
	key, err := s.key(app)
	if err != nil {
		return nil, err
	}
	d := &draft{service: s, form: form, formRecord: record, sent: sent, answers: answers, extra: extra, now: s.now()}
	d.digest = digest(key, answers, extra, sent.Files)
	h := hmac.New(sha256.New, key)
	part(h, form.ID)
	if d.keyed = sent.Key != ""; d.keyed {
		part(h, sent.Key)
	} else {
		part(h, limit.AddressKey(sent.IP))
		part(h, d.digest)
	}
	d.once = hex.EncodeToString(h.Sum(nil)[:16])
	collection, err := app.FindCachedCollectionByNameOrId(schema.Submissions)
	if err != nil {
		return nil, fmt.Errorf("find the submissions: %w", err)
	}
	d.record = core.NewRecord(collection)
	d.record.Id = core.GenerateDefaultRandomId()
	return d, nil
}

// before finds the same post among those stored.
func (d *draft) before(app core.App) (Receipt, error) {
	since := d.now.Add(-clickFor)
	if d.keyed {
		since = d.now.Add(-keyFor)
	}
	var known struct {
		ID     string `db:"id"`
		Digest string `db:"digest"`
	}
	err := app.DB().NewQuery(`SELECT id, digest FROM submissions WHERE once = {:once} AND once != '' AND created >= {:since} ORDER BY created DESC LIMIT 1`).
		Bind(dbx.Params{"once": d.once, "since": stored(since)}).One(&known)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Receipt{}, nil
	case err != nil:
		return Receipt{}, fmt.Errorf("look for the same submission: %w", err)
	case known.Digest != d.digest:
		return Receipt{}, ErrKeyUsed
	}
	return Receipt{ID: known.ID, Again: true}, nil
}

// store judges, keeps the files, and writes everything in one transaction.
func (d *draft) store(app core.App) (receipt Receipt, err error) {
	if d.verdict, err = d.judge(app); err != nil {
		return Receipt{}, err
	}
	files, undo, err := keepFiles(app, d.record, d.sent.Files)
	defer func() {
		if err != nil || receipt.Again {
			undo()
		}
	}()
	if err != nil {
		return Receipt{}, err
	}
	d.files = files
	d.judged, d.asSent = d.verdict, d.answers
	if err = d.together.Write(app, d, attempt); err != nil {
		return Receipt{}, err
	}
	return d.receipt, nil
}

// write is the transaction: hooks, conversation, record, jobs.
func (d *draft) write(tx core.App) error {
	d.fill()
	if on := events.OnFormSubmit(tx); on.Length() > 0 {
		if err := d.announce(tx, on); err != nil {
			return err
		}
		d.fill() // a hook may have changed the answers and the verdict
	}
	if d.cfg.Inbox != nil {
		conversation, err := d.cfg.Inbox.Receive(tx, d.incoming())
		if err != nil {
			return fmt.Errorf("hand the submission to the inbox: %w", err)
		}
		d.record.Set("conversation", conversation)
	}
	// Everything was checked above; the names of the files are in the storage
	// already, which the record's own validation does not know.
	if err := tx.SaveNoValidate(d.record); err != nil {
		return fmt.Errorf("save submission: %w", err)
	}
	if d.isSpam() || len(d.form.Recipients) == 0 && !d.form.ReplyOn {
		return nil
	}
	return queue.Enqueue(tx, notifyKind, notifyJob{Submission: d.record.Id})
}

func (d *draft) isSpam() bool { return d.verdict.isSpam(d.form.SpamPolicy) }

// fill writes the draft into its record.
func (d *draft) fill() {
	r := d.record
	name, email, subject := contact(d.form, d.answers)
	status := schema.SubmissionOK
	if d.isSpam() {
		status = schema.SubmissionSpam
	}
	names := make([]string, len(d.files))
	for i, f := range d.files {
		names[i] = f.Stored
	}
	for key, value := range map[string]any{
		"form": d.form.ID, "data": types.JSONRaw(inOrder(d.form, d.answers)), "status": status,
		"score": d.verdict.Points(), "name": name, "email": email, "subject": subject,
		"locale": d.sent.Locale, "once": d.once, "digest": d.digest,
	} {
		r.Set(key, value)
	}
	if len(d.extra) > 0 {
		r.Set("extra", d.extra)
	}
	if len(d.files) > 0 {
		r.SetRaw("files", names)
		r.Set("uploads", d.files)
	}
	if len(d.verdict.Reasons) > 0 {
		r.Set("reasons", d.verdict.Reasons)
	}
}

// announce gives the site's own code its turn.
func (d *draft) announce(tx core.App, on *hook.Hook[*events.SubmitEvent]) error {
	e := &events.SubmitEvent{App: tx, Form: d.formRecord.Fresh(), Submission: d.record, Values: d.answers}
	if err := on.Trigger(e); err != nil {
		return err
	}
	d.answers = cleaned(e.Values)
	for _, s := range e.Scores() {
		d.verdict.Add("hook", s.Points, "%s", s.Reason)
	}
	return nil
}

// cleaned is what a hook left, as text that can be stored.
func cleaned(values map[string][]string) map[string][]string {
	out := make(map[string][]string, len(values))
	for name, list := range values {
		for _, v := range list {
			out[name] = append(out[name], strings.ReplaceAll(strings.ToValidUTF8(v, "\uFFFD"), "\x00", ""))
		}
	}
	return out
}

// incoming is the submission as the inbox gets it.
func (d *draft) incoming() Incoming {
	lines := readable(d.form, d.answers)
	text := asText(lines)
	if len(d.extra) > 0 {
		text += "\n\n" + asText(readable(&Form{}, d.extra))
	}
	in := Incoming{
		Submission: d.record.Id, FormID: d.form.ID, Form: d.form.Slug, FormTitle: oneLine(d.form.Title, maxLine),
		Locale: d.sent.Locale, Name: d.record.GetString("name"), Email: d.record.GetString("email"),
		Subject: d.record.GetString("subject"), Text: text, Files: d.files, Spam: d.isSpam(), At: d.now,
	}
	if i := slices.IndexFunc(lines, func(l Line) bool { return l.Long && l.Value != "" }); i >= 0 {
		in.Gist = lines[i].Value
	}
	for _, r := range d.verdict.Reasons {
		in.Reasons = append(in.Reasons, r.Detail)
	}
	return in
}

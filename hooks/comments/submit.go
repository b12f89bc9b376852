package comments

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/spam"
	"github.com/pocketbase/dbx"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

const (
	maxAuthor = 100
	maxEmail  = 254
	maxURL    = 500
	maxAgent  = 300
	// maxBelow is how deep answers may nest. Shown are maxShown levels.
	maxBelow = 100
	// maxWaiting is how many comments may wait for a moderator or lie among the
	// spam at once. Beyond it nothing more is held, so strangers can't fill the disk.
	maxWaiting = 20_000
)

// Submission is what a visitor sends.
type Submission struct {
	Thread, Parent     string
	Author, Email, URL string
	Body               string
	Notify             bool
	Locale             string

	Token, Work, Honeypot string // _t, _pow, _hp
	// Key is the Idempotency-Key, "" without one.
	Key       string
	IP, Agent string
	// Person is who is signed in: a record of users, staff, or nil.
	Person *core.Record
}

// ErrClosed says that nobody may write in the thread.
var ErrClosed = router.NewForbiddenError("Comments are closed here.", nil)

// Submit checks, judges and stores a comment. One that was sent before, by a
// double click or with the same Idempotency-Key, is found again and not stored
// twice. Its errors are those of FindThread, ErrClosed, ErrKeyUsed, validation.Errors by field, *spam.TooManyError, and
// what a handler of comments.OnSubmit refuses with.
func Submit(app core.App, s Submission) (*core.Record, error) {
	filter := spam.Of(app)
	if err := filter.Allow(s.IP, "comment "+limitedKey(s.Thread)); err != nil {
		return nil, err
	}
	thread, err := FindThread(app, s.Thread)
	if err != nil {
		return nil, err
	}
	staff := roles.Allows(s.Person, roles.CommentsModerate)
	if !thread.Open() && !staff {
		return nil, ErrClosed
	}
	o := optionsOf(app)
	s.clean()
	if err := s.validate(o); err != nil {
		return nil, err
	}
	once, err := s.once(app, time.Now())
	if err != nil {
		return nil, err
	}
	if s.Key != "" {
		if earlier, err := once.find(app); err != nil || earlier != nil {
			return earlier, err
		}
	}
	r, err := s.record(app, thread, o)
	if err != nil {
		return nil, err
	}
	verdict, err := s.judge(app, thread, staff)
	if err != nil {
		return nil, err
	}
	html := r.GetString("html")
	event := &events.CommentSubmitEvent{App: app, Record: r, Verdict: &verdict}
	err = events.OnCommentSubmit(app).Trigger(event, func(e *events.CommentSubmitEvent) error {
		if body := r.GetString("body"); body != s.Body && r.GetString("html") == html {
			r.Set("html", Render(body, o.Images))
		}
		ask, err := s.decide(app, thread, r, verdict, staff)
		if err != nil {
			return err
		}
		r, err = store(app, r, ask, once)
		return err
	})
	return r, err
}

// limitedKey keeps what a stranger chose from growing the throttle's keys.
func limitedKey(thread string) string {
	if thread = Normalize(thread); thread == "" {
		return "unknown"
	}
	return thread
}

// clean brings the fields into the form in which they are stored.
func (s *Submission) clean() {
	s.Author, s.Email, s.URL = tidyLine(s.Author), strings.ToLower(tidyLine(s.Email)), tidyLine(s.URL)
	s.Body = tidy(s.Body)
	if s.URL != "" && !strings.Contains(s.URL, "://") {
		s.URL = "https://" + s.URL
	}
	if p := s.Person; p != nil {
		s.Author, s.Email = firstOf(p.GetString("name"), s.Author, "…"), strings.ToLower(p.Email())
	}
	if utf8.RuneCountInString(s.Agent) > maxAgent {
		s.Agent = string([]rune(s.Agent)[:maxAgent])
	}
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// validate names each field that the visitor has to change.
func (s *Submission) validate(o Options) error {
	errs := validation.Errors{}
	bad := func(field, code, message string) { errs[field] = validation.NewError(code, message) }
	switch n := utf8.RuneCountInString(s.Body); {
	case n == 0:
		bad("body", "validation_required", "Write something first.")
	case n > MaxBody:
		bad("body", "validation_length_too_long", fmt.Sprintf("A comment may have at most %d characters; this one has %d.", MaxBody, n))
	}
	switch n := utf8.RuneCountInString(s.Author); {
	case n == 0:
		bad("author", "validation_required", "Say who you are; any name will do.")
	case n > maxAuthor:
		bad("author", "validation_length_too_long", "This name is too long.")
	}
	switch {
	case s.Email == "" && (o.RequireEmail || s.Notify):
		bad("email", "validation_required", "Leave your mail address. It is not shown to anyone.")
	case s.Email != "" && !validEmail(s.Email):
		bad("email", "validation_invalid_email", "This mail address is not complete.")
	}
	if s.URL != "" && !validURL(s.URL) {
		bad("url", "validation_invalid_url", "This is no web address; it should begin with https://.")
	}
	if len(errs) == 0 {
		return nil
	}
	return errs
}

func validEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || len(s) > maxEmail || strings.ContainsAny(s, "\"\r\n <>") {
		return false
	}
	_, domain, _ := strings.Cut(s, "@")
	return strings.Contains(domain, ".") && !strings.HasPrefix(domain, "[")
}

func validURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && len(s) <= maxURL && u.User == nil && (u.Scheme == "http" || u.Scheme == "https") && strings.Contains(u.Host, ".")
}

// record makes the comment, not yet saved.
func (s *Submission) record(app core.App, t Thread, o Options) (*core.Record, error) {
	c, err := app.FindCachedCollectionByNameOrId(schema.Comments)
	if err != nil {
		return nil, fmt.Errorf("make a comment: %w", err)
	}
	hash, err := spam.AddressHash(app, s.IP, time.Now())
	if err != nil {
		return nil, err
	}
	r := core.NewRecord(c)
	r.Set("id", core.GenerateDefaultRandomId())
	r.Set("thread", t.Address)
	r.Set("author", s.Author)
	r.Set("email", s.Email)
	r.Set("url", s.URL)
	r.Set("body", s.Body)
	r.Set("html", Render(s.Body, o.Images))
	r.Set("notify", s.Notify && o.MailReplies)
	r.Set("locale", firstOf(t.Locale, s.Locale))
	r.Set("address", hash)
	r.Set("agent", s.Agent)
	if p := s.Person; p != nil {
		if p.Collection().Name == schema.Staff || p.IsSuperuser() {
			r.Set("staff", p.Id)
			r.Set("badge", "author")
		} else {
			r.Set("user", p.Id)
		}
	}
	if s.Parent == "" {
		return r, nil
	}
	var up struct {
		Status string `db:"status"`
		Thread string `db:"thread"`
		Depth  int    `db:"depth"`
	}
	err = app.DB().Select("status", "thread", "depth").From(schema.Comments).Where(dbx.HashExp{"id": s.Parent}).One(&up)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("find the comment above: %w", err)
	}
	if err != nil || up.Thread != t.Address || up.Status != schema.CommentApproved || up.Depth >= maxBelow {
		return nil, validation.Errors{"parent": validation.NewError("validation_parent", "The comment that you answer is not there any more.")}
	}
	r.Set("parent", s.Parent)
	return r, nil
}

// judge asks the layers against spam. Staff are not asked.
func (s *Submission) judge(app core.App, t Thread, staff bool) (spam.Verdict, error) {
	if staff {
		return spam.Verdict{Probability: 0.5}, nil
	}
	return spam.Judge(app, spam.Submission{
		Purpose: spam.Comments, Key: "comment " + t.Address, IP: s.IP, Author: s.Author, Email: s.Email, URL: s.URL,
		Text: s.Body, Token: s.Token, Work: s.Work, Honeypot: s.Honeypot, Known: s.Person != nil,
	})
}

// decide gives the comment its status. ask means that Akismet has the last
// word before it is published.
func (s *Submission) decide(app core.App, t Thread, r *core.Record, v spam.Verdict, staff bool) (ask bool, err error) {
	if !staff {
		if err := checkPerson(app, s, &v); err != nil {
			return false, err
		}
	}
	status := schema.CommentPending
	switch action := v.Action(); {
	case staff:
		status = schema.CommentApproved
	case action == spam.File:
		status = schema.CommentSpam
	case action == spam.Hold || t.Policy == PolicyAllHeld:
	case t.Policy == PolicyOpen:
		status = schema.CommentApproved
	default:
		known, err := knownPerson(app, s)
		if err != nil {
			return false, err
		}
		if known {
			status = schema.CommentApproved
		}
	}
	if status == schema.CommentApproved && !staff && spam.UsesAkismet(app) {
		v.Add(spam.LayerAkismet, 0, "Akismet is being asked.")
		status, ask = schema.CommentPending, true
	}
	if status != schema.CommentApproved {
		if err := serviceOf(app).roomToWait(app); err != nil {
			return false, err
		}
	}
	r.Set("status", status)
	r.Set("score", v.Points())
	r.Set("verdict", v)
	return ask, nil
}

// checkPerson files what a blocked person writes.
func checkPerson(app core.App, s *Submission, v *spam.Verdict) error {
	hashes, err := spam.AddressHashes(app, s.IP, time.Now())
	if err != nil {
		return err
	}
	values := []string{"mail:" + s.Email}
	for _, h := range hashes {
		values = append(values, "address:"+h)
	}
	blocked, err := serviceOf(app).memory.isBlocked(app, values...)
	if blocked {
		v.Add(spam.LayerBlock, spam.FileAt, "This person is blocked.")
	}
	return err
}

// knownPerson reports whether the person has an approved comment: the same
// account, or the same name with the same mail address, or without one the
// same name from the same address of the network.
func knownPerson(app core.App, s *Submission) (bool, error) {
	where := dbx.HashExp{"status": schema.CommentApproved}
	switch {
	case s.Person != nil:
		where["user"] = s.Person.Id
	case s.Email != "":
		where["email"], where["author"] = s.Email, s.Author
	default:
		hashes, err := spam.AddressHashes(app, s.IP, time.Now())
		if err != nil {
			return false, err
		}
		where["author"], where["email"] = s.Author, ""
		values := make([]any, len(hashes))
		for i, h := range hashes {
			values[i] = h
		}
		where["address"] = values
	}
	var id string
	err := app.DB().Select("id").From(schema.Comments).Where(where).Limit(1).Row(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for earlier comments: %w", err)
	}
	return true, nil
}

// waiting remembers for a moment how much waits, so that a flood does not have
// it counted for each comment.
type waiting struct {
	mu   sync.Mutex
	at   time.Time
	full bool
}

// roomToWait refuses what would have to wait where too much waits already.
func (s *service) roomToWait(app core.App) error {
	w := &s.waiting
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.at) > time.Second {
		var n int
		err := app.DB().NewQuery(`SELECT max((SELECT count(*) FROM comments WHERE status = 'pending'),
			(SELECT count(*) FROM comments WHERE status = 'spam'))`).Row(&n)
		if err != nil {
			return fmt.Errorf("count what waits: %w", err)
		}
		w.at, w.full = time.Now(), n >= s.mostWaiting
	}
	if w.full {
		return router.NewApiError(http.StatusServiceUnavailable, "Very many comments are waiting to be read. Please try again tomorrow.", nil)
	}
	return nil
}

// personKey stands for one visitor in reactions: an account or a keyed hash.
func personKey(app core.App, person *core.Record, ip string) (string, error) {
	if person != nil {
		return "user:" + person.Id, nil
	}
	return spam.AddressHash(app, ip, time.Now())
}

// Package spam is what comments and forms share against spam: it judges what
// a stranger wrote and says why.
//
// It promises that each point of a verdict has a reason in words, that a
// missing, old or wrong token lowers trust and never refuses, that everything
// a stranger makes it remember has a limit, and that of an address of the
// network only a keyed hash is ever kept, whose key is thrown away after a
// while. It never calls the outside world from Judge, never learns by itself,
// and never decides: the caller does, by Verdict.Action.
//
// A visitor's form carries three fields: _t and _pow from GET
// /api/site/challenge, and the honeypot _hp, which people don't see. The
// theme's script /assets/js/challenge.js fills them in. Use:
//
//	err := spam.Of(app).Allow(ip, form)           // 429, before anything else
//	v, err := spam.Judge(app, spam.Submission{…}) // outside a transaction
//	switch v.Action() { case spam.Accept: … }
//	spam.Learn(tx, spam.Forms, id, text, spam.Good) // as staff decide
package spam

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/limit"
	"github.com/pocketbase/pocketbase/core"
)

// Purpose names whose learning counts. Comments and forms see different spam.
type Purpose string

// The purposes.
const (
	Comments Purpose = "comments"
	Forms    Purpose = "forms"
	Mail     Purpose = "mail" // neither links nor many at once count: signatures and mailboxes have them
)

// purposes are all of them.
var purposes = []Purpose{Comments, Forms, Mail}

// Action is what to do with a submission.
type Action string

// The actions, from good to bad.
const (
	Accept Action = "accept" // publish or deliver it
	Hold   Action = "hold"   // let a person decide
	File   Action = "spam"   // keep it among the spam
)

// A submission with HoldAt points is held, with FileAt points it is spam.
const (
	HoldAt = 50
	FileAt = 100
)

// Layers that a Reason may name. Hooks add names of their own.
const (
	LayerHoneypot   = "honeypot"
	LayerTime       = "time"
	LayerWork       = "work"
	LayerFlood      = "flood"
	LayerDuplicate  = "duplicate"
	LayerLinks      = "links"
	LayerBlock      = "block"
	LayerDisposable = "disposable"
	LayerWords      = "words"
	LayerAkismet    = "akismet"
)

// Submission is what a visitor sent.
type Submission struct {
	Purpose Purpose
	// Key is what it was sent to: a thread, a form.
	Key string
	// IP is the visitor's address, as PocketBase's RealIP gives it.
	IP     string
	Author string
	Email  string
	URL    string
	// Text is everything that the visitor wrote freely.
	Text string
	// Token, Work and Honeypot are the fields _t, _pow and _hp.
	Token, Work, Honeypot string
	// Known is a person whom the site trusts already, such as a signed-in
	// member: then neither time nor proof of work is asked for.
	Known bool
}

// Reason is why a layer gave points.
type Reason struct {
	Layer  string `json:"layer"`
	Points int    `json:"points"`
	Detail string `json:"detail"` // one sentence for the moderator
}

// Word is a word or pair of words that counted in the learned filter.
type Word struct {
	Word string  `json:"word"`
	Spam float64 `json:"spam"` // 0 (only in good ones) to 1 (only in spam)
}

// Verdict is what the layers found.
type Verdict struct {
	Reasons []Reason `json:"reasons,omitempty"`
	// Probability is the learned filter's, 0.5 where it knows too little.
	Probability float64 `json:"probability"`
	// Words are those that counted most in it, the strongest first.
	Words []Word `json:"words,omitempty"`
}

// Add notes a reason.
func (v *Verdict) Add(layer string, points int, detail string, args ...any) {
	v.Reasons = append(v.Reasons, Reason{Layer: layer, Points: points, Detail: fmt.Sprintf(detail, args...)})
}

// Points is the sum of all reasons.
func (v Verdict) Points() int {
	n := 0
	for _, r := range v.Reasons {
		n += r.Points
	}
	return n
}

// soft are the layers that also find people: those without JavaScript, those
// who are quick, those who write twice, and everybody on a busy day.
func (r Reason) soft() bool {
	switch r.Layer {
	case LayerWork, LayerTime, LayerFlood:
		return true
	case LayerDuplicate:
		return r.Points <= HoldAt
	}
	return false
}

// Certain reports whether the points amount to spam and not all of them are of
// layers that also find people. A shop loses a customer with each letter that is
// filed wrongly.
func (v Verdict) Certain() bool {
	hard := 0
	for _, r := range v.Reasons {
		if !r.soft() {
			hard += r.Points
		}
	}
	return hard > 0 && v.Points() >= FileAt
}

// Action is what the points amount to.
func (v Verdict) Action() Action {
	switch points := v.Points(); {
	case points >= FileAt:
		return File
	case points >= HoldAt:
		return Hold
	}
	return Accept
}

// Filter is the memory of one app: throttles, spent proofs, recent texts and
// the learned words.
type Filter struct {
	app core.App
	now func() time.Time

	address *limit.Limiter // what one visitor may send
	flood   *limit.Limiter // what one thread or form takes without suspicion
	key     *limit.Limiter // and what it takes at all

	spent  spent
	recent recent

	model   models
	options optionsCache
	salts   salts

	keysOnce sync.Once
	keys     keys
	keysErr  error
}

// What strangers may send. A visitor may post at least ten times a minute.
const (
	perAddressBurst = 20
	perAddressEvery = 4 * time.Second
	floodBurst      = 30
	floodEvery      = 2 * time.Second
	perKeyBurst     = 600
	perKeyEvery     = 100 * time.Millisecond
)

// Of returns the app's filter, which is the same for its transactions.
func Of(app core.App) *Filter {
	return app.Store().GetOrSet("bungalow.spam", func() any { return newFilter(app, time.Now) }).(*Filter)
}

func newFilter(app core.App, now func() time.Time) *Filter {
	throttle := func(burst int, every time.Duration) *limit.Limiter {
		return limit.New(limit.Config{Burst: burst, Every: every, Keys: 1 << 14, Now: now})
	}
	return &Filter{
		app: app, now: now,
		address: throttle(perAddressBurst, perAddressEvery),
		flood:   throttle(floodBurst, floodEvery),
		key:     throttle(perKeyBurst, perKeyEvery),
	}
}

// Register has the filter follow what changes in the database. Call it once.
func Register(app core.App) {
	f := Of(app)
	c := cache.Of(app)
	c.OnBump(f.model.forget, changed)
	c.OnBump(f.options.forget, "settings")
	app.Cron().MustAdd("bungalowSpamSweep", "17 4 * * *", func() {
		if err := Sweep(app, time.Now()); err != nil {
			app.Logger().Error("the spam filter could not be tidied", "error", err)
		}
	})
}

// changed is the cache key of the learned words for who writes them in another way.
const changed = "spam"

// TooManyError says that a visitor sent too much; answer 429 with Retry-After.
type TooManyError struct{ After time.Duration }

// Error is a sentence for the visitor.
func (e *TooManyError) Error() string {
	return fmt.Sprintf("You are sending a lot at once. Please try again in %d seconds.", e.Seconds())
}

// Seconds is the value of Retry-After.
func (e *TooManyError) Seconds() int { return int((e.After + time.Second - 1) / time.Second) }

// Allow takes one sending of the visitor at ip to the thread or form named
// key. The error is a *TooManyError.
func (f *Filter) Allow(ip, key string) error {
	if f.loadOptions().NoLimits {
		return nil
	}
	if ok, after := f.address.Allow(limit.AddressKey(ip)); !ok {
		return &TooManyError{after}
	}
	if ok, after := f.key.Allow(key); !ok {
		return &TooManyError{after}
	}
	return nil
}

// Judge runs every layer over the submission. Call it outside a transaction:
// its memory counts the submission as seen.
func Judge(app core.App, s Submission) (Verdict, error) {
	f := Of(app)
	o := f.loadOptions()
	now := f.now()
	v := Verdict{Probability: 0.5}
	if strings.TrimSpace(s.Honeypot) != "" {
		v.Add(LayerHoneypot, FileAt, "A field was filled in that people don't see.")
	}
	if !s.Known && !o.NoWork {
		if err := f.checkTokens(&v, s, o, now); err != nil {
			return v, err
		}
	}
	if !o.NoLimits && s.Purpose != Mail { // a mailbox that is read for the first time has many
		if ok, _ := f.flood.Allow(s.Key); !ok {
			v.Add(LayerFlood, HoldAt, "Very many arrived here within a minute.")
		}
	}
	f.recent.check(&v, s, now)
	if s.Purpose != Mail {
		checkLinks(&v, s, o)
	}
	checkBlocked(&v, s, o)
	if err := f.checkWords(&v, s); err != nil {
		return v, err
	}
	return v, nil
}

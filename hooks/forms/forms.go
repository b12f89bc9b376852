// Package forms takes what visitors write: forms that staff put together, the
// page and the shortcode that show them, and the door that takes what is sent.
//
// It promises that an accepted submission is stored before it is acknowledged,
// in one transaction with its conversation and the jobs of its mails; that the
// same post twice is one submission; that spam is filed and not dropped; and
// that every refusal says which field is wrong and why. It never unpacks a
// file, never shows one to a stranger, and never puts what a visitor typed
// into a header, a template or a page without escaping.
package forms

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/secret"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/together"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// Feature is the name of the settings record.
const Feature = "forms"

// Options are what the owner may set for all forms.
type Options struct {
	// MaxPerDay is how many submissions a form takes in a day (UTC) unless it
	// has a number of its own.
	MaxPerDay int `json:"max_per_day" label:"Most submissions a day" help:"Of one form, spam included. A form may have its own number." min:"1" max:"1000000"`
	// SpamDays is how long spam is kept.
	SpamDays int `json:"spam_days" label:"Keep spam for" unit:"days" min:"1" max:"365"`
	// MailsPerHour is how many notifications a recipient gets of one form in an
	// hour; one more says that there are more.
	MailsPerHour int `json:"mails_per_hour" label:"Most notifications an hour" help:"Of one form. After that one mail says that more has come." min:"1" max:"1000"`
}

// Defaults are the options of a site whose owner has set nothing.
func Defaults() Options { return Options{MaxPerDay: 50_000, SpamDays: 30, MailsPerHour: 60} }

// Validate names the first number that is out of range.
func (o Options) Validate() error {
	switch {
	case o.MaxPerDay < 1 || o.MaxPerDay > 1_000_000:
		return errors.New("max_per_day: choose a number from 1 to 1000000")
	case o.SpamDays < 1 || o.SpamDays > 365:
		return errors.New("spam_days: choose a number from 1 to 365")
	case o.MailsPerHour < 1 || o.MailsPerHour > 1000:
		return errors.New("mails_per_hour: choose a number from 1 to 1000")
	}
	return nil
}

// perDay is the form's most in a day.
func (o Options) perDay(f *Form) int {
	if f.MaxPerDay > 0 {
		return f.MaxPerDay
	}
	return o.MaxPerDay
}

// Config is what forms is given by those who wire it.
type Config struct {
	// Inbox answers what forms asks of the inbox feature; nil without it.
	Inbox Inbox
	// Site shows pages in the site's frame; nil without the site, where a form
	// stands alone on its page.
	Site Site
	// Now is the time source (default time.Now).
	Now func() time.Time
}

// Register binds the hooks of forms and submissions, the shortcode, the jobs of
// their mails and the nightly sweep. Every app has it once.
func Register(app core.App, cfg Config) error {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &service{cfg: cfg, now: cfg.Now}
	if app.Store().GetOrSet(storeKey, func() any { return s }) != any(s) {
		return errors.New("forms is registered twice for this app")
	}
	app.OnRecordValidate(schema.Forms).BindFunc(validateForm)
	app.OnRecordDeleteExecute(schema.Submissions).BindFunc(forgetSubmission)
	app.OnRecordUpdateExecute(schema.Conversations).BindFunc(followConversation)
	bindErase(app)
	queue.Register(app, queue.Kind{Name: notifyKind, Do: s.notify, Concurrency: 2})
	app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{Id: "bungalowForms", Func: s.shortcode})
	return app.Cron().Add("bungalowFormsSweep", "43 3 * * *", func() {
		if err := Sweep(app, s.now()); err != nil {
			app.Logger().Error("old submissions could not be removed", "error", err)
		}
	})
}

const storeKey = "bungalow.forms"

// service is the state of one app.
type service struct {
	cfg      Config
	now      func() time.Time
	known    sync.Map // slug → *known
	together together.Writer[*draft]
	quota    quota
	told     hourly

	mu      sync.Mutex
	opts    Options
	optsAt  cache.Stamp
	hashKey []byte
}

// of gives the app's service, the same in a transaction.
func of(app core.App) (*service, error) {
	s, ok := app.Store().Get(storeKey).(*service)
	if !ok {
		return nil, errors.New("forms are not set up for this app")
	}
	return s, nil
}

// options reads the settings, from memory while they don't change.
func (s *service) options(app core.App) Options {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.optsAt.Fresh() {
		return s.opts
	}
	stamp := cache.Of(app).Stamp()
	stamp.Uses(schema.Settings)
	o, err := settings.Load(app, Feature, Defaults())
	if err == nil {
		err = o.Validate()
	}
	if err != nil {
		app.Logger().Error("the settings of forms can't be used", "error", err)
		o = Defaults()
	}
	s.opts, s.optsAt = o, stamp
	return o
}

// key is what submissions are known again by.
func (s *service) key(app core.App) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hashKey == nil {
		key, err := secret.Derive(app, "form submissions")
		if err != nil {
			return nil, fmt.Errorf("know submissions again: %w", err)
		}
		s.hashKey = key
	}
	return s.hashKey, nil
}

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
	"github.com/pocketbase/pocketbase/core"
)

// Config is what forms is given by those who wire it.
type Config struct {
	// Inbox answers what forms asks of the inbox feature; nil without it.
	Inbox Inbox
}

// Register binds the hooks of forms and submissions.
func Register(app core.App, cfg Config) error {
	app.Store().Set(storeKey, &service{cfg: cfg})
	return nil
}

const storeKey = "bungalow.forms"

// service is the state of one app.
type service struct {
	cfg Config
}

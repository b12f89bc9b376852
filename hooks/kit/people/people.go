// Package people knows who may sign in: the staff's accounts, the owner's twin
// among PocketBase's superusers, the throttle, one-time links and second
// factors. It has no page; the desk (hooks/desk) is its face.
//
// It promises, for the desk and for PocketBase's API alike, that guessing is
// slow per account and per address, that a known account can't be told from an
// unknown one, that what an inactive account held dies at once, that a second
// factor can't be walked around, and that the site is never without an owner. It
// keeps no password, code or link in a form that can be used.
package people

import (
	"bungalow/hooks/kit/queue"
	"github.com/pocketbase/pocketbase/core"
)

// Register binds the promises to the app.
func Register(app core.App) {
	bindThrottle(app)
	bindGuards(app)
	bindTwins(app)
	queue.Register(app, queue.Kind{Name: resetKind, Do: sendReset})
	queue.Register(app, queue.Kind{Name: codeKind, Do: sendCode})
}

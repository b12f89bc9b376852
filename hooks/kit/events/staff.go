package events

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// SignInEvent is what staff.OnSignIn announces.
type SignInEvent struct {
	hook.Event
	App core.App
	// Person is the member of staff, or a superuser, who proved to be it.
	Person *core.Record
	// Method is how: "password", "code", "passkey", "oauth2", "dashboard",
	// "welcome", "invitation" or "reset" at the desk; "api" at PocketBase's API.
	Method string
	// Factor is the second factor that was asked for: "", "totp" or "recovery".
	Factor string
	// Address is the IP address, as PocketBase's RealIP gives it.
	Address string
}

// OnSignIn fires when somebody of the staff proved who it is, before the session
// or the token is given out. An error refuses the sign-in; the text of an
// ApiError is shown.
func OnSignIn(app core.App) *hook.Hook[*SignInEvent] {
	return Of[*SignInEvent](app, "staff.OnSignIn")
}

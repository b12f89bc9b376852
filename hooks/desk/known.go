package desk

import (
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

// IsStaff reports whether a session of the desk comes with a request for any
// page of the site.
func IsStaff(e *core.RequestEvent) (bool, error) {
	_, person, err := enter(e)
	return person != nil && web.Allowed(person, web.Staff), err
}

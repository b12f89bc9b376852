// Package web turns a feature's table of routes into doors: who may pass, how
// large a body may be, which headers an answer has. A forgotten Access is the
// owner's, so that a mistake closes a door instead of opening one.
package web

import (
	"net/http"
	"strconv"

	"bungalow/hooks/kit/roles"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"
)

// Access says who may use a route: Owner, Public, Staff, or the name of a
// permission of kit/roles.
type Access string

// The kinds of access that are not a permission.
const (
	Owner  Access = ""
	Public Access = "public"
	Staff  Access = "staff"
)

// DefaultBody is the largest request body of a route that names none, in bytes.
const DefaultBody = 1 << 20

// Route is one door of a feature.
type Route struct {
	Method string
	Path   string // a net/http pattern without a trailing slash
	Access Access
	Body   int64 // largest request body in bytes; 0 means DefaultBody
	Do     func(e *core.RequestEvent) error
}

// Mount puts the routes on PocketBase's router.
func Mount(r *router.Router[*core.RequestEvent], routes []Route) {
	for _, route := range routes {
		size := route.Body
		if size == 0 {
			size = DefaultBody
		}
		r.Route(route.Method, route.Path, route.Do).
			Bind(apis.BodyLimit(size)).
			BindFunc(guard(route.Access), headers)
	}
}

func headers(e *core.RequestEvent) error {
	Harden(e.Response.Header(), Secure(e))
	return e.Next()
}

// guard refuses who may not pass: 401 to strangers, 403 to the others.
func guard(access Access) func(*core.RequestEvent) error {
	return func(e *core.RequestEvent) error {
		if Allowed(e.Auth, access) {
			return e.Next()
		}
		if e.Auth == nil {
			return e.UnauthorizedError("Sign in to do this.", nil)
		}
		return e.ForbiddenError("Your account may not do this.", nil)
	}
}

// Allowed reports whether the signed-in record, nil for a stranger, has access.
func Allowed(auth *core.Record, access Access) bool {
	switch access {
	case Public:
		return true
	case Staff:
		return auth != nil && (auth.IsSuperuser() || roles.IsActiveStaff(auth))
	case Owner:
		return roles.Allows(auth, roles.StaffManage)
	default:
		return roles.Allows(auth, roles.Permission(access))
	}
}

// RetryAfter sees to it that every 429, PocketBase's own included, says when
// to come back: after the longest window of the rate limits, in seconds.
func RetryAfter() *hook.Handler[*core.RequestEvent] {
	return &hook.Handler[*core.RequestEvent]{
		Id: "bungalowRetryAfter",
		Func: func(e *core.RequestEvent) error {
			err := e.Next()
			if err == nil {
				return nil
			}
			if router.ToApiError(err).Status == http.StatusTooManyRequests && e.Response.Header().Get("Retry-After") == "" {
				window := int64(5)
				for _, rule := range e.App.Settings().RateLimits.Rules {
					window = max(window, rule.Duration)
				}
				e.Response.Header().Set("Retry-After", strconv.FormatInt(window, 10))
			}
			return err
		},
		Priority: apis.DefaultRateLimitMiddlewarePriority - 1,
	}
}

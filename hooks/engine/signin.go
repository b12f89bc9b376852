package engine

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"sync"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// keySignIn is where a request keeps its turn.
const keySignIn = "bungalowSignIn"

// bindSignIn lets half of the processors hash passwords at once; a hash keeps
// one busy for a tenth of a second. Who signs in or changes a password waits
// for a turn as long as the request lives; nobody else waits for anything.
func bindSignIn(app core.App) *turns {
	turns := newTurns(max(1, runtime.GOMAXPROCS(0)/2))
	app.OnRecordAuthWithPasswordRequest().Bind(&hook.Handler[*core.RecordAuthWithPasswordRequestEvent]{
		Priority: last, // the password is compared right after it
		Func: func(e *core.RecordAuthWithPasswordRequestEvent) error {
			return turns.hold(e.RequestEvent, e.Next)
		},
	})
	app.OnRecordConfirmPasswordResetRequest().Bind(&hook.Handler[*core.RecordConfirmPasswordResetRequestEvent]{
		Priority: last,
		Func: func(e *core.RecordConfirmPasswordResetRequestEvent) error {
			return turns.hold(e.RequestEvent, e.Next)
		},
	})
	// Once the password is accepted the turn is over: what follows may send
	// mail, or ask somebody's hooks.
	app.OnRecordAuthRequest().Bind(&hook.Handler[*core.RecordAuthRequestEvent]{
		Priority: -last,
		Func: func(e *core.RecordAuthRequestEvent) error {
			if release, ok := e.Get(keySignIn).(func()); ok {
				release()
			}
			return e.Next()
		},
	})
	app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{
			Id: "bungalowNewPassword", Priority: last, // so that nobody changes the body after it was read
			Func: func(e *core.RequestEvent) error {
				if setsPassword(e) {
					return turns.hold(e, e.Next)
				}
				return e.Next()
			},
		})
		return e.Next()
	})
	return turns
}

// setsPassword reports whether a record of accounts is saved with a password,
// which PocketBase hashes while it reads the body.
func setsPassword(e *core.RequestEvent) bool {
	if e.Request.Method != http.MethodPost && e.Request.Method != http.MethodPatch {
		return false
	}
	name := e.Request.PathValue("collection")
	if name == "" || !strings.Contains(e.Request.Pattern, "/collections/{collection}/records") {
		return false
	}
	c, err := e.App.FindCachedCollectionByNameOrId(name)
	if err != nil || !c.IsAuth() {
		return false
	}
	info, err := e.RequestInfo() // PocketBase reads it the same way, and once
	if err != nil {
		return false
	}
	_, sets := info.Body[core.FieldNamePassword]
	return sets
}

// turns are places that requests wait for in the order in which they came.
type turns struct{ free chan struct{} }

func newTurns(n int) *turns { return &turns{free: make(chan struct{}, n)} }

// take waits for a place; release may be called more than once.
func (t *turns) take(ctx context.Context) (release func(), err error) {
	select {
	case t.free <- struct{}{}:
		return sync.OnceFunc(func() { <-t.free }), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// hold runs next in a turn, unless the request has one already.
func (t *turns) hold(e *core.RequestEvent, next func() error) error {
	if e.Get(keySignIn) != nil {
		return next()
	}
	release, err := t.take(e.Request.Context())
	if err != nil {
		return err // whoever asked is gone
	}
	defer release()
	e.Set(keySignIn, release)
	return next()
}

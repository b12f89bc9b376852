// Package engine makes PocketBase answer faster without changing an answer.
//
// It promises that every status, header, body, hook and log row stays what
// plain PocketBase gives, and that a memory of its own never outlives the
// change of what it was made from. It never answers from memory, or by a
// shorter way, where a hook of somebody else could tell the difference: there
// PocketBase's own code runs.
//
// Everything goes through doors that PocketBase leaves open: middlewares with
// an id, event hooks, the query builder of a pool and runtime settings. The
// parts know nothing of each other; --without engine leaves all of them out.
package engine

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

// Options says which parts run. The zero value runs none.
type Options struct {
	// ActivityLog writes PocketBase's request log in batches.
	ActivityLog bool
	// Process sets the garbage collector by the size of the machine.
	Process bool
	// Realtime sends events to subscribers after the answer that caused them.
	Realtime bool
	// Tokens remembers the accounts of verified tokens for a short while.
	Tokens bool
	// Count counts the rows of lists without sorting them out first.
	Count bool
	// JSON writes lists and views without PocketBase's detours.
	JSON bool
	// SignIn bounds how many passwords are hashed at once.
	SignIn bool
	// Scans bounds how many strangers' searches read whole tables at once.
	Scans bool
	// Responses answers lists and views from memory while nothing changes.
	Responses bool
}

// All runs every part.
func All() Options {
	return Options{
		ActivityLog: true,
		Process:     true,
		Realtime:    true,
		Tokens:      true,
		Count:       true,
		JSON:        true,
		SignIn:      true,
		Scans:       true,
		Responses:   true,
	}
}

// Parts are the names of all parts.
func Parts() []string {
	var names []string
	for field := range reflect.TypeFor[Options]().Fields() {
		names = append(names, field.Name)
	}
	return names
}

// Without switches parts off by their names, to find out which one is to blame
// for something.
func (o Options) Without(parts ...string) (Options, error) {
	for _, name := range parts {
		if !slices.Contains(Parts(), name) {
			return o, fmt.Errorf("the engine has no part %q; its parts are %s", name, strings.Join(Parts(), ", "))
		}
		reflect.ValueOf(&o).Elem().FieldByName(name).SetBool(false)
	}
	return o, nil
}

// Engine is what one app's parts have in common: their counters.
type Engine struct {
	log       *activityLog
	answers   *answers
	signIn    *turns
	scans     *scans
	responses *responses
	shortcut  *shortcut
	realtime  *hub
}

// Of returns the app's engine; one that counts nothing where none is
// registered.
func Of(app core.App) *Engine {
	return app.Store().GetOrSet("bungalow.engine", func() any { return &Engine{} }).(*Engine)
}

// Register binds the parts that are asked for to app.
func Register(app core.App, o Options) error {
	e := Of(app)
	if o.ActivityLog {
		e.log = bindActivityLog(app)
	}
	if o.Process {
		bindProcess(app)
	}
	if o.Realtime {
		e.realtime = bindRealtime(app)
	}
	var commits *commits
	if o.Tokens || o.Responses {
		commits = bindCommits(app)
	}
	var tokens *tokens
	if o.Tokens {
		tokens = bindTokens(app, commits)
	}
	if o.Count {
		bindCount(app)
	}
	if o.JSON {
		e.answers = bindJSON(app)
	}
	if o.SignIn {
		e.signIn = bindSignIn(app)
	}
	if o.Responses { // before Scans: what is in memory waits for no turn
		own := 0
		if o.JSON {
			own = jsonHooks
		}
		e.responses = bindResponses(app, commits, own)
		bindShortcut(app, e, tokens)
	}
	if o.Scans {
		e.scans = bindScans(app)
	}
	return nil
}

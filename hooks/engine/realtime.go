package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/subscriptions"
)

const (
	// first lets a handler come before everybody else's.
	first = -1 << 30
	// afterRecordHooks and beforeDeleteRuns are where PocketBase binds its own
	// broadcasts; handlers of equal priority run in the order they were bound.
	afterRecordHooks = -99
	beforeDeleteRuns = 99
	// beforeTheServerStops comes before the site's own stop (-10000).
	beforeTheServerStops = -10_001
	// drain is how long a stop waits for what subscribers are still owed.
	drain = 2 * time.Second

	realtimeBegin = "bungalowRealtimeBegin"
	realtimeEnd   = "bungalowRealtimeEnd"
)

// bindRealtime lets a hub send what subscribers are to hear.
//
// PocketBase's own broadcasts have no id to replace them by. They ask the
// event's app for its subscribers, so between the two handlers that are bound
// around them the event carries an app that has none.
func bindRealtime(app core.App) *hub {
	h := newHub(app)
	bind := func(on *hook.TaggedHook[*core.ModelEvent], priority int, do func(*core.ModelEvent) bool) {
		on.Bind(&hook.Handler[*core.ModelEvent]{Id: realtimeBegin, Priority: priority, Func: h.instead(do)})
	}
	bind(app.OnModelAfterCreateSuccess(), afterRecordHooks, h.created)
	bind(app.OnModelAfterUpdateSuccess(), afterRecordHooks, h.updated)
	bind(app.OnModelAfterDeleteSuccess(), afterRecordHooks, h.deleted)
	bind(app.OnModelDelete(), beforeDeleteRuns, h.deleting)

	app.OnRealtimeConnectRequest().Bind(&hook.Handler[*core.RealtimeConnectRequestEvent]{
		Priority: first, Func: h.welcome,
	})
	app.OnRealtimeConnectRequest().Bind(&hook.Handler[*core.RealtimeConnectRequestEvent]{
		Priority: last, Func: h.attend,
	})
	// The router has bound PocketBase's broadcasts by now.
	app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{
		Priority: first,
		Func: func(e *core.ServeEvent) error {
			h.bindEnds(app)
			h.serving.Store(true)
			return e.Next()
		},
	})
	app.OnTerminate().Bind(&hook.Handler[*core.TerminateEvent]{
		Priority: beforeTheServerStops,
		Func: func(e *core.TerminateEvent) error {
			ctx, cancel := context.WithTimeout(context.Background(), drain)
			defer cancel()
			if err := h.stop(ctx); err != nil {
				e.App.Logger().Warn("some realtime messages were not delivered before the stop", "error", err)
			}
			return e.Next()
		},
	})
	return h
}

// bindEnds gives events their app back right after PocketBase's broadcasts.
func (h *hub) bindEnds(app core.App) {
	bind := func(on *hook.TaggedHook[*core.ModelEvent], priority int) {
		on.Unbind(realtimeEnd) // else it keeps its place, before a second router's broadcasts
		on.Bind(&hook.Handler[*core.ModelEvent]{Id: realtimeEnd, Priority: priority, Func: func(e *core.ModelEvent) error {
			restore(e)
			return e.Next()
		}})
	}
	bind(app.OnModelAfterCreateSuccess(), afterRecordHooks)
	bind(app.OnModelAfterUpdateSuccess(), afterRecordHooks)
	bind(app.OnModelAfterDeleteSuccess(), afterRecordHooks)
	bind(app.OnModelDelete(), beforeDeleteRuns)
}

// bound counts the hub's own handlers of a created model, which pass log rows
// by.
func (h *hub) bound() int {
	switch {
	case h == nil:
		return 0
	case h.serving.Load():
		return 2
	}
	return 1
}

// unheard is an app without subscribers.
type unheard struct {
	core.App
	nobody *subscriptions.Broker
}

// SubscriptionsBroker has no clients.
func (u *unheard) SubscriptionsBroker() *subscriptions.Broker { return u.nobody }

func restore(e *core.ModelEvent) {
	if u, ok := e.App.(*unheard); ok {
		e.App = u.App
	}
}

// instead runs do in place of PocketBase's broadcast where do says that it has
// taken the event over.
func (h *hub) instead(do func(*core.ModelEvent) bool) func(*core.ModelEvent) error {
	return func(e *core.ModelEvent) error {
		if !h.serving.Load() || e.App.SubscriptionsBroker().TotalClients() == 0 || !h.safely(do, e) {
			return e.Next()
		}
		e.App = &unheard{App: e.App, nobody: h.nobody}
		defer restore(e)
		return e.Next()
	}
}

// safely keeps a panic, such as that of somebody's own kind of field, from
// the request, as PocketBase does.
func (h *hub) safely(do func(*core.ModelEvent) bool, e *core.ModelEvent) (taken bool) {
	defer func() {
		if r := recover(); r != nil {
			h.app.Logger().Error("a realtime event was not sent", "panic", fmt.Sprint(r))
			taken = true
		}
	}()
	return do(e)
}

// leave reports whether PocketBase should broadcast itself, because hooks want
// to see the record once per subscriber. What came before has been sent then.
func (h *hub) leave(app core.App) bool {
	if app.OnRecordEnrich().Length() == 0 {
		return false
	}
	_ = h.settle(context.Background())
	return true
}

func (h *hub) created(e *core.ModelEvent) bool {
	if h.leave(e.App) {
		return false
	}
	if record := recordOf(e.App, e.Model); record != nil {
		h.broadcast(e.App, "create", record)
	}
	return true
}

func (h *hub) updated(e *core.ModelEvent) bool {
	if h.leave(e.App) {
		return false
	}
	if record := recordOf(e.App, e.Model); record != nil {
		if record.Collection().IsAuth() {
			refreshAuth(e.App, record)
		}
		h.broadcast(e.App, "update", record)
	}
	return true
}

// deleting decides who will hear of it while the record and all that rules may
// ask of is still there; rules are asked outside of the delete's transaction.
func (h *hub) deleting(e *core.ModelEvent) bool {
	if h.leave(e.App) {
		return false
	}
	record := recordOf(e.App, e.Model)
	if record == nil {
		return true
	}
	news := h.news(e.App, "delete", record)
	if news == nil {
		return true
	}
	news.access = h.app
	news.admit(h.app.ConcurrentDB())
	key := dryKey(record)
	for _, out := range news.encode() {
		for _, c := range out.clients {
			kept, _ := c.Get(key).([]subscriptions.Message)
			c.Set(key, append(kept, out.message))
		}
	}
	return true
}

func (h *hub) deleted(e *core.ModelEvent) bool {
	collection := collectionOf(e.App, e.Model)
	if collection == nil {
		return true
	}
	key := dryKey(e.Model)
	var out []outgoing
	for _, c := range e.App.SubscriptionsBroker().Clients() {
		if auth := authOf(c); collection.IsAuth() && auth != nil &&
			auth.Id == e.Model.PK() && auth.Collection().Name == e.Model.TableName() {
			c.Unset(apis.RealtimeClientAuthKey)
		}
		kept, ok := c.Get(key).([]subscriptions.Message)
		if !ok {
			continue
		}
		c.Unset(key)
		for _, m := range kept {
			out = append(out, outgoing{clients: []subscriptions.Client{c}, message: m})
		}
	}
	if len(out) > 0 {
		h.add(&task{ready: out})
	}
	return true
}

// refreshAuth gives subscribers who are signed in as the account its new
// state, and signs them out where its tokens ended.
func refreshAuth(app core.App, account *core.Record) {
	for _, c := range app.SubscriptionsBroker().Clients() {
		auth := authOf(c)
		if auth == nil || auth.Id != account.Id || auth.Collection().Name != account.Collection().Name {
			continue
		}
		if auth.TokenKey() != account.TokenKey() {
			c.Unset(apis.RealtimeClientAuthKey)
		} else {
			c.Set(apis.RealtimeClientAuthKey, account.Clone()) // whoever saved it may change it again
		}
	}
}

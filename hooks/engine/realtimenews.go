package engine

import (
	"context"
	"database/sql"
	"encoding/json/v2"
	"fmt"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/picker"
	"github.com/pocketbase/pocketbase/tools/search"
	"github.com/pocketbase/pocketbase/tools/subscriptions"
)

// fewChecks is how many questions to the database a request asks itself;
// more are asked later, of the state at its commit.
const fewChecks = 8

// news is one event on its way to its audiences.
type news struct {
	app        core.App
	access     core.App // whose collections rules are read with
	action     string
	record     *core.Record // the event's own copy
	collection *core.Collection
	readers    []*reader
	asked      map[question]bool
	expands    bool
	encoded    map[view][]byte
}

// reader is an audience and the rule that its topic is under.
type reader struct {
	*audience
	info     *core.RequestInfo
	rule     *string
	admitted bool
	// email reports whether the reader sees an address that others don't.
	email bool
}

// question is a rule or a filter for those of whom it says the same.
type question struct{ rule, whom string }

// view is what makes one encoding differ from another.
type view struct {
	super, email bool
	fields       string
	expandFor    *audience
}

// news collects who may be interested, nil where nobody is.
func (h *hub) news(app core.App, action string, record *core.Record) *news {
	collection := record.Collection()
	if collection == nil {
		return nil
	}
	rules := map[string]*string{
		collection.Name + "/" + record.Id: collection.ViewRule,
		collection.Id + "/" + record.Id:   collection.ViewRule,
		collection.Name + "/*":            collection.ListRule,
		collection.Id + "/*":              collection.ListRule,
		collection.Name:                   collection.ListRule,
		collection.Id:                     collection.ListRule,
	}
	n := &news{app: app, access: app, action: action, collection: collection}
	for name, rule := range rules {
		for _, a := range h.index.audiences(name) {
			n.interest(a, rule)
		}
	}
	broker := app.SubscriptionsBroker()
	if int64(broker.TotalClients()) > h.counted.Load() {
		for _, c := range broker.Clients() {
			if _, ok := c.(*realtimeClient); ok {
				continue
			}
			for name, rule := range rules {
				for sub, options := range c.Subscriptions(name + "?") {
					auth := authOf(c)
					n.interest(&audience{
						sub: sub, options: options, auth: auth, class: fmt.Sprintf("%p", auth), clients: []subscriptions.Client{c},
					}, rule)
				}
			}
		}
	}
	if len(n.readers) == 0 {
		return nil
	}
	n.record = record.Fresh()
	return n
}

func (n *news) interest(a *audience, rule *string) {
	info := &core.RequestInfo{
		Context: core.RequestInfoContextRealtime,
		Method:  "GET",
		Query:   a.options.Query,
		Headers: a.options.Headers,
		Auth:    a.auth,
	}
	if rule == nil && !info.HasSuperuserAuth() {
		return
	}
	n.expands = n.expands || info.Query["expand"] != ""
	n.readers = append(n.readers, &reader{audience: a, info: info, rule: rule})
}

// broadcast hands a create or update over. What a rule says is asked of the
// database as it is at the event, never as it becomes: by then another write
// may have opened the record to those who were not to see what it was.
func (h *hub) broadcast(app core.App, action string, record *core.Record) {
	n := h.news(app, action, record)
	if n == nil {
		return
	}
	checks := n.checks()
	switch {
	case n.expands: // what is expanded is as it is at the event, too
		n.admit(app.ConcurrentDB())
		h.add(&task{ready: n.encode()})
	case checks > fewChecks:
		if tx := h.pin(app); tx != nil {
			h.add(&task{work: func() []outgoing {
				defer h.unpin(tx)
				n.admit(tx)
				return n.encode()
			}})
			return
		}
		fallthrough
	default:
		n.admit(app.ConcurrentDB())
		h.add(&task{work: n.encode})
	}
}

// pin holds the database's state for an event, nil where it cannot be had.
func (h *hub) pin(app core.App) *dbx.Tx {
	db, ok := app.ConcurrentDB().(*dbx.DB)
	if !ok {
		return nil
	}
	h.pins <- struct{}{} // events before this one are worked off first
	tx, err := db.BeginTx(context.Background(), &sql.TxOptions{ReadOnly: true})
	if err == nil {
		var n int
		if err = tx.NewQuery("SELECT count(*) FROM sqlite_schema").Row(&n); err == nil {
			return tx // the first read fixed what it sees
		}
		_ = tx.Rollback()
	}
	<-h.pins
	return nil
}

func (h *hub) unpin(tx *dbx.Tx) {
	_ = tx.Rollback()
	<-h.pins
}

// checks counts the different questions to the database.
func (n *news) checks() int {
	questions := map[question]struct{}{}
	for _, r := range n.readers {
		super := r.info.HasSuperuserAuth()
		if r.rule != nil && *r.rule != "" && !super {
			questions[question{*r.rule, r.whom(*r.rule)}] = struct{}{}
		}
		if manage := n.collection.ManageRule; n.collection.IsAuth() && manage != nil && *manage != "" && !super {
			questions[question{*manage, r.whom(*manage)}] = struct{}{}
		}
		if filter := r.info.Query[search.FilterQueryParam]; filter != "" {
			questions[question{filter, "one of " + r.sub + "\n" + r.class}] = struct{}{}
		}
	}
	return len(questions)
}

// whom a rule says the same of as of this reader: everybody where it doesn't
// look at the request, the account where it looks at nothing else of it.
func (r *reader) whom(rule string) string {
	switch strings.Count(rule, "@request") {
	case 0:
		return ""
	case strings.Count(rule, "@request.auth."):
		return "account " + r.class
	}
	return "one of " + r.sub + "\n" + r.class
}

// admit asks the rules who may read.
func (n *news) admit(db dbx.Builder) {
	n.asked = map[question]bool{}
	for _, r := range n.readers {
		r.admitted = n.allowed(db, r, r.rule)
		if r.admitted && n.collection.IsAuth() {
			r.email = sameAccount(r.auth, n.record) || n.allowed(db, r, n.collection.ManageRule)
		}
	}
}

func (n *news) allowed(db dbx.Builder, r *reader, rule *string) bool {
	if !r.info.HasSuperuserAuth() {
		if rule == nil || *rule != "" && !n.says(db, r, *rule, r.whom(*rule), true) {
			return false
		}
	}
	filter := r.info.Query[search.FilterQueryParam]
	if filter == "" {
		return true
	}
	if !r.info.HasSuperuserAuth() {
		for _, param := range []string{search.FilterQueryParam, search.SortQueryParam} {
			v := r.info.Query[param]
			if strings.Contains(v, "@collection.") || strings.Contains(v, "@request.") {
				return false
			}
		}
	}
	return n.says(db, r, filter, "filter of "+r.sub+"\n"+r.class, false)
}

// says answers a question once per event.
func (n *news) says(db dbx.Builder, r *reader, rule, whom string, hidden bool) bool {
	q := question{rule, whom}
	yes, known := n.asked[q]
	if !known {
		yes = n.ask(db, r.info, rule, hidden)
		n.asked[q] = yes
	}
	return yes
}

func (n *news) ask(db dbx.Builder, info *core.RequestInfo, rule string, hidden bool) bool {
	query := db.Select("(1)").From(n.collection.Name).
		AndWhere(dbx.HashExp{n.collection.Name + ".id": n.record.Id})
	resolver := core.NewRecordFieldResolver(n.access, n.collection, info, hidden)
	expr, err := search.FilterData(rule).BuildExpr(resolver)
	if err != nil {
		return false
	}
	if err := resolver.UpdateQuery(query); err != nil {
		return false
	}
	var exists int
	err = query.AndWhere(expr).Limit(1).Row(&exists)
	return err == nil && exists > 0
}

// encode makes the messages, each different one once.
func (n *news) encode() []outgoing {
	n.encoded = map[view][]byte{}
	var out []outgoing
	for _, r := range n.readers {
		if !r.admitted {
			continue
		}
		v := view{super: r.info.HasSuperuserAuth(), email: r.email, fields: r.info.Query["fields"]}
		if r.info.Query["expand"] != "" {
			v.expandFor = r.audience
		}
		data, known := n.encoded[v]
		if !known {
			data = n.marshal(r, v)
			n.encoded[v] = data
		}
		if data != nil {
			out = append(out, outgoing{clients: r.clients, message: subscriptions.Message{Name: r.sub, Data: data}})
		}
	}
	return out
}

// marshal returns nil, as PocketBase sends nothing, where the record has no
// JSON.
func (n *news) marshal(r *reader, v view) []byte {
	record := n.record.Fresh()
	if v.super {
		record.Unhide(n.collection.Fields.FieldNames()...)
	}
	if v.expandFor != nil {
		failed := n.app.ExpandRecord(record, strings.Split(r.info.Query["expand"], ","), expandFor(n.app, r.info))
		if len(failed) > 0 {
			n.app.Logger().Debug("[broadcastRecord] expand errors", "id", record.Id, "sub", r.sub, "errors", failed)
		}
	}
	if v.email {
		record.IgnoreEmailVisibility(true)
	}
	message := struct {
		Record any    `json:"record"`
		Action string `json:"action"`
	}{record, n.action}
	if v.fields != "" {
		if picked, err := picker.Pick(record, v.fields); err == nil {
			message.Record = picked
		}
	}
	data, err := json.Marshal(&message)
	if err != nil {
		n.app.Logger().Debug("[broadcastRecord] data marshal error", "id", record.Id, "error", err)
		return nil
	}
	return data
}

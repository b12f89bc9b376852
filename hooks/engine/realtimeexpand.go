package engine

import (
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/search"
)

// expandFor loads relations under their own rules, as PocketBase does for a
// realtime event (apis, expandFetch and autoResolveRecordsFlags).
func expandFor(app core.App, info *core.RequestInfo) core.ExpandFetchFunc {
	own := *info
	own.Context = core.RequestInfoContextExpand
	return func(relation *core.Collection, ids []string) ([]*core.Record, error) {
		records, err := app.FindRecordsByIds(relation.Id, ids, func(q *dbx.SelectQuery) error {
			switch {
			case own.HasSuperuserAuth():
				return nil
			case relation.ViewRule == nil:
				return fmt.Errorf("only superusers can view collection %q records", relation.Name)
			case *relation.ViewRule == "":
				return nil
			}
			return narrow(app, q, relation, &own, *relation.ViewRule)
		})
		if err != nil {
			return nil, err
		}
		if err := reveal(app, records, &own); err != nil {
			app.Logger().Warn("Failed to apply autoResolveRecordsFlags for the expanded records", "error", err)
		}
		return records, nil
	}
}

func narrow(app core.App, q *dbx.SelectQuery, c *core.Collection, info *core.RequestInfo, rule string) error {
	resolver := core.NewRecordFieldResolver(app, c, info, true)
	expr, err := search.FilterData(rule).BuildExpr(resolver)
	if err != nil {
		return err
	}
	q.AndWhere(expr)
	return resolver.UpdateQuery(q)
}

// reveal shows superusers what is hidden, and addresses to their owners and
// managers.
func reveal(app core.App, records []*core.Record, info *core.RequestInfo) error {
	if len(records) == 0 {
		return nil
	}
	collection := records[0].Collection()
	if info.HasSuperuserAuth() {
		for _, r := range records {
			r.Unhide(collection.Fields.FieldNames()...)
			r.IgnoreEmailVisibility(true)
		}
	}
	if !collection.IsAuth() {
		return nil
	}
	byID := make(map[string]*core.Record, len(records))
	ids := make([]any, len(records))
	for i, r := range records {
		byID[r.Id], ids[i] = r, r.Id
	}
	if info.Auth != nil && byID[info.Auth.Id] != nil {
		byID[info.Auth.Id].IgnoreEmailVisibility(true)
	}
	if collection.ManageRule == nil || *collection.ManageRule == "" {
		return nil
	}
	column := app.ConcurrentDB().QuoteSimpleColumnName(collection.Name) + ".id"
	query := app.RecordQuery(collection).Select(column).AndWhere(dbx.In(column, ids...))
	if err := narrow(app, query, collection, info, *collection.ManageRule); err != nil {
		return err
	}
	managed := []string{}
	if err := query.Column(&managed); err != nil {
		return err
	}
	for _, id := range managed {
		if r, ok := byID[id]; ok {
			r.IgnoreEmailVisibility(true)
		}
	}
	return nil
}

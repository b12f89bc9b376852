package operate

import (
	"fmt"

	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// peopleSearch finds staff by name and address.
func peopleSearch() desk.Search {
	return desk.Search{Name: "Staff", Access: web.Owner, Find: func(app core.App, _ *core.Record, query string, limit int) ([]desk.Hit, error) {
		var records []*core.Record
		err := app.RecordQuery(schema.Staff).
			AndWhere(dbx.Or(dbx.Like("name", query), dbx.Like("email", query))).
			OrderBy("name").Limit(int64(limit)).All(&records)
		if err != nil {
			return nil, fmt.Errorf("find staff: %w", err)
		}
		hits := make([]desk.Hit, len(records))
		for i, r := range records {
			hits[i] = desk.Hit{Title: r.GetString("name"), Note: r.Email(), Href: desk.Href("staff/" + r.Id)}
		}
		return hits, nil
	}}
}

package library

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"bungalow/hooks/kit/address"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"github.com/pocketbase/dbx"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
)

// Redirect is what a person says of a redirect.
type Redirect struct {
	From, To, Status string
	Prefix           bool // everything below From too
}

// having selects the rows of which each word of the query stands in one of the
// columns; all of them for no word.
func having(query string, columns ...string) dbx.Expression {
	all := []dbx.Expression{dbx.NewExp("1 = 1")}
	for _, word := range words(query) {
		var one []dbx.Expression
		for _, column := range columns {
			one = append(one, dbx.Like(column, word))
		}
		all = append(all, dbx.Or(one...))
	}
	return dbx.And(all...)
}

// redirectOrders are the orders of the list by name.
var redirectOrders = map[string]string{"": "created DESC", "from": "redirects.from", "hits": "hits DESC"}

// Redirects lists redirects whose addresses hold all words of the query, and
// how many there are.
func Redirects(app core.App, query, order string, page, perPage int) ([]*core.Record, int, error) {
	where := having(query, "from", "to")
	var total int
	if err := app.DB().Select("count(*)").From(schema.Redirects).Where(where).Row(&total); err != nil {
		return nil, 0, fmt.Errorf("count redirects: %w", err)
	}
	page = min(max(page, 1), max(1, (total+perPage-1)/perPage))
	by, ok := redirectOrders[order]
	if !ok {
		by = redirectOrders[""]
	}
	var list []*core.Record
	err := app.RecordQuery(schema.Redirects).AndWhere(where).OrderBy(by, "id").
		Limit(int64(perPage)).Offset(int64((page - 1) * perPage)).All(&list)
	if err != nil {
		return nil, 0, fmt.Errorf("list redirects: %w", err)
	}
	return list, total, nil
}

// SaveRedirect adds a redirect (id "") or changes one. A loop, a taken address
// and whatever else can't be are validation.Errors beside "from" or "to".
func SaveRedirect(app core.App, by By, id string, r Redirect) (*core.Record, error) {
	var record *core.Record
	err := app.RunInTransaction(func(tx core.App) error {
		var err error
		action := "redirect.edit"
		if id == "" {
			action = "redirect.add"
			c, err := tx.FindCachedCollectionByNameOrId(schema.Redirects)
			if err != nil {
				return err
			}
			record = core.NewRecord(c)
		} else if record, err = find(tx, schema.Redirects, id); err != nil {
			return err
		}
		if err := r.into(tx, record); err != nil {
			return err
		}
		return told(tx, by, action, record, map[string]string{"from": record.GetString("from"), "to": record.GetString("to")})
	})
	if err != nil {
		return nil, fmt.Errorf("save a redirect: %w", err)
	}
	return record, nil
}

// into writes the redirect into a record and saves it.
func (r Redirect) into(tx core.App, record *core.Record) error {
	record.Set("from", r.From)
	record.Set("to", r.To)
	record.Set("status", r.Status)
	record.Set("prefix", r.Prefix)
	if err := r.free(tx, record.Id); err != nil {
		return err
	}
	return tx.Save(record)
}

// free refuses an address from which another redirect leads, or at which
// something lives: a visitor would never be led away from there.
func (r Redirect) free(tx core.App, id string) error {
	from := address.Normal(r.From)
	other, err := redirectFrom(tx, from, r.Prefix)
	if err != nil {
		return err
	}
	if other != nil && other.Id != id {
		return takenBy("from", "A redirect from this address is there already.")
	}
	if r.Prefix {
		return nil
	}
	title, err := livesAt(tx, from)
	if err != nil {
		return err
	}
	if title != "" {
		return takenBy("from", fmt.Sprintf("%q lives at this address. Give it another one first.", title))
	}
	return nil
}

// takenBy is a refusal beside a field.
func takenBy(field, text string) error {
	return validation.Errors{field: validation.NewError("validation_taken", text)}
}

func redirectFrom(app core.App, from string, prefix bool) (*core.Record, error) {
	record := &core.Record{}
	err := app.RecordQuery(schema.Redirects).AndWhere(dbx.HashExp{"from": from, "prefix": prefix}).Limit(1).One(record)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look up redirect: %w", err)
	}
	return record, nil
}

// livesAt names what a visitor finds at a path in its normal form, "" for
// nothing.
func livesAt(app core.App, path string) (string, error) {
	site, err := settings.LoadSite(app)
	if err != nil {
		return "", err
	}
	if path == "" || strings.Contains(path, "?") {
		return "", nil
	}
	locale, rest := address.Split(site, path)
	rest = strings.Trim(rest, "/")
	first, slug, below := strings.Cut(rest, "/")
	public := dbx.HashExp{"status": schema.StatusPublished, "locale": locale}
	switch {
	case first == "blog" && below:
		return titleOf(app, schema.Posts, "title", dbx.And(public, dbx.HashExp{"slug": slug}))
	case first == "tag" && below:
		return titleOf(app, schema.Tags, "name", dbx.HashExp{"slug": slug})
	case first == "author" && below:
		return titleOf(app, schema.Authors, "name", dbx.HashExp{"slug": slug})
	case address.Reserved(site, first):
		return "The site itself", nil
	}
	return titleOf(app, schema.Pages, "title", dbx.And(public, dbx.HashExp{"path": rest}))
}

func titleOf(app core.App, collection, field string, where dbx.Expression) (string, error) {
	var title string
	err := app.DB().Select(field).From(collection).Where(where).Limit(1).Row(&title)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look what lives at an address: %w", err)
	}
	return title, nil
}

// find gives a record, or ErrMissing.
func find(app core.App, collection, id string) (*core.Record, error) {
	record, err := app.FindRecordById(collection, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrMissing
	}
	if err != nil {
		return nil, fmt.Errorf("find in %s: %w", collection, err)
	}
	return record, nil
}

// DeleteRedirects deletes redirects and gives how many, and the address that
// takes it back.
func DeleteRedirects(app core.App, by By, ids []string) (n int, undoAt string, err error) {
	u := undo{Back: "/desk/redirects/"}
	err = app.RunInTransaction(func(tx core.App) error {
		for _, id := range ids[:min(len(ids), maxBulk)] {
			record, err := find(tx, schema.Redirects, id)
			if errors.Is(err, ErrMissing) {
				continue
			}
			if err != nil {
				return err
			}
			u.Restore = append(u.Restore, formerly(record))
			if err := tx.Delete(record); err != nil {
				return err
			}
			if err := told(tx, by, "redirect.delete", record, map[string]string{"from": record.GetString("from"), "to": record.GetString("to")}); err != nil {
				return err
			}
		}
		if n = len(u.Restore); n == 0 {
			return nil
		}
		undoAt, err = keepUndo(tx, by, u)
		return err
	})
	if err != nil {
		return 0, "", fmt.Errorf("delete redirects: %w", err)
	}
	return n, undoAt, nil
}

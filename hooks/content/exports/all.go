package exports

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

// All writes what Markdown writes, and beside it each collection of the site
// as data/NAME.jsonl, one record a line, with its files in data/files/.
// Passwords, tokens and PocketBase's own collections are left out.
func All(ctx context.Context, app core.App, to Sink) (*Report, error) {
	x, err := begin(ctx, app, to)
	if err != nil {
		return nil, err
	}
	defer x.files.Close()
	if app.HasTable(schema.Posts) {
		if err := x.markdown(); err != nil {
			return x.report, err
		}
	}
	collections, err := app.FindAllCollections(core.CollectionTypeBase, core.CollectionTypeAuth)
	if err != nil {
		return x.report, fmt.Errorf("list collections: %w", err)
	}
	for _, c := range collections {
		if c.System {
			continue
		}
		if err := x.records(c); err != nil {
			return x.report, err
		}
	}
	return x.report, nil
}

// records writes one collection.
func (x *export) records(c *core.Collection) error {
	w, err := x.to.Create("data/"+c.Name+".jsonl", time.Now())
	if err != nil {
		return err
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	n := 0
	if err := x.each(c.Name, func(r *core.Record) error { n++; return e.Encode(plain(r)) }); err != nil {
		return err
	}
	x.report.Counts[c.Name] = n
	if c.Name == schema.Media { // its files are in static/media already
		return nil
	}
	for _, field := range c.Fields {
		if field.Type() != core.FieldTypeFile {
			continue
		}
		if err := x.each(c.Name, func(r *core.Record) error { return x.attached(r, field.GetName()) }); err != nil {
			return err
		}
	}
	return nil
}

// secret are the fields that no export holds.
var secret = []string{core.FieldNamePassword, core.FieldNameTokenKey}

func plain(r *core.Record) map[string]any {
	out := map[string]any{}
	for _, f := range r.Collection().Fields {
		if name := f.GetName(); f.Type() != core.FieldTypePassword && !slices.Contains(secret, name) {
			out[name] = r.Get(name)
		}
	}
	return out
}

func (x *export) attached(r *core.Record, field string) error {
	for _, name := range r.GetStringSlice(field) {
		reader, err := x.files.GetReader(r.BaseFilesPath() + "/" + name)
		if errors.Is(err, filesystem.ErrNotFound) {
			x.report.skip(r.Collection().Name+" "+r.Id, "its file "+name+" is missing")
			continue
		}
		if err != nil {
			return fmt.Errorf("open %s: %w", name, err)
		}
		err = x.file("data/files/"+r.Collection().Name+"/"+r.Id+"/"+name, time.Now(), io.Reader(reader))
		if err = errors.Join(err, reader.Close()); err != nil {
			return err
		}
	}
	return nil
}

package drafts

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"bungalow/hooks/content"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Version is what a person writes of a post or page, by the names of its
// fields. Fields that a site added to the collection are among them.
type Version map[string]any

// notWritten are fields that follow from others, or say what a record is and
// not what is written in it.
var notWritten = []string{
	"id", "created", "updated", "status", "published_at", "html", "summary", "reading_minutes",
	"announced_at", "imported_hash", "source_key", "path",
}

// written lists the fields of a collection that a version holds. Files lie
// outside the database and have no versions.
func written(c *core.Collection) []string {
	var names []string
	for _, f := range c.Fields {
		switch f.Type() {
		case core.FieldTypeAutodate, core.FieldTypeFile, core.FieldTypePassword:
			continue
		}
		if !slices.Contains(notWritten, f.GetName()) {
			names = append(names, f.GetName())
		}
	}
	return names
}

// VersionOf reads the version that a record holds.
func VersionOf(record *core.Record) Version {
	v := Version{}
	for _, name := range written(record.Collection()) {
		v[name] = record.Get(name)
	}
	return v
}

// With is the version with some fields changed; the version itself stays.
func (v Version) With(fields Version) Version {
	out := make(Version, len(v)+len(fields))
	for _, from := range []Version{v, fields} {
		for name, value := range from {
			out[name] = value
		}
	}
	return out
}

// apply writes the version into a record. Fields that the collection has no
// more, or that are not a writer's, are passed over.
func (v Version) apply(record *core.Record) {
	for _, name := range written(record.Collection()) {
		if value, ok := v[name]; ok {
			record.Set(name, value)
		}
	}
}

// Preview gives a copy of the record that holds the version, with its HTML.
// It is not to be saved.
func (v Version) Preview(record *core.Record) (*core.Record, error) {
	shown := record.Clone()
	v.apply(shown)
	if err := content.Render(shown); err != nil {
		return nil, err
	}
	if shown.GetDateTime("published_at").IsZero() {
		shown.Set("published_at", types.NowDateTime())
	}
	return shown, nil
}

// normal is the version as the record would store it, so that two that mean
// the same are equal.
func normal(record *core.Record, v Version) Version {
	shown := record.Clone()
	v.apply(shown)
	return VersionOf(shown)
}

// encode writes a value as JSON without the six letters that HTML's signs
// become otherwise: bodies are full of them.
func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("write a version: %w", err)
	}
	return bytes.TrimSpace(out.Bytes()), nil
}

func decode(raw string) (Version, error) {
	v := Version{}
	if raw == "" {
		return v, nil
	}
	if err := json.Unmarshal([]byte(raw), &v); err != nil {
		return nil, fmt.Errorf("read a version: %w", err)
	}
	return v, nil
}

// same reports whether two versions of a record's collection mean the same.
func same(record *core.Record, a, b Version) (bool, error) {
	left, err := encode(normal(record, a))
	if err != nil {
		return false, err
	}
	right, err := encode(normal(record, b))
	return bytes.Equal(left, right), err
}

// Base names the state of a record that a writer begins with: when it was last
// updated and what it held, because two changes may fall into one millisecond.
func Base(record *core.Record) (string, error) {
	raw, err := encode(VersionOf(record))
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append(raw, record.GetString("status")+record.GetDateTime("published_at").String()...))
	return record.GetDateTime("updated").String() + " " + hex.EncodeToString(sum[:6]), nil
}

// dropLost takes out of a record the relations whose targets are gone, so that
// an old version can come back after a tag or picture was deleted.
func dropLost(app core.App, record *core.Record) error {
	for _, f := range record.Collection().Fields {
		relation, ok := f.(*core.RelationField)
		if !ok {
			continue
		}
		wanted := record.GetStringSlice(relation.Name)
		if len(wanted) == 0 {
			continue
		}
		target, err := app.FindCachedCollectionByNameOrId(relation.CollectionId)
		if err != nil {
			return fmt.Errorf("find what %s leads to: %w", relation.Name, err)
		}
		var there []string
		values := make([]any, len(wanted))
		for i, id := range wanted {
			values[i] = id
		}
		if err := app.DB().Select("id").From(target.Name).Where(dbx.In("id", values...)).Column(&there); err != nil {
			return fmt.Errorf("find what %s leads to: %w", relation.Name, err)
		}
		kept := slices.DeleteFunc(slices.Clone(wanted), func(id string) bool { return !slices.Contains(there, id) })
		if len(kept) == len(wanted) {
			continue
		}
		if relation.MaxSelect > 1 {
			record.Set(relation.Name, kept)
		} else {
			record.Set(relation.Name, "")
		}
	}
	return nil
}

// signed makes sure that an author who may edit own posts only stays among
// the post's authors.
func signed(app core.App, person, record *core.Record) error {
	if EditsAll(person) || record.Collection().Name != schema.Posts {
		return nil
	}
	mine, err := AuthorIDs(app, person)
	if err != nil {
		return err
	}
	if on := record.GetStringSlice("authors"); len(mine) > 0 && !overlap(mine, on) {
		record.Set("authors", append(on, mine[0]))
	}
	return nil
}

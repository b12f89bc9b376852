// Package settings keeps each feature's behaviour as one typed record of the
// collection settings. Defaults are stated once, by the feature; keys that the
// struct doesn't know are kept, so that an older build loses nothing. Fields
// tagged kind:"secret" lie in the database encrypted with the site's key, and
// are in the clear in what Load gives.
package settings

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Load reads the feature's options over the given defaults. A site without the
// record, or a database without the collection, has the defaults. A record
// that can't be read is an error that names the feature.
func Load[T any](app core.App, feature string, defaults T) (T, error) {
	var raw sql.NullString
	err := app.DB().Select("value").From(schema.Settings).
		Where(dbx.HashExp{"feature": feature}).Limit(1).Row(&raw)
	if errors.Is(err, sql.ErrNoRows) || (err != nil && !app.HasTable(schema.Settings)) {
		return defaults, nil
	}
	if err != nil {
		return defaults, fmt.Errorf("read settings of %s: %w", feature, err)
	}
	out := defaults
	if raw.String == "" || raw.String == "null" {
		return out, nil
	}
	if err := json.Unmarshal([]byte(raw.String), &out); err != nil {
		return defaults, fmt.Errorf("the settings of %s can't be read (edit the record %q of the collection settings): %w", feature, feature, err)
	}
	if err := openSecrets(app, feature, &out); err != nil {
		return defaults, fmt.Errorf("read settings of %s: %w", feature, err)
	}
	return out, nil
}

// Save stores the feature's options, keeping keys that T does not know.
func Save[T any](app core.App, feature string, options T) error {
	record, err := app.FindFirstRecordByData(schema.Settings, "feature", feature)
	if errors.Is(err, sql.ErrNoRows) {
		collection, err := app.FindCachedCollectionByNameOrId(schema.Settings)
		if err != nil {
			return fmt.Errorf("save settings of %s: %w", feature, err)
		}
		record = core.NewRecord(collection)
		record.Set("feature", feature)
	} else if err != nil {
		return fmt.Errorf("save settings of %s: %w", feature, err)
	}
	merged := map[string]any{}
	if err := record.UnmarshalJSONField("value", &merged); err != nil || merged == nil {
		merged = map[string]any{}
	}
	fresh, err := json.Marshal(options)
	if err != nil {
		return fmt.Errorf("save settings of %s: %w", feature, err)
	}
	if err := json.Unmarshal(fresh, &merged); err != nil {
		return fmt.Errorf("save settings of %s: %w", feature, err)
	}
	if err := sealSecrets(app, feature, options, merged); err != nil {
		return fmt.Errorf("save settings of %s: %w", feature, err)
	}
	record.Set("value", merged)
	if err := app.Save(record); err != nil {
		return fmt.Errorf("save settings of %s: %w", feature, err)
	}
	return nil
}

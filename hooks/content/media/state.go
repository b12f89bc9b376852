package media

import (
	"fmt"
	"slices"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// maxFormer is how many earlier file names of a record keep their address.
const maxFormer = 10

// state is what the field sizes holds: facts about the stored file that only
// this package writes.
type state struct {
	File     string   `json:"file"`
	Format   Format   `json:"format,omitzero"`
	Width    int      `json:"width,omitzero"`
	Height   int      `json:"height,omitzero"`
	Bytes    int64    `json:"bytes,omitzero"`
	Animated bool     `json:"animated,omitzero"`
	Formats  []Format `json:"formats,omitzero"` // formats whose sizes were tried
	Made     []string `json:"made,omitzero"`    // such as 640.webp
	Former   []string `json:"former,omitzero"`  // file names of replaced originals
	Error    string   `json:"error,omitzero"`   // why no sizes can be made
}

// stateOf reads the state of a record; a damaged one is that of a plain file.
func stateOf(record *core.Record) state {
	var s state
	if err := record.UnmarshalJSONField("sizes", &s); err != nil || s.File != record.GetString("file") {
		return state{File: record.GetString("file"), Former: s.Former}
	}
	return s
}

// sizable reports whether sizes are made of the file.
func (s state) sizable() bool {
	return s.Format.Raster() && !s.Animated && s.Error == "" && s.Width > 0
}

// formats are those made without being asked for: what every reader
// understands, then WebP.
func (s state) formats() []Format {
	switch s.Format {
	case JPEG:
		return []Format{JPEG, WebP}
	case PNG, GIF:
		return []Format{PNG, WebP}
	default:
		return []Format{JPEG, WebP}
	}
}

// find returns the made variant that answers a request for size and format,
// 0 and "" meaning any: "640.webp", or "" when it is not made.
func (s state) find(size int, format Format) string {
	if format == "" {
		format = s.formats()[0]
	}
	sizes := SizesFor(s.Width)
	pick := sizes[len(sizes)-1]
	for _, w := range sizes {
		if size > 0 && w >= size {
			pick = w
			break
		}
	}
	if name := variantName(pick, format); slices.Contains(s.Made, name) {
		return name
	}
	return ""
}

// widthOf returns the true width of a size: never more than the picture's.
func (s state) widthOf(size int) int { return min(size, s.Width) }

func variantName(size int, format Format) string { return fmt.Sprint(size, ".", format) }

// variantKey is where a variant lies. PocketBase removes the folder together
// with the original when a record is deleted or its file replaced.
func variantKey(record *core.Record, file, variant string) string {
	return variantFolder(record, file) + variant
}

func variantFolder(record *core.Record, file string) string {
	return record.BaseFilesPath() + "/thumbs_" + file + "/"
}

// current reads file and state from the database, not from a record that may
// have been loaded before a job wrote. A missing record is sql.ErrNoRows.
func current(app core.App, record *core.Record) (*core.Record, error) {
	fresh := core.NewRecord(record.Collection())
	row := dbx.NullStringMap{}
	err := app.DB().Select("file", "sizes").From(schema.Media).Where(dbx.HashExp{"id": record.Id}).One(row)
	if err != nil {
		return nil, err
	}
	fresh.Id = record.Id
	fresh.SetRaw("file", row["file"].String)
	fresh.Set("sizes", row["sizes"].String)
	return fresh, nil
}

package library

import (
	"database/sql"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"time"

	"bungalow/hooks/content/media"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

// perGrid is how many files one page of the library shows.
const perGrid = 48

// Filter narrows a list of files. The zero value means all that are not in the
// bin.
type Filter struct {
	Query string // words of the name, the description or the caption
	Kind  string // one of media.Kinds, "" for all
	Bin   bool   // what lies in the bin instead
	// Unused asks for files that nothing shows.
	Unused bool
}

// where is the condition of the filter for the person.
func (f Filter) where(by By) dbx.Expression {
	bin := "="
	if f.Bin {
		bin = "!="
	}
	all := []dbx.Expression{dbx.NewExp("[[trashed_at]] " + bin + " ''")}
	if !by.all() {
		all = append(all, dbx.HashExp{"owner": by.Person.Id})
	}
	if f.Kind != "" {
		all = append(all, dbx.HashExp{"kind": f.Kind})
	}
	if f.Unused {
		all = append(all, dbx.NewExp("NOT EXISTS (SELECT 1 FROM {{_media_uses}} u WHERE u.media = {{media}}.[[id]])"))
	}
	return dbx.And(append(all, having(f.Query, "file", "alt", "caption"))...)
}

// maxWords bounds what is looked for at once.
const maxWords = 8

func words(query string) []string {
	w := strings.Fields(query)
	return w[:min(len(w), maxWords)]
}

// Files lists the files that the person may see, the newest first, and how
// many there are. Pages count from 1.
func Files(app core.App, by By, f Filter, page, perPage int) ([]*core.Record, int, error) {
	where := f.where(by)
	var total int
	if err := app.DB().Select("count(*)").From(schema.Media).Where(where).Row(&total); err != nil {
		return nil, 0, fmt.Errorf("count files: %w", err)
	}
	page = min(max(page, 1), max(1, (total+perPage-1)/perPage))
	order := "created DESC"
	if f.Bin {
		order = "trashed_at DESC"
	}
	var list []*core.Record
	err := app.RecordQuery(schema.Media).AndWhere(where).OrderBy(order, "id").
		Limit(int64(perPage)).Offset(int64((page - 1) * perPage)).All(&list)
	if err != nil {
		return nil, 0, fmt.Errorf("list files: %w", err)
	}
	return list, total, nil
}

// FindFile gives a file that the person may see, in the bin or not. Another is
// ErrMissing.
func FindFile(app core.App, by By, id string) (*core.Record, error) {
	record, err := app.FindRecordById(schema.Media, id)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !by.all() && record.GetString("owner") != by.Person.Id {
		return nil, ErrMissing
	}
	if err != nil {
		return nil, fmt.Errorf("find a file: %w", err)
	}
	return record, nil
}

// Upload keeps a file as the person's own. What is refused is a
// validation.Errors beside "file".
func Upload(app core.App, by By, file *filesystem.File, alt string) (*core.Record, error) {
	c, err := app.FindCachedCollectionByNameOrId(schema.Media)
	if err != nil {
		return nil, fmt.Errorf("upload: %w", err)
	}
	record := core.NewRecord(c)
	record.Set("file", file)
	record.Set("alt", alt)
	if by.Person.Collection().Name == schema.Staff {
		record.Set("owner", by.Person.Id)
	}
	err = app.RunInTransaction(func(tx core.App) error {
		if err := tx.Save(record); err != nil {
			return err
		}
		return told(tx, by, "media.upload", record, map[string]string{"name": Name(record)})
	})
	if err != nil {
		return nil, fmt.Errorf("upload: %w", err)
	}
	return record, nil
}

// suffix is what PocketBase puts between a file's name and its ending.
var suffix = regexp.MustCompile(`_[a-z0-9]{10}(\.[^.]*)?$`)

// Name is what people call the file: its name as it was brought, or the end of
// the address where it still lies.
func Name(record *core.Record) string {
	name := record.GetString("file")
	if name == "" {
		from, _, _ := strings.Cut(record.GetString("source_url"), "?")
		return from[strings.LastIndexByte(from, '/')+1:]
	}
	return suffix.ReplaceAllString(name, "$1")
}

// File is a file as pages show it.
type File struct {
	ID     string `json:"id"`
	URL    string `json:"url"`
	Alt    string `json:"alt"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	Bytes  int64  `json:"bytes"`
	Thumb  string `json:"thumb"` // "" where there is no picture to show

	Uses    int       `json:"-"`
	Binned  bool      `json:"-"`
	Created time.Time `json:"-"`
	Left    int       `json:"-"` // days until a file in the bin is deleted
}

// Describe reads a media record for a page.
func Describe(record *core.Record) File {
	f := File{
		ID: record.Id, URL: media.Address(record), Alt: record.GetString("alt"), Name: Name(record), Kind: record.GetString("kind"),
		Width: record.GetInt("width"), Height: record.GetInt("height"), Bytes: int64(record.GetInt("bytes")),
		Binned: media.Binned(record), Created: record.GetDateTime("created").Time(),
	}
	if f.Binned {
		gone := record.GetDateTime("trashed_at").Time().AddDate(0, 0, BinDays)
		f.Left = max(0, int(math.Ceil(time.Until(gone).Hours()/24)))
	}
	switch {
	case f.Kind != media.KindImage:
	case f.Binned && f.URL != "":
		f.Thumb = "/desk/media/" + f.ID + "/file/"
	case f.URL != "":
		f.Thumb = f.URL + "?w=320"
	default:
		f.Thumb = record.GetString("source_url")
	}
	if f.URL == "" {
		f.URL = record.GetString("source_url")
	}
	return f
}

// Size is the file's size in words, "" where it is not known.
func (f File) Size() string {
	const kb, mb = 1 << 10, 1 << 20
	switch {
	case f.Bytes == 0:
		return ""
	case f.Bytes < kb:
		return fmt.Sprintf("%d B", f.Bytes)
	case f.Bytes < mb:
		return fmt.Sprintf("%d KB", (f.Bytes+kb/2)/kb)
	}
	return fmt.Sprintf("%.1f MB", float64(f.Bytes)/mb)
}

// Icon is what stands for a file that is no picture.
func (f File) Icon() string {
	switch f.Kind {
	case media.KindImage:
		return "image"
	case media.KindVideo, media.KindAudio:
		return "play"
	}
	return "file-text"
}

func describe(records []*core.Record) []File {
	files := make([]File, len(records))
	for i, r := range records {
		files[i] = Describe(r)
	}
	return files
}

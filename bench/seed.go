package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"bungalow/tests/binary"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations" // PocketBase's own tables
	"github.com/pocketbase/pocketbase/tools/types"
	"golang.org/x/crypto/bcrypt"
)

// The neutral collections that Bungalow and plain PocketBase are compared on.
const (
	articles = "articles" // anyone reads and writes; views has an index, score has none
	notes    = "notes"    // needs a token: anyone signed in reads, the author writes
	events   = "events"   // anyone writes: the other collection of mixed loads
)

// folderVersion is part of the cached folder's name; a change of what is seeded
// raises it.
const folderVersion = 1

// Size is how much a seeded folder holds.
type Size struct {
	Articles, Notes, Users int
}

var (
	fullSize  = Size{Articles: 100_000, Notes: 20_000, Users: 1000}
	quickSize = Size{Articles: 20_000, Notes: 8000, Users: 1000}
)

// Folder is a seeded data folder and what requests must know of it.
type Folder struct {
	Home   string   `json:"-"`
	Size   Size     `json:"size"`
	Users  []string `json:"users"`  // ids
	Tokens []string `json:"tokens"` // of the users, in the same order
}

const (
	userPassword = "a-long-enough-password"
	staticFile   = "ten.txt"
	tokenLife    = 365 * 24 * time.Hour // a cached folder is good for as long
	manifest     = "bench.json"
)

// articleID gives the id of the nth article; notes have noteID.
func articleID(n int) string { return fmt.Sprintf("a%014d", n) }
func noteID(n int) string    { return fmt.Sprintf("n%014d", n) }

func userEmail(n int) string { return fmt.Sprintf("user%d@example.com", n) }

// seededFolder gives the folder of that size, made once and kept between runs.
func seededFolder(size Size) (*Folder, error) {
	name := fmt.Sprintf("bench-v%d-%d-%d-%d", folderVersion, size.Articles, size.Notes, size.Users)
	dir, unlock, err := binary.Cache(name)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if f, err := readFolder(dir); err == nil {
		return f, nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	return makeFolder(dir, size)
}

// readFolder fails where the folder was not finished or its tokens are old.
func readFolder(dir string) (*Folder, error) {
	file := filepath.Join(dir, manifest)
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if time.Since(info.ModTime()) > tokenLife/2 {
		return nil, fmt.Errorf("the tokens of %s are too old", dir)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	f := &Folder{Home: dir}
	return f, json.Unmarshal(raw, f)
}

// makeFolder seeds a new folder; the manifest is written last.
func makeFolder(dir string, size Size) (*Folder, error) {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: filepath.Join(dir, "pb_data")})
	if err := app.Bootstrap(); err != nil {
		return nil, fmt.Errorf("seed a folder: %w", err)
	}
	defer func() { _ = app.ResetBootstrapState() }()
	if err := app.RunAllMigrations(); err != nil {
		return nil, fmt.Errorf("seed a folder: %w", err)
	}
	f := &Folder{Home: dir, Size: size}
	for _, step := range []func(core.App, *Folder) error{seedSettings, seedUsers, seedCollections, seedArticles, seedNotes} {
		if err := step(app, f); err != nil {
			return nil, fmt.Errorf("seed a folder: %w", err)
		}
	}
	if _, err := app.NonconcurrentDB().NewQuery("PRAGMA wal_checkpoint(TRUNCATE)").Execute(); err != nil {
		return nil, fmt.Errorf("seed a folder: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "pb_public"), 0o755); err != nil {
		return nil, err
	}
	static := strings.Repeat("Ten kilobytes of plain text. ..\n", 320)
	if err := os.WriteFile(filepath.Join(dir, "pb_public", staticFile), []byte(static), 0o644); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	return f, os.WriteFile(filepath.Join(dir, manifest), raw, 0o644)
}

func seedSettings(app core.App, _ *Folder) error {
	s := app.Settings()
	s.Batch.Enabled, s.Batch.MaxRequests, s.Batch.Timeout = true, batchSize, 30
	s.RateLimits.Enabled = false // a load test is what they are made to refuse
	return app.Save(s)
}

// seedUsers gives all users one password: what is measured is checking it.
func seedUsers(app core.App, f *Folder) error {
	users, err := app.FindCollectionByNameOrId("users")
	if err != nil {
		return err
	}
	users.AuthToken.Duration = int64(tokenLife / time.Second)
	users.AuthAlert.Enabled = false // mail is not measured here
	if err := app.Save(users); err != nil {
		return err
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(userPassword), 10)
	if err != nil {
		return err
	}
	err = app.RunInTransaction(func(tx core.App) error {
		for i := range f.Size.Users {
			id := fmt.Sprintf("u%014d", i)
			f.Users = append(f.Users, id)
			if _, err := tx.DB().Insert("users", dbx.Params{
				"id": id, "email": userEmail(i), "emailVisibility": true, "verified": true, "name": fmt.Sprintf("User %d", i),
				"password": string(hash), "tokenKey": fmt.Sprintf("%050d", i), "created": stamp(i), "updated": stamp(i),
			}).Execute(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	records, err := app.FindRecordsByIds("users", f.Users)
	if err != nil {
		return err
	}
	byID := map[string]*core.Record{}
	for _, r := range records {
		byID[r.Id] = r
	}
	for _, id := range f.Users {
		token, err := byID[id].NewAuthToken()
		if err != nil {
			return err
		}
		f.Tokens = append(f.Tokens, token)
	}
	return nil
}

func seedCollections(app core.App, _ *Folder) error {
	users, err := app.FindCollectionByNameOrId("users")
	if err != nil {
		return err
	}
	signedIn := types.Pointer(`@request.auth.id != ""`)
	own := types.Pointer(`@request.auth.id != "" && author = @request.auth.id`)
	anyone := types.Pointer("")
	for _, c := range []struct {
		name         string
		read, create *string
	}{{articles, anyone, anyone}, {notes, signedIn, own}, {events, anyone, anyone}} {
		made := core.NewBaseCollection(c.name)
		made.ListRule, made.ViewRule, made.CreateRule = c.read, c.read, c.create
		made.Fields.Add(
			&core.TextField{Name: "title", Required: true, Max: 200},
			&core.TextField{Name: "body", Max: 20_000},
			&core.NumberField{Name: "views"},
			&core.NumberField{Name: "score"},
			&core.BoolField{Name: "published"},
			&core.RelationField{Name: "author", CollectionId: users.Id, MaxSelect: 1},
			&core.AutodateField{Name: "created", OnCreate: true},
			&core.AutodateField{Name: "updated", OnCreate: true, OnUpdate: true},
		)
		made.AddIndex("idx_"+c.name+"_views", false, "views", "")
		if err := app.Save(made); err != nil {
			return err
		}
	}
	return nil
}

func seedArticles(app core.App, f *Folder) error {
	return seedRows(app, articles, f.Size.Articles, articleID, f.Users)
}

func seedNotes(app core.App, f *Folder) error {
	return seedRows(app, notes, f.Size.Notes, noteID, f.Users)
}

// seedRows writes rows with one prepared statement in one transaction; the same
// rows on every machine.
func seedRows(app core.App, table string, count int, id func(int) string, authors []string) error {
	random := rand.New(rand.NewPCG(1, 2))
	return app.RunInTransaction(func(tx core.App) error {
		insert := tx.DB().NewQuery("INSERT INTO {{" + table + "}} ([[id]], [[title]], [[body]], [[views]], [[score]], [[published]], [[author]], [[created]], [[updated]])" +
			" VALUES ({:id}, {:title}, {:body}, {:views}, {:score}, TRUE, {:author}, {:at}, {:at})").Prepare()
		defer func() { _ = insert.Close() }()
		for i := range count {
			if _, err := insert.Bind(dbx.Params{
				"id": id(i), "title": articleTitle(i), "body": articleBody(i), "views": random.IntN(count),
				"score": random.IntN(1_000_000), "author": authors[i%len(authors)], "at": stamp(i),
			}).Execute(); err != nil {
				return err
			}
		}
		return nil
	})
}

func articleTitle(n int) string { return "What we learned on day " + strconv.Itoa(n) }

// articleBody is about 600 bytes.
func articleBody(n int) string {
	return "Day " + strconv.Itoa(n) + ". " + strings.Repeat("A page that is read a thousand times should be made once. ", 10)
}

func stamp(n int) string {
	return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Minute).Format(types.DefaultDateLayout)
}

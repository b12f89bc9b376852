package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// article is a record of articles with the fields in the order of PocketBase's
// JSON.
type article struct {
	Author     string  `json:"author"`
	Body       string  `json:"body"`
	Collection string  `json:"collectionId"`
	Name       string  `json:"collectionName"`
	Created    string  `json:"created"`
	ID         string  `json:"id"`
	Published  bool    `json:"published"`
	Score      float64 `json:"score"`
	Title      string  `json:"title"`
	Updated    string  `json:"updated"`
	Views      float64 `json:"views"`
}

// handwritten is what a programmer would write who needs this one collection
// and nothing else: no rules, no hooks, no log, two prepared statements at the
// durability of PocketBase. It shows how far away the limit is.
type handwritten struct {
	collection   string
	read, insert *sql.Stmt
}

const articleColumns = "author, body, created, id, published, score, title, updated, views"

// servePrepared serves articles of the database until the context ends.
func servePrepared(ctx context.Context, path, addr string) error {
	readers, err := core.DefaultDBConnect(path)
	if err != nil {
		return err
	}
	defer func() { _ = readers.Close() }()
	writer, err := core.DefaultDBConnect(path)
	if err != nil {
		return err
	}
	defer func() { _ = writer.Close() }()
	readers.DB().SetMaxOpenConns(8)
	readers.DB().SetMaxIdleConns(8)
	writer.DB().SetMaxOpenConns(1)
	h := handwritten{}
	if err := readers.DB().QueryRowContext(ctx, "SELECT id FROM _collections WHERE name = ?", articles).Scan(&h.collection); err != nil {
		return fmt.Errorf("read the collection's id: %w", err)
	}
	if h.read, err = readers.DB().PrepareContext(ctx, "SELECT "+articleColumns+" FROM articles WHERE id = ?"); err != nil {
		return err
	}
	if h.insert, err = writer.DB().PrepareContext(ctx, "INSERT INTO articles ("+articleColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"); err != nil {
		return err
	}
	return serveUntil(ctx, addr, h.routes())
}

func (h handwritten) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+healthPath, func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET "+recordsPath(articles)+"/{id}", h.get)
	mux.HandleFunc("POST "+recordsPath(articles), h.create)
	return mux
}

func (h handwritten) get(w http.ResponseWriter, r *http.Request) {
	a := article{Collection: h.collection, Name: articles}
	err := h.read.QueryRowContext(r.Context(), r.PathValue("id")).
		Scan(&a.Author, &a.Body, &a.Created, &a.ID, &a.Published, &a.Score, &a.Title, &a.Updated, &a.Views)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	writeJSON(w, a)
}

func (h handwritten) create(w http.ResponseWriter, r *http.Request) {
	a := article{}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&a); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a.Collection, a.Name, a.ID = h.collection, articles, rand.Text()[:15]
	a.Created = time.Now().UTC().Format(types.DefaultDateLayout)
	a.Updated = a.Created
	_, err := h.insert.ExecContext(r.Context(), a.Author, a.Body, a.Created, a.ID, a.Published, a.Score, a.Title, a.Updated, a.Views)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeJSON(w, a)
}

func writeJSON(w http.ResponseWriter, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(raw)
}

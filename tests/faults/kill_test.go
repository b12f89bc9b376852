package faults

import (
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"bungalow/tests/binary"
)

// signIn makes a superuser and returns his client.
func signIn(t *testing.T, s *binary.Server) binary.Client {
	t.Helper()
	c, err := s.Superuser(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func post(slug string) map[string]any {
	return map[string]any{
		"title": slug, "slug": slug, "format": "markdown", "body": "A post about " + slug,
		"status": "published", "published_at": time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Format(time.RFC3339),
	}
}

// createPost makes a post and returns its id.
func createPost(t *testing.T, c binary.Client, slug string) string {
	t.Helper()
	var made struct{ ID string }
	if err := c.Call(t.Context(), http.MethodPost, "/api/collections/posts/records", post(slug), &made); err != nil {
		t.Fatal(err)
	}
	return made.ID
}

const (
	killRounds  = 3
	killWriters = 4
	killAfter   = 25 // acknowledged writes in a round before the kill
)

// Every write that was acknowledged before a kill -9 is there afterwards, in a
// database that is sound, and the server starts by itself.
func TestKillUnderWriteLoad(t *testing.T) {
	t.Parallel()
	home := site(t)
	acknowledged := map[string]string{} // id by slug
	for round := range killRounds {
		server := serve(t, home)
		for slug, id := range writeUntilKilled(t, server, signIn(t, server), round) {
			acknowledged[slug] = id
		}
		if problem := integrity(t, home); problem != "ok" {
			t.Fatalf("after kill %d: %s", round+1, problem)
		}
	}
	if len(acknowledged) < killRounds*killAfter {
		t.Fatalf("only %d writes were acknowledged", len(acknowledged))
	}
	server := serve(t, home)
	root := signIn(t, server)
	for slug, id := range acknowledged {
		var got struct{ Slug string }
		if err := root.Call(t.Context(), http.MethodGet, "/api/collections/posts/records/"+id, nil, &got); err != nil || got.Slug != slug {
			t.Errorf("%s was acknowledged and is lost: %q, %v", slug, got.Slug, err)
		}
	}
	// Search is written in the same transaction as the post.
	var found struct{ TotalItems int }
	if err := root.Call(t.Context(), http.MethodGet, "/api/site/search?q=kill", nil, &found); err != nil {
		t.Error(err)
	} else if found.TotalItems < len(acknowledged) {
		t.Errorf("search finds %d of at least %d posts", found.TotalItems, len(acknowledged))
	}
}

// writeUntilKilled writes on several connections, kills the server when enough
// writes were acknowledged, and returns those that were.
func writeUntilKilled(t *testing.T, s *binary.Server, c binary.Client, round int) map[string]string {
	t.Helper()
	var mu sync.Mutex
	acknowledged := map[string]string{}
	var wg sync.WaitGroup
	for writer := range killWriters {
		wg.Go(func() {
			for i := 0; ; i++ {
				slug := fmt.Sprintf("kill-%d-%d-%d", round, writer, i)
				var made struct{ ID string }
				if err := c.Call(t.Context(), http.MethodPost, "/api/collections/posts/records", post(slug), &made); err != nil {
					return // the kill, or the end of the test
				}
				mu.Lock()
				acknowledged[slug] = made.ID
				enough := len(acknowledged) == killAfter
				mu.Unlock()
				if enough {
					go s.Kill()
				}
			}
		})
	}
	wg.Wait()
	<-s.Done()
	return acknowledged
}

// integrity is SQLite's own verdict about the database: "ok" when it is sound.
func integrity(t *testing.T, home string) string {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(home, "pb_data", "data.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var verdict string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil {
		t.Fatal(err)
	}
	return verdict
}

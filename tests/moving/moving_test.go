// Package moving tests the commands that move a site in while its server runs.
package moving

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bungalow/tests/binary"
)

// TestAnImportBesideARunningServerShows runs the import as a process of its
// own, again and again, beside a server that has its pages in memory.
func TestAnImportBesideARunningServerShows(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	home := t.TempDir()
	server, err := binary.Start(ctx, binary.Options{Home: home})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Kill)
	visitor := binary.Client{Base: server.URL}
	notes := filepath.Join(home, "notes", "posts")
	if err := os.MkdirAll(notes, 0o755); err != nil {
		t.Fatal(err)
	}
	for round := 1; round <= 3; round++ {
		text := fmt.Sprintf("---\ntitle: Round %d of moving\ndate: 2026-01-0%d\n---\nHello.\n", round, round)
		if err := os.WriteFile(filepath.Join(notes, fmt.Sprintf("note-%d.md", round)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		page(ctx, t, visitor, "/blog/") // into memory
		result, err := binary.Run(ctx, home, "import", "markdown", filepath.Join(home, "notes"), "--dir", filepath.Join(home, "pb_data"))
		if err != nil || result.Code != 0 {
			t.Fatalf("import: %v, %+v", err, result)
		}
		ended := time.Now()
		want := fmt.Sprintf("Round %d of moving", round)
		for !strings.Contains(page(ctx, t, visitor, "/blog/"), want) {
			if ctx.Err() != nil {
				t.Fatalf("round %d never shows", round)
			}
			time.Sleep(5 * time.Millisecond) // between two looks, not for a result
		}
		t.Logf("round %d shows %v after the import ended", round, time.Since(ended).Round(time.Millisecond))
		if !strings.Contains(page(ctx, t, visitor, "/search/?q=moving"), want) {
			t.Errorf("round %d is not found", round)
		}
	}
}

func page(ctx context.Context, t *testing.T, c binary.Client, path string) string {
	t.Helper()
	answer, err := c.Do(ctx, "GET", path, nil)
	if err != nil || answer.Status != 200 {
		t.Fatalf("%s: %v, status %d", path, err, answer.Status)
	}
	return string(answer.Body)
}

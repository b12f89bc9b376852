package library_test

import (
	"fmt"
	"strings"
	"testing"

	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

// plan is how the database answers a query, as words.
func plan(t *testing.T, app core.App, query string) string {
	t.Helper()
	var steps []struct {
		Detail string `db:"detail"`
	}
	if err := app.DB().NewQuery("EXPLAIN QUERY PLAN " + query).All(&steps); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, s := range steps {
		out = append(out, s.Detail)
	}
	return strings.Join(out, "; ")
}

// A page of the library must not sort or walk all files.
func TestListsOfFilesUseIndexes(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	for index, where := range map[string]string{
		"idx_media_created": "trashed_at = ''",
		"idx_media_kind":    "trashed_at = '' AND kind = 'image'",
		"idx_media_owner":   "trashed_at = '' AND owner = 'x'",
	} {
		got := plan(t, app, "SELECT * FROM media WHERE "+where+" ORDER BY created DESC, id LIMIT 48")
		if !strings.Contains(got, index) || strings.Contains(got, "SCAN") {
			t.Errorf("%s: %s", where, got)
		}
	}
	if got := plan(t, app, "SELECT media, count(*) FROM _media_uses WHERE media IN ('a', 'b') GROUP BY media"); strings.Contains(got, "SCAN") {
		t.Errorf("counting uses: %s", got)
	}
}

// fill writes many rows of a collection at once, without their hooks.
func fill(t testing.TB, app core.App, n int, insert string) {
	t.Helper()
	query := fmt.Sprintf("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO %s", n, insert)
	if _, err := app.NonconcurrentDB().NewQuery(query).Execute(); err != nil {
		t.Fatal(err)
	}
}

const manyFiles = `media (id, file, kind, alt, sizes, created, updated, trashed_at)
	SELECT printf('f%014d', i), 'photo_' || i || '_abcdefghij.jpg', 'image', 'A photo of the sea', '{}',
		datetime('2026-01-01', '+' || i || ' minutes'), datetime('2026-01-01'), '' FROM n`

// BenchmarkMediaList is a page of the library among 10,000 files.
func BenchmarkMediaList(b *testing.B) {
	app := sitetest.New(b)
	fill(b, app, 10_000, manyFiles)
	editor := as(b, app, roles.Editor)
	for _, path := range []string{"/desk/media/", "/desk/media/?page=200", "/desk/media/?q=sea+9999", "/desk/media/?unused=1", "/desk/media/pick/?q=photo"} {
		b.Run(path, func(b *testing.B) {
			for b.Loop() {
				editor.see(path, 200)
			}
		})
	}
}

package media_test

import (
	"testing"

	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

// withFile makes a media record with a file.
func withFile(t *testing.T, app core.App, name, content string) *core.Record {
	t.Helper()
	file, err := filesystem.NewFileFromBytes([]byte(content), name)
	if err != nil {
		t.Fatal(err)
	}
	return sitetest.Make(t, app, schema.Media, map[string]any{"file": file})
}

package npm

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"bungalow/tests/binary"
)

func TestPackagesArePinnedAndInstalled(t *testing.T) {
	t.Parallel()
	dir, err := Dir()
	if err != nil {
		binary.Skip(t, "the npm packages for tests are missing", err)
	}
	var want struct {
		Dependencies map[string]string `json:"dependencies"`
	}
	if err := json.Unmarshal(manifest, &want); err != nil {
		t.Fatal(err)
	}
	for name, version := range want.Dependencies {
		raw, err := os.ReadFile(filepath.Join(dir, "node_modules", name, "package.json"))
		if err != nil {
			t.Error(err)
			continue
		}
		var got struct {
			Version string `json:"version"`
		}
		if err := json.Unmarshal(raw, &got); err != nil || got.Version != version {
			t.Errorf("%s is %s, pinned is %s (%v)", name, got.Version, version, err)
		}
	}
}

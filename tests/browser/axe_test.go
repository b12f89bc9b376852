package browser

import (
	"os"
	"path/filepath"
	"testing"

	"bungalow/tests/binary"
	"bungalow/tests/npm"
)

// axeCore is the source of axe-core, which finds what shuts people out.
func axeCore(t testing.TB) string {
	t.Helper()
	dir, err := npm.Dir()
	if err != nil {
		binary.Skip(t, "axe-core from npm is needed to check accessibility", err)
	}
	source, err := os.ReadFile(filepath.Join(dir, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

package secret_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"bungalow/hooks/kit/secret"
	"github.com/pocketbase/pocketbase/core"
)

func app(dir string) core.App { return core.NewBaseApp(core.BaseAppConfig{DataDir: dir}) }

func TestAKeyIsMadeOnceAndEachPurposeHasItsOwn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var wg sync.WaitGroup
	keys := make([][]byte, 8)
	for i := range keys { // several processes at once
		wg.Go(func() { keys[i], _ = secret.Derive(app(dir), "a") })
	}
	wg.Wait()
	for _, k := range keys {
		if len(k) != secret.Size || !bytes.Equal(k, keys[0]) {
			t.Fatalf("keys differ: %x and %x", k, keys[0])
		}
	}
	other, err := secret.Derive(app(dir), "b")
	if err != nil || bytes.Equal(other, keys[0]) {
		t.Errorf("two purposes share a key, %v", err)
	}
	info, err := os.Stat(filepath.Join(dir, secret.FileName))
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() != secret.Size {
		t.Errorf("the file: %v, %v", info, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, secret.FileName+".*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestADamagedKeyIsNotReplaced(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := app(t.TempDir())
	secret.Use(a, path)
	if _, err := secret.Derive(a, "x"); err == nil || !strings.Contains(err.Error(), "restore it from a backup") {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadFile(path); string(left) != "short" {
		t.Error("the file was overwritten")
	}
}

package conformance

import (
	"context"
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bungalow/tests/binary"
	"bungalow/tests/npm"
)

//go:embed client.mjs
var script []byte

// TestOfficialClient runs client.mjs against the executable on an empty folder.
func TestOfficialClient(t *testing.T) {
	t.Parallel()
	dir, err := npm.Dir()
	if err != nil {
		binary.Skip(t, "the official JavaScript client can't be run", err)
	}
	server, err := binary.Start(t.Context(), binary.Options{Home: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Kill)
	if _, err := server.Superuser(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Node looks for packages beside the script, so it lies beside them.
	path := filepath.Join(dir, "client-"+filepath.Base(server.Home)+".mjs")
	if err := os.WriteFile(path, script, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(path) })

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "node", path, server.URL, binary.SuperuserEmail, binary.SuperuserPassword).CombinedOutput()
	steps := 0
	for line := range strings.Lines(string(out)) {
		if name, ok := strings.CutPrefix(line, "ok - "); ok {
			steps++
			t.Log("passed:", strings.TrimSpace(name))
		}
	}
	if err != nil || !strings.HasSuffix(string(out), "done\n") {
		t.Errorf("after %d steps: %v\n%s\nthe server said:\n%s", steps, err, out, server.Output())
	}
}

// Package npm installs the few npm packages that only tests need: the official
// PocketBase client and axe-core. They lie in a cache folder, pinned by the
// lock file, and never in the repository or the product.
package npm

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"bungalow/tests/binary"
)

//go:embed package.json
var manifest []byte

//go:embed package-lock.json
var lockfile []byte

// ErrNoNode says that this machine can't run the official client.
var ErrNoNode = errors.New("node or npm is not installed")

// limit is for the whole installation; it takes a second or two.
const limit = 2 * time.Minute

// Dir returns the folder whose node_modules holds the pinned packages and
// installs them there when they are missing. Its error is ErrNoNode, or says
// why the installation failed, for instance that there is no network.
var Dir = sync.OnceValues(func() (string, error) {
	if _, err := exec.LookPath("node"); err != nil {
		return "", ErrNoNode
	}
	if _, err := exec.LookPath("npm"); err != nil {
		return "", ErrNoNode
	}
	sum := sha256.Sum256(append(append([]byte{}, manifest...), lockfile...))
	dir, unlock, err := binary.Cache("npm-" + hex.EncodeToString(sum[:4]))
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(filepath.Join(dir, "complete")); err == nil {
		return dir, nil
	}
	return dir, install(dir)
})

func install(dir string) error {
	for name, content := range map[string][]byte{"package.json": manifest, "package-lock.json": lockfile} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return fmt.Errorf("prepare the npm folder: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	return os.WriteFile(filepath.Join(dir, "complete"), nil, 0o644)
}

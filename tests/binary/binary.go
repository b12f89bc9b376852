// Package binary builds the real executable and runs it for the tests and the
// benchmark that need a whole process: a port, a data folder, signals, an exit
// code. Every server gets a port from the kernel and a folder of its own.
//
// It never touches a data folder that it was not given, and it ends only the
// processes that it started.
package binary

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// buildFlags are those of a release: stripped, without the paths of the
// machine that built it.
var buildFlags = []string{"build", "-trimpath", "-ldflags", "-s -w"}

var build = sync.OnceValues(func() (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	return buildInto(root, ".", "bungalow")
})

// Build compiles the module's executable, once per process, and returns its
// path. Processes that test the same checkout share the file, so that only the
// first of them links it. BUNGALOW_BINARY names a finished executable instead.
func Build() (string, error) {
	if given := os.Getenv("BUNGALOW_BINARY"); given != "" {
		return filepath.Abs(given)
	}
	return build()
}

// Compile builds another main package of the module, "./bench" for example,
// beside the executable and returns its path.
func Compile(pkg string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	return buildInto(root, pkg, filepath.Base(pkg))
}

func buildInto(root, pkg, name string) (string, error) {
	sum := sha256.Sum256([]byte(root))
	dir, unlock, err := Cache("build-" + hex.EncodeToString(sum[:6]))
	if err != nil {
		return "", err
	}
	defer unlock()

	path := filepath.Join(dir, name)
	cmd := exec.Command("go", append(buildFlags, "-o", path, pkg)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN=auto", "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %w\n%s", pkg, err, out)
	}
	return path, nil
}

// Cache makes a folder that outlives the test run and locks it against other
// processes until unlock. It lies outside the temp folder where it can:
// PocketBase takes an executable under the temp folder for "go run" and behaves
// differently.
func Cache(name string) (dir string, unlock func(), err error) {
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir()
	}
	dir = filepath.Join(base, "bungalow-tests", name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", nil, fmt.Errorf("make a cache folder: %w", err)
	}
	if unlock, err = lock(dir + ".lock"); err != nil {
		return "", nil, fmt.Errorf("lock a cache folder: %w", err)
	}
	return dir, unlock, nil
}

// Root finds the module's folder, from the working folder upwards.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(mod), "module bungalow\n") {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod of module bungalow above the working folder")
		}
		dir = parent
	}
}

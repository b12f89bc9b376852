// Package secret holds the site's one key and derives every other key from it.
// The key lies in pb_data/secret.key (32 random bytes, mode 0600) and never in
// the database, so a leaked backup of the database signs nothing.
package secret

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/pocketbase/pocketbase/core"
)

// FileName is the key's file inside the data folder.
const FileName = "secret.key"

// Size is the length of the key and of every derived key, in bytes.
const Size = 32

const storeKey = "bungalow.secret"

// holder reads the key once per app, when it is first needed.
type holder struct {
	path string
	once sync.Once
	key  []byte
	err  error

	derived sync.Map // by purpose, of which there are few
}

// Use tells the app where its key lies; an empty path means FileName in the
// data folder. It reads nothing yet.
func Use(app core.App, path string) {
	if path == "" {
		path = filepath.Join(app.DataDir(), FileName)
	}
	app.Store().Set(storeKey, &holder{path: path})
}

// Derive returns the 32-byte key for a purpose by HKDF-SHA256 (RFC 5869). The
// purpose is a fixed name such as "challenge" and never visitor input. The key
// file is created at first use; an unreadable or short one is an error.
func Derive(app core.App, purpose string) ([]byte, error) {
	h := app.Store().GetOrSet(storeKey, func() any {
		return &holder{path: filepath.Join(app.DataDir(), FileName)}
	}).(*holder)
	h.once.Do(func() { h.key, h.err = load(h.path) })
	if h.err != nil {
		return nil, h.err
	}
	if known, ok := h.derived.Load(purpose); ok {
		return slices.Clone(known.([]byte)), nil
	}
	key, err := hkdf.Key(sha256.New, h.key, nil, "bungalow "+purpose, Size)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	h.derived.Store(purpose, slices.Clone(key))
	return key, nil
}

func load(path string) ([]byte, error) {
	key, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return create(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the site's key: %w", err)
	}
	if len(key) != Size {
		return nil, fmt.Errorf("the site's key %s has %d bytes instead of %d; restore it from a backup", path, len(key), Size)
	}
	return key, nil
}

// create writes a new key beside its final name and links it into place, so
// that of two processes that start at once both read the same one.
func create(path string) ([]byte, error) {
	key := make([]byte, Size)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("make the site's key: %w", err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), FileName+".*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("save the site's key: %w", err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(key)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return nil, fmt.Errorf("save the site's key: %w", err)
	}
	return place(key, tmp.Name(), path, os.Link)
}

// place links the key's file into place. Some file systems, such as exFAT and
// network shares, have no links; there the file is written under its name.
func place(key []byte, tmp, path string, link func(old, name string) error) ([]byte, error) {
	err := link(tmp, path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		var f *os.File
		if f, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
			_, err = f.Write(key)
			err = errors.Join(err, f.Sync(), f.Close())
		}
	}
	if errors.Is(err, fs.ErrExist) {
		return load(path)
	}
	if err != nil {
		return nil, fmt.Errorf("save the site's key: %w", err)
	}
	return key, nil
}

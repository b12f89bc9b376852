package theme

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"strings"
	"time"
)

// asset remembers the hash of a file as it was at a time and size.
type asset struct {
	hash     string
	size     int64
	modified time.Time
}

// HashLength is how many hex digits of a file's SHA-256 stand in its address.
const HashLength = 10

// Asset adds the file's hash to its address: "/assets/css/site.css" gives
// "/assets/css/site.css?v=0123456789". The address changes with the content,
// so it may be cached for ever. The address of a file that does not exist
// stays as it is.
func (t *Theme) Asset(name string) string {
	file := strings.TrimPrefix(name, "/")
	info, err := fs.Stat(t.fsys, file)
	if err != nil || info.IsDir() {
		return name
	}
	t.mu.RLock()
	known, ok := t.assets[file]
	t.mu.RUnlock()
	if !ok || known.size != info.Size() || !known.modified.Equal(info.ModTime()) {
		hash, err := t.hash(file)
		if err != nil {
			return name
		}
		known = asset{hash, info.Size(), info.ModTime()}
		t.mu.Lock()
		t.assets[file] = known
		t.mu.Unlock()
	}
	return name + "?v=" + known.hash
}

func (t *Theme) hash(file string) (string, error) {
	f, err := t.fsys.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil))[:HashLength], nil
}

// assetsChanged forgets the hashes of files that are not as they were, and
// reports whether there were any.
func (t *Theme) assetsChanged() (changed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for file, known := range t.assets {
		info, err := fs.Stat(t.fsys, file)
		if err != nil || info.Size() != known.size || !info.ModTime().Equal(known.modified) {
			delete(t.assets, file)
			changed = true
		}
	}
	return changed
}

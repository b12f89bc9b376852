package site

import (
	"io/fs"
	"net/http"
	"path"
	"strings"

	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/theme"
)

// Static serves files of pb_public, the disk over what is built in.
type Static struct {
	disk string
	fsys fs.FS
}

// NewStatic serves the folder disk over embedded.
func NewStatic(disk string, embedded fs.FS, _ *cache.Cache) *Static {
	return &Static{disk: disk, fsys: theme.Overlay(disk, embedded)}
}

// Find gives the file that an address names.
func (s *Static) Find(urlPath string) (name string, ok bool) {
	name = strings.TrimPrefix(path.Clean("/"+urlPath), "/")
	if strings.HasSuffix(urlPath, "/") {
		name = path.Join(name, "index.html")
	}
	for part := range strings.SplitSeq(strings.ToLower(name), "/") {
		if strings.HasPrefix(part, "_theme") || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".go") {
			return "", false
		}
	}
	info, err := fs.Stat(s.fsys, name)
	return name, err == nil && info.Mode().IsRegular()
}

// OnDisk reports whether the owner's folder has a file at the address, so that
// a page in memory must give way to it.
func (s *Static) OnDisk(urlPath string) bool {
	if s.disk == "" {
		return false
	}
	_, ok := s.Find(urlPath)
	return ok
}

// Serve answers with the file.
func (s *Static) Serve(w http.ResponseWriter, r *http.Request, name string) {
	http.ServeFileFS(w, r, s.fsys, name)
}

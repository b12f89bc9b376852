package library

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// unpack stores the upload as the importers read it: one file, or a folder.
func unpack(dir, kind, name string, from io.Reader) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("keep an upload: %w", err)
	}
	ending := strings.ToLower(path.Ext(name))
	want := map[string]string{"wordpress": ".xml", "ghost": ".json", "markdown": ".zip"}[kind]
	if ending != want && !(kind == "markdown" && ending == ".md") {
		return takenBy("file", fmt.Sprintf("This is not what that system writes: choose a file that ends in %s.", want))
	}
	stored := filepath.Join(dir, "upload"+ending)
	file, err := os.OpenFile(stored, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("keep an upload: %w", err)
	}
	n, err := io.Copy(file, io.LimitReader(from, maxImport+1))
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("keep an upload: %w", err)
	}
	if n > maxImport {
		return takenBy("file", fmt.Sprintf("The file is larger than %d MB. Use the command import for it.", maxImport>>20))
	}
	if ending != ".zip" {
		return nil
	}
	return unzip(stored, filepath.Join(dir, "site"))
}

// unzip unpacks an archive within its limits; its names can't leave the folder.
func unzip(stored, dir string) error {
	z, err := zip.OpenReader(stored)
	if err != nil {
		return takenBy("file", "This is not a ZIP archive, or it is damaged.")
	}
	defer z.Close()
	if len(z.File) > maxEntries {
		return takenBy("file", fmt.Sprintf("The archive has more than %d files. Use the command import for it.", maxEntries))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	defer root.Close()
	left := int64(maxUnpacked)
	for _, entry := range z.File {
		name := filepath.FromSlash(entry.Name)
		if !entry.Mode().IsRegular() || !filepath.IsLocal(name) || strings.HasPrefix(entry.Name, "__MACOSX/") {
			continue
		}
		n, err := extract(root, entry, name, min(left, maxUnpackedFile))
		if err != nil {
			return err
		}
		left -= n
	}
	return nil
}

func extract(root *os.Root, entry *zip.File, name string, most int64) (int64, error) {
	r, err := entry.Open()
	if err != nil {
		return 0, takenBy("file", "The archive is damaged.")
	}
	defer r.Close()
	if err := root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return 0, takenBy("file", "The archive has a file and a folder of one name.")
	}
	out, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, takenBy("file", "The archive has a name that can't be stored.")
	}
	n, err := io.Copy(out, io.LimitReader(r, most+1))
	closed := out.Close()
	switch {
	case n > most:
		return 0, takenBy("file", fmt.Sprintf("The archive unpacks to more than %d MB, or has a file of more than %d MB.", maxUnpacked>>20, maxUnpackedFile>>20))
	case errors.Is(err, zip.ErrChecksum), errors.Is(err, zip.ErrFormat), errors.Is(err, io.ErrUnexpectedEOF):
		return 0, takenBy("file", "The archive is damaged.")
	}
	if err = errors.Join(err, closed); err != nil {
		return 0, fmt.Errorf("unpack: %w", err)
	}
	return n, nil
}

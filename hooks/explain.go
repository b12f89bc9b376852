package hooks

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// folderError remembers the data folder of the app that an error came from.
type folderError struct {
	dir string
	error
}

func (e folderError) Unwrap() error { return e.error }

// inFolder adds the data folder to an error, for Explain.
func inFolder(dir string, err error) error {
	if err == nil {
		return nil
	}
	return folderError{dir, err}
}

// Explain turns an error of the start or of a command into one sentence for
// the operator: what is wrong, and what to do. An error that it does not know
// keeps its own words.
func Explain(err error) string {
	var dir string
	var in folderError
	if errors.As(err, &in) {
		dir = in.dir
	}
	err = first(err)
	for _, explain := range []func(error, string) string{explainAddress, explainDatabase, explainFile, explainWords} {
		if text := explain(err, dir); text != "" {
			return text
		}
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

// first picks the first of several joined errors: the others follow from it.
func first(err error) error {
	for {
		switch e := err.(type) { //nolint:errorlint // walks the chain itself
		case folderError:
			err = e.error
		case interface{ Unwrap() []error }:
			if len(e.Unwrap()) == 0 {
				return err
			}
			err = e.Unwrap()[0]
		default:
			return err
		}
	}
}

// explainAddress speaks of the address that the server was to listen on.
func explainAddress(err error, _ string) string {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "listen" {
		return ""
	}
	addr := ""
	if op.Addr != nil {
		addr = op.Addr.String()
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Sprintf("the address %s is taken by another program; stop that program or choose another address, for example --http 127.0.0.1:8091", addr)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Sprintf("this machine has no address %s; choose one that it has, for example --http 127.0.0.1:8090", addr)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("this user may not listen on %s; choose a port above 1023, for example --http 127.0.0.1:8090, or allow it with \"setcap cap_net_bind_service=+ep\" on the executable", addr)
	}
	return fmt.Sprintf("the server can't listen there (%v); write the address as host:port, for example --http 127.0.0.1:8090", op.Err)
}

// explainFile speaks of a file or folder that can't be used.
func explainFile(err error, dir string) string {
	path := dir
	var at *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &at):
		path = at.Path
	case errors.As(err, &link):
		path = link.New
	}
	if full, absErr := filepath.Abs(path); absErr == nil && path != "" {
		path = full
	}
	const other = "or choose another folder with --dir"
	switch {
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EEXIST):
		return fmt.Sprintf("%s is a file where Bungalow needs a folder; move it away %s", fileOnTheWay(path), other)
	case errors.Is(err, syscall.EROFS):
		return fmt.Sprintf("%s lies on a read-only file system; mount it writable %s", path, other)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Sprintf("the disk that holds %s is full; free some space and start again, nothing was lost", path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("this user has no right to use %s; give it the right %s", path, other)
	case at != nil && at.Op == "mkdir":
		return fmt.Sprintf("the folder %s can't be made there; choose another folder with --dir", path)
	}
	return ""
}

// fileOnTheWay finds the part of a path that is a file.
func fileOnTheWay(path string) string {
	for p := path; ; p = filepath.Dir(p) {
		if info, err := os.Stat(p); err == nil && !info.IsDir() {
			return p
		}
		if p == filepath.Dir(p) {
			return path
		}
	}
}

// Primary result codes of SQLite (sqlite.org/rescode.html); the low byte of an
// extended code is its primary code.
const (
	sqliteBusy     = 5
	sqliteReadonly = 8
	sqliteIOErr    = 10
	sqliteCorrupt  = 11
	sqliteFull     = 13
	sqliteCantOpen = 14
	sqliteNotADB   = 26
)

// explainDatabase speaks of what SQLite reports. Its codes for a bad folder and
// a bad disk are vague, so the folder itself is tried.
func explainDatabase(err error, dir string) string {
	var coded interface{ Code() int }
	if !errors.As(err, &coded) || dir == "" {
		return ""
	}
	if full, absErr := filepath.Abs(dir); absErr == nil {
		dir = full
	}
	switch coded.Code() & 0xff {
	case sqliteNotADB, sqliteCorrupt:
		return damaged(dir)
	case sqliteFull:
		return explainFile(&fs.PathError{Op: "write", Path: dir, Err: syscall.ENOSPC}, dir)
	case sqliteBusy:
		return fmt.Sprintf("another program holds the database in %s; stop it and start again", dir)
	case sqliteReadonly, sqliteCantOpen, sqliteIOErr:
		if text := explainFile(tryWrite(dir), dir); text != "" {
			return text
		}
		return fmt.Sprintf("the database in %s can't be read or written (%v); check that its files belong to this user and that the disk is in order", dir, err)
	}
	return ""
}

// damaged names the database file that is not one.
func damaged(dir string) string {
	const logs = "auxiliary.db"
	if !looksLikeDatabase(filepath.Join(dir, logs)) && looksLikeDatabase(filepath.Join(dir, "data.db")) {
		return fmt.Sprintf("the log database %s is damaged; it holds only logs, so move it away and start again", filepath.Join(dir, logs))
	}
	path := filepath.Join(dir, "data.db")
	return fmt.Sprintf("the database %s is damaged and was left as it is; restore the folder from a backup, or rescue what can be read with: sqlite3 %s .recover", path, path)
}

// looksLikeDatabase checks the first bytes (sqlite.org/fileformat.html, 1.3).
// A file that is empty or not there is fine: SQLite makes it.
func looksLikeDatabase(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	defer f.Close()
	head := make([]byte, 16)
	n, err := io.ReadFull(f, head)
	return errors.Is(err, io.EOF) || string(head[:n]) == "SQLite format 3\x00"
}

// probeSize is more than the little that a full disk may still take.
const probeSize = 256 << 10

// tryWrite finds out what is wrong with a folder by writing a file to it, which
// is removed again.
func tryWrite(dir string) error {
	f, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(bytes.Repeat([]byte{0}, probeSize))
	return errors.Join(err, f.Close())
}

// explainWords knows errors that come as text only, from PocketBase and cobra.
func explainWords(err error, dir string) string {
	text := err.Error()
	switch {
	case strings.Contains(text, "invalid settings db data or missing encryption key"):
		return fmt.Sprintf("the settings in the database of %s can't be read: they are damaged, or encrypted with another key; name the variable that holds the right key with --encryptionEnv, or restore the folder from a backup", dir)
	case strings.HasPrefix(text, "unknown command "), strings.HasPrefix(text, "unknown flag"), strings.HasPrefix(text, "unknown shorthand flag"):
		what, suggestion, _ := strings.Cut(text, "\n\nDid you mean this?\n")
		if fields := strings.Fields(suggestion); len(fields) > 0 {
			what += "; did you mean " + strings.Join(fields, " or ") + "?"
		}
		return what + " (bungalow --help lists all)"
	case strings.Contains(text, "missing port in address"), strings.Contains(text, "too many colons in address"):
		return "the address to listen on can't be read; write it as host:port, for example --http 127.0.0.1:8090"
	}
	return ""
}

package secret

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A site on a memory stick or a network share once could not start.
func TestAKeyIsKeptWhereTheFileSystemHasNoLinks(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), FileName)
	none := func(string, string) error { return errors.ErrUnsupported }
	first, second := bytes.Repeat([]byte{1}, Size), bytes.Repeat([]byte{2}, Size)
	for _, key := range [][]byte{first, second} { // the second process finds the key of the first
		got, err := place(key, "", path, none)
		if err != nil || !bytes.Equal(got, first) {
			t.Fatalf("got %x, %v", got, err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() != Size {
		t.Fatalf("the file is %v, %v", info, err)
	}
	if _, err := place(first, "", filepath.Join(t.TempDir(), "no", "folder"), none); err == nil {
		t.Error("a key that can't be stored is used")
	}
}

package main

import (
	"path/filepath"
	"testing"
)

// TestSynchronousIsSet looks at both databases, with and without the variable.
func TestSynchronousIsSet(t *testing.T) {
	t.Parallel()
	if config("").DBConnect != nil {
		t.Error("plain PocketBase does not connect as PocketBase does")
	}
	for file, want := range map[string]int{"data.db": 2, "auxiliary.db": 1} {
		db, err := config("FULL").DBConnect(filepath.Join(t.TempDir(), file))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		var got int
		if err := db.NewQuery("PRAGMA synchronous").Row(&got); err != nil || got != want {
			t.Errorf("%s: synchronous is %d, want %d (%v)", file, got, want, err)
		}
		var keys int
		if err := db.NewQuery("PRAGMA foreign_keys").Row(&keys); err != nil || keys != 1 {
			t.Errorf("%s: foreign_keys is %d (%v)", file, keys, err)
		}
	}
}

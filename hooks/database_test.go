package hooks_test

import (
	"path/filepath"
	"strings"
	"testing"

	"bungalow/hooks"
)

// TestDurabilityIsWhatTheOperatorSays asks the connection that Boot hands to
// PocketBase.
func TestDurabilityIsWhatTheOperatorSays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args, env []string
		want      int // PRAGMA synchronous of data.db: 2 is FULL, 1 NORMAL
	}{
		{nil, nil, 2},
		{[]string{"--durability", "full"}, []string{"BUNGALOW_DURABILITY=normal"}, 2},
		{[]string{"--durability=normal"}, nil, 1},
		{nil, []string{"BUNGALOW_DURABILITY=normal"}, 1},
		{[]string{"--without", "engine"}, nil, 1},
	} {
		base, _, err := hooks.Boot(c.args, c.env)
		if err != nil {
			t.Fatal(err)
		}
		got := [2]int{}
		for i, file := range []string{"data.db", "auxiliary.db"} {
			db, err := base.DBConnect(filepath.Join(t.TempDir(), file))
			if err != nil {
				t.Fatal(err)
			}
			if err := db.NewQuery("PRAGMA synchronous").Row(&got[i]); err != nil {
				t.Error(err)
			}
			_ = db.Close()
		}
		if got != [2]int{c.want, 1} {
			t.Errorf("%v %v: synchronous is %v", c.args, c.env, got)
		}
	}
	if _, _, err := hooks.Boot([]string{"--durability", "some"}, nil); err == nil || !strings.Contains(err.Error(), "full or normal") {
		t.Errorf("an unknown durability: %v", err)
	}
}

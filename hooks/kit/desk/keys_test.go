package desk_test

import (
	"io/fs"
	"regexp"
	"testing"

	"bungalow/hooks/kit/desk"
	"bungalow/pb_public"
)

var bound = regexp.MustCompile(`data-(?:key|do)="([^"{]{1,3})"`)

func TestThePageOfShortcutsListsEveryKey(t *testing.T) {
	t.Parallel()
	listed := map[string]bool{}
	for _, k := range desk.Keys {
		listed[k.Keys] = true
	}
	found := 0
	err := fs.WalkDir(pb_public.Files, "_theme/desk", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		source, err := fs.ReadFile(pb_public.Files, name)
		for _, m := range bound.FindAllStringSubmatch(string(source), -1) {
			if found++; !listed[m[1]] {
				t.Errorf("%s binds the key %q, which desk.Keys does not list", name, m[1])
			}
		}
		return err
	})
	if err != nil || found < 20 {
		t.Fatalf("%d keys are found: %v", found, err)
	}
}

package cache

import "testing"

func TestAStampIsFreshUntilOneOfItsKeysIsBumped(t *testing.T) {
	t.Parallel()
	for bump, fresh := range map[string]bool{"users/a": false, "users": true, "users/b": true, "posts": false, "posts/a": true} {
		c := New(1 << 20)
		c.Bump("users/a", "posts") // before the stamp
		s := c.Stamp()
		s.Uses("users/a", "posts")
		if !s.Fresh() {
			t.Fatal("stale from the start")
		}
		// Two keys may share a slot; that drops more than it must, never less.
		shared := c.slot(bump) == c.slot("users/a") || c.slot(bump) == c.slot("posts")
		if c.Bump(bump); s.Fresh() != fresh && !shared {
			t.Errorf("after a bump of %s it is fresh: %v", bump, s.Fresh())
		}
		if c.BumpAll(); s.Fresh() {
			t.Error("BumpAll does not end it")
		}
		if later := c.Stamp(); !later.Fresh() {
			t.Error("an old bump ends a later stamp")
		}
	}
	if (&Stamp{}).Fresh() {
		t.Error("the zero stamp is fresh")
	}
}

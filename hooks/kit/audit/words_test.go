package audit_test

import (
	"testing"

	"bungalow/hooks/kit/audit"
)

func TestActionsAreSaidInWords(t *testing.T) {
	t.Parallel()
	for action, want := range map[string]string{
		"post.publish": "Post published", "staff.sign_in": "Signed in", "orders.pay_back": "Orders: pay back", "tidy": "Tidy", "": "", ".x": ".x",
	} {
		if got := audit.Words(action); got != want {
			t.Errorf("%q: %q, want %q", action, got, want)
		}
	}
}

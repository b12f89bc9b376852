package roles_test

import (
	"strings"
	"testing"

	"bungalow/hooks/kit/roles"
)

func TestTheOwnerMayDoEverythingAndEachRoleItsOwn(t *testing.T) {
	t.Parallel()
	may := map[roles.Role]string{
		roles.Editor: "content.write content.edit media.manage comments.moderate", roles.Author: "content.write",
		roles.Moderator: "comments.moderate inbox.answer", roles.Shopkeeper: "shop.manage numbers.read", roles.Analyst: "numbers.read",
	}
	all := []roles.Permission{roles.ContentWrite, roles.ContentEdit, roles.MediaManage, roles.CommentsModerate,
		roles.InboxAnswer, roles.ShopManage, roles.NumbersRead, roles.SettingsManage, roles.StaffManage}
	for _, p := range all {
		if !roles.Can(roles.Owner, p) || roles.With(p)[0] != roles.Owner {
			t.Errorf("the owner may not %s", p)
		}
		for role, list := range may {
			if want := strings.Contains(" "+list+" ", " "+string(p)+" "); roles.Can(role, p) != want {
				t.Errorf("%s may %s: %v", role, p, !want)
			}
		}
	}
}

func TestARuleAsksForAnActiveAccount(t *testing.T) {
	t.Parallel()
	rule := roles.Rule(roles.ContentWrite)
	for _, want := range []string{`@request.auth.active = true`, `@request.auth.collectionName = "staff"`, `"owner"`, `"author"`} {
		if !strings.Contains(rule, want) {
			t.Errorf("%s has no %s", rule, want)
		}
	}
	if strings.Contains(rule, "moderator") {
		t.Errorf("%s lets moderators write", rule)
	}
}

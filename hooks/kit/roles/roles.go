// Package roles is the one table of who may do what. Route access, the desk's
// menu and the API rules of collections are all made from it; nothing else
// decides by the name of a role.
package roles

import (
	"fmt"
	"slices"
	"strings"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

// Role is the value of staff.role.
type Role string

// The roles of staff.
const (
	Owner      Role = "owner"
	Editor     Role = "editor"
	Author     Role = "author"
	Moderator  Role = "moderator"
	Shopkeeper Role = "shopkeeper"
	Analyst    Role = "analyst"
)

// All lists the roles in the order in which the desk offers them.
var All = []Role{Owner, Editor, Author, Moderator, Shopkeeper, Analyst}

// Permission names one thing that a person may do, as feature.verb.
type Permission string

// The permissions that the features declare.
const (
	ContentWrite     Permission = "content.write" // own posts and own media
	ContentEdit      Permission = "content.edit"  // everybody's posts, pages, menus, redirects
	MediaManage      Permission = "media.manage"
	CommentsModerate Permission = "comments.moderate"
	InboxAnswer      Permission = "inbox.answer"
	FormsEdit        Permission = "forms.edit" // what a form asks, and of whom
	ShopManage       Permission = "shop.manage"
	NumbersRead      Permission = "numbers.read"
	SettingsManage   Permission = "settings.manage" // the owner's alone
	StaffManage      Permission = "staff.manage"    // the owner's alone
)

// table holds every permission but the owner's: an owner has all of them.
var table = map[Role][]Permission{
	Editor:     {ContentWrite, ContentEdit, MediaManage, CommentsModerate, FormsEdit},
	Author:     {ContentWrite},
	Moderator:  {CommentsModerate, InboxAnswer},
	Shopkeeper: {ShopManage, NumbersRead},
	Analyst:    {NumbersRead},
}

// Can reports whether the role has the permission. An unknown role has none.
func Can(role Role, p Permission) bool {
	return role == Owner || slices.Contains(table[role], p)
}

// With lists the roles that have the permission, the owner first.
func With(p Permission) []Role {
	var out []Role
	for _, role := range All {
		if Can(role, p) {
			out = append(out, role)
		}
	}
	return out
}

// Rule is the collection rule "an active member of staff with this permission".
func Rule(p Permission) string {
	parts := make([]string, 0, len(All))
	for _, role := range With(p) {
		parts = append(parts, fmt.Sprintf("@request.auth.role = %q", role))
	}
	return "(" + Active + " && (" + strings.Join(parts, " || ") + "))"
}

// Active is the collection rule "an active member of staff".
const Active = `@request.auth.collectionName = "` + schema.Staff + `" && @request.auth.active = true`

// Allows reports whether the signed-in record may do what p names. Superusers
// may do everything, inactive staff and everybody else nothing.
func Allows(auth *core.Record, p Permission) bool {
	if auth == nil {
		return false
	}
	if auth.IsSuperuser() {
		return true
	}
	return IsActiveStaff(auth) && Can(Role(auth.GetString("role")), p)
}

// IsActiveStaff reports whether the record is a member of staff who may sign in.
func IsActiveStaff(auth *core.Record) bool {
	return auth != nil && auth.Collection().Name == schema.Staff && auth.GetBool("active")
}

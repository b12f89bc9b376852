package hooks_test

import (
	"maps"

	"bungalow/hooks/kit/web"
)

// The routes of the comments.
func init() {
	maps.Copy(decided, map[string]web.Access{
		"GET /api/site/comments":                 web.Public,
		"POST /api/site/comments":                web.Public,
		"GET /api/site/comments/counts":          web.Public,
		"GET /api/site/comments/live":            web.Public,
		"PATCH /api/site/comments/{id}":          web.Public,
		"DELETE /api/site/comments/{id}":         web.Public,
		"POST /api/site/comments/{id}/reactions": web.Public,
		"GET /api/site/comments-mail/{order}":    web.Public,
		"POST /api/site/comments-mail/{order}":   web.Public,
		"GET /comments.xml":                      web.Public,
		"GET /blog/{slug}/comments.xml":          web.Public,
	})
}

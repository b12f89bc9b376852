package hooks_test

import (
	"maps"

	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/web"
)

// The routes of the comments.
func init() {
	const moderate = web.Access(roles.CommentsModerate)
	maps.Copy(decided, map[string]web.Access{
		"GET /api/site/comments":                 web.Public,
		"POST /api/site/comments":                web.Public,
		"GET /api/site/comments/counts":          web.Public,
		"GET /api/site/comments/live":            web.Public,
		"PATCH /api/site/comments/{id}":          web.Public,
		"DELETE /api/site/comments/{id}":         web.Public,
		"POST /api/site/comments/{id}/reactions": web.Public,
		"GET /api/site/comments/{id}/own":        web.Public,
		"POST /api/site/comments/{id}/own":       web.Public,
		"GET /api/site/comments-mail/{order}":    web.Public,
		"POST /api/site/comments-mail/{order}":   web.Public,
		"GET /comments.xml":                      web.Public,
		"GET /blog/{slug}/comments.xml":          web.Public,

		"GET /desk/comments/{$}":                 moderate,
		"POST /desk/comments/decide/{$}":         moderate,
		"GET /desk/comments/live/{$}":            moderate,
		"GET /desk/comments/thread/{$}":          moderate,
		"POST /desk/comments/thread/{$}":         moderate,
		"GET /desk/comments/person/{$}":          moderate,
		"POST /desk/comments/person/erase/{$}":   moderate,
		"POST /desk/comments/person/unblock/{$}": moderate,
		"GET /desk/comments/person.json":         moderate,
		"GET /desk/comments/words.jsonl":         moderate,
		"GET /desk/comments/{id}/{$}":            moderate,
		"POST /desk/comments/{id}/edit/{$}":      moderate,
		"POST /desk/comments/{id}/reply/{$}":     moderate,
		"POST /desk/comments/{id}/block/{$}":     moderate,
		"POST /desk/comments/{id}/pin/{$}":       moderate,
	})
}

package hooks_test

import (
	"maps"

	"bungalow/hooks/kit/web"
)

// The library's part of what is decided.
func init() {
	maps.Copy(decided, map[string]web.Access{
		"GET /desk/media/{$}":               "content.write",
		"GET /desk/media/pick/{$}":          "content.write",
		"GET /desk/media/{id}/{$}":          "content.write",
		"GET /desk/media/{id}/file/{$}":     "content.write",
		"POST /desk/media/upload/{$}":       "content.write",
		"POST /desk/media/bin/{$}":          "content.write",
		"POST /desk/media/restore/{$}":      "content.write",
		"POST /desk/media/delete/{$}":       "content.write",
		"POST /desk/media/{id}/{$}":         "content.write",
		"POST /desk/media/{id}/replace/{$}": "content.write",

		"POST /desk/library/undo/{$}":         "content.edit",
		"GET /desk/redirects/{$}":             "content.edit",
		"GET /desk/redirects.csv":             "content.edit",
		"GET /desk/redirects/import/{$}":      "content.edit",
		"GET /desk/redirects/{id}/{$}":        "content.edit",
		"POST /desk/redirects/{$}":            "content.edit",
		"POST /desk/redirects/import/{$}":     "content.edit",
		"POST /desk/redirects/import/try/{$}": "content.edit",
		"POST /desk/redirects/delete/{$}":     "content.edit",
		"GET /desk/tags/{$}":                  "content.edit",
		"GET /desk/tags/{id}/{$}":             "content.edit",
		"POST /desk/tags/{$}":                 "content.edit",
		"POST /desk/tags/{id}/{$}":            "content.edit",
		"POST /desk/tags/{id}/merge/{$}":      "content.edit",
		"POST /desk/tags/{id}/delete/{$}":     "content.edit",
		"GET /desk/authors/{$}":               "content.edit",
		"GET /desk/authors/{id}/{$}":          "content.edit",
		"POST /desk/authors/{$}":              "content.edit",
		"POST /desk/authors/{id}/{$}":         "content.edit",
		"POST /desk/authors/{id}/merge/{$}":   "content.edit",
		"POST /desk/authors/{id}/delete/{$}":  "content.edit",
		"GET /desk/menus/{$}":                 "content.edit",
		"GET /desk/menus/{id}/{$}":            "content.edit",
		"POST /desk/menus/{$}":                "content.edit",
		"POST /desk/menus/{id}/{$}":           "content.edit",
		"POST /desk/menus/{id}/arrange/{$}":   "content.edit",
		"POST /desk/menus/{id}/delete/{$}":    "content.edit",
		"GET /desk/import/{$}":                "content.edit",
		"GET /desk/import/{id}/{$}":           "content.edit",
		"POST /desk/import/{$}":               "content.edit",
		"POST /desk/import/{id}/start/{$}":    "content.edit",
		"POST /desk/import/{id}/stop/{$}":     "content.edit",
		"POST /desk/import/{id}/delete/{$}":   "content.edit",
		"GET /desk/export/markdown.zip":       "content.edit",
		"GET /desk/export/all.zip":            web.Owner,
		"POST /desk/redirects/{id}/{$}":       "content.edit",
	})
}

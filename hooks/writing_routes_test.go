package hooks_test

import (
	"maps"
	"strings"

	"bungalow/hooks/kit/web"
)

// The decisions for the pages of writing: posts are for authors too, pages for
// who edits all. Whose text it is, the domain asks.
func init() {
	maps.Copy(decided, map[string]web.Access{"POST /desk/writing/render/{$}": "content.write"})
	for root, access := range map[string]web.Access{"posts": "content.write", "pages": "content.edit"} {
		for _, route := range []string{
			"GET ", "GET new/", "POST new/", "POST bulk/", "POST unbin/", "GET {id}/", "POST {id}/", "POST {id}/autosave/",
			"POST {id}/unpublish/", "POST {id}/discard/", "POST {id}/bin/", "POST {id}/unbin/", "POST {id}/purge/", "POST {id}/translate/",
			"GET {id}/preview/", "GET {id}/conflict/", "POST {id}/conflict/", "GET {id}/revisions/", "GET {id}/revisions/{revision}/",
			"POST {id}/revisions/{revision}/restore/",
		} {
			method, path, _ := strings.Cut(route, " ")
			decided[method+" /desk/"+root+"/"+path+"{$}"] = access
		}
	}
}

package imports_test

import (
	"testing"

	"bungalow/hooks/content/imports"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
)

// count reads a stream and counts its items by kind, "skipped" and "public".
func count(t *testing.T, stream imports.Stream) map[string]int {
	t.Helper()
	n := map[string]int{}
	for i, err := range stream {
		switch {
		case err != nil:
			t.Errorf("error: %v", err)
		case i.Skip != "":
			n["skipped "+string(i.Kind)]++
		case i.Status == schema.StatusPublished:
			n["public "+string(i.Kind)]++
		default:
			n[string(i.Kind)]++
		}
	}
	return n
}

func TestMaterialIsReadCompletely(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stream imports.Stream
		want   map[string]int
	}{
		"wordpress/theme-unit-test.wxr.xml": {imports.WordPress(sitetest.Material(t, "wordpress/theme-unit-test.wxr.xml")),
			map[string]int{"public posts": 55, "public pages": 21, "posts": 3, "authors": 3, "tags": 181, "media": 37, "menus": 5, "comments": 29, "skipped comments": 4}},
		"wordpress/small-export.wxr.xml": {imports.WordPress(sitetest.Material(t, "wordpress/small-export.wxr.xml")),
			map[string]int{"public posts": 5, "public pages": 4, "posts": 1, "pages": 1, "authors": 3, "tags": 33, "comments": 1}},
		"wordpress/utf-8-challenges.wxr.xml": {imports.WordPress(sitetest.Material(t, "wordpress/utf-8-challenges.wxr.xml")),
			map[string]int{"public posts": 1, "authors": 1, "tags": 1}},
		"wordpress/malformed.wxr.xml": {imports.WordPress(sitetest.Material(t, "wordpress/malformed.wxr.xml")),
			map[string]int{"authors": 1, "tags": 39, "skipped other": 14}},
		"ghost/ctx.json": {imports.Ghost(sitetest.Material(t, "ghost/ctx.json")),
			map[string]int{"public posts": 3, "public pages": 4, "authors": 2, "tags": 9}},
		"ghost/multi-post.json": {imports.Ghost(sitetest.Material(t, "ghost/multi-post.json")),
			map[string]int{"public posts": 3, "authors": 2, "tags": 3}},
		"markdown/hugo-docs": {imports.MarkdownFolder(sitetest.Material(t, "markdown/hugo-docs")),
			map[string]int{"public pages": 54}},
	} {
		got := count(t, c.stream)
		for k, want := range c.want {
			if got[k] != want {
				t.Errorf("%s: %d %s, want %d", name, got[k], k, want)
			}
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

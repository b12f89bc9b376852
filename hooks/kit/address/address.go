// Package address says where things live on the site. Pages, feeds, redirects
// and comment threads all take their addresses from here.
package address

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
)

// Prefix is "" for the site's own locale (or none) and "/de" for another.
func Prefix(site settings.Site, locale string) string {
	if locale == "" || locale == site.Locale || !slices.Contains(site.Locales, locale) {
		return ""
	}
	return "/" + locale
}

// Post is the canonical path of a post.
func Post(site settings.Site, locale, slug string) string {
	return Prefix(site, locale) + "/blog/" + slug + "/"
}

// Page is the canonical path of a page, whose own path is like about/team.
func Page(site settings.Site, locale, path string) string {
	return Prefix(site, locale) + "/" + path + "/"
}

// Tag is the canonical path of a tag.
func Tag(site settings.Site, locale, slug string) string {
	return Prefix(site, locale) + "/tag/" + slug + "/"
}

// Author is the canonical path of an author.
func Author(site settings.Site, locale, slug string) string {
	return Prefix(site, locale) + "/author/" + slug + "/"
}

// Reserved reports whether a page at the top may not have this slug.
func Reserved(site settings.Site, slug string) bool {
	return slices.Contains(schema.Reserved, slug) || slices.Contains(site.AllLocales(), slug)
}

// Split takes the locale off a path: /de/blog/x/ is "de" and /blog/x/.
func Split(site settings.Site, p string) (locale, rest string) {
	first, tail, found := strings.Cut(strings.TrimPrefix(p, "/"), "/")
	if slices.Contains(site.Locales, first) && (found || tail == "") {
		return first, "/" + tail
	}
	return site.Locale, p
}

// Normal is the form in which an address is looked up: a cleaned path without
// a trailing slash, with the query kept where there is one. An absolute
// address loses its scheme and host. It returns "" for what is no address.
func Normal(raw string) string {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Opaque != "" {
		return ""
	}
	p := u.Path
	if !strings.HasPrefix(p, "/") {
		p = "/" + p
	}
	p = path.Clean(p)
	if u.RawQuery != "" {
		return p + "?" + u.RawQuery
	}
	return p
}

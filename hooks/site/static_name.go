package site

import (
	"path"
	"runtime"
	"strings"
	"unicode"
	"unicode/utf8"
)

// hidden is the folder of the theme's templates.
const hidden = "_theme"

// wellKnown is the one folder with a dot that is served (RFC 8615).
const wellKnown = ".well-known"

// longestName is the longest path that is looked for, in bytes.
const longestName = 1024

// servable reports whether a slash-separated name under pb_public may be
// served. It is asked for the name in the address and for the name that
// symlinks lead to. File systems differ in which spellings mean one file:
// some ignore case, trailing dots and spaces, or invisible characters. Names
// are refused where any of them could mean a hidden one.
func servable(name string) bool {
	if name == "" || len(name) > longestName || !utf8.ValidString(name) || strings.ContainsFunc(name, forbidden) {
		return false
	}
	if strings.EqualFold(path.Ext(name), ".go") {
		return false
	}
	for rest, first, more := name, true, true; more; first = false {
		var part string
		part, rest, more = strings.Cut(rest, "/")
		if first && part == wellKnown {
			continue
		}
		if part == "" || part[0] == '.' || strings.HasSuffix(part, ".") || strings.HasSuffix(part, " ") {
			return false
		}
		if first && strings.EqualFold(part, hidden) {
			return false
		}
		if runtime.GOOS == "windows" && strings.Contains(part, "~") {
			return false // the short form of a name, such as _THEME~1
		}
	}
	return true
}

// forbidden are characters that no address of a file has: controls, invisible
// characters that some file systems skip, and Windows' separators.
func forbidden(r rune) bool {
	return r < ' ' || r == 0x7f || r == '\\' || r == ':' && runtime.GOOS == "windows" || r >= 0x80 && unicode.Is(unicode.Cf, r)
}

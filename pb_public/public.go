// Package pb_public embeds the built-in theme and its assets. A pb_public
// folder beside the data folder wins over it, file by file.
package pb_public

import "embed"

// Files holds _theme (templates, never served), assets and embed, rooted at pb_public.
//
//go:embed all:_theme all:assets embed
var Files embed.FS

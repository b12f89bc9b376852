// Package comments keeps what readers say below posts and pages.
//
// It promises that an address of a person's mail is never shown, and that the
// HTML of a comment holds only simple text markup whose links pass on no
// reputation. It never creates a comment twice for one source key.
package comments

import (
	"regexp"
	"sync"

	"github.com/microcosm-cc/bluemonday"
)

// policy is what the markup of a comment may be: text, lists, quotes, code and
// links.
var policy = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "em", "strong", "b", "i", "s", "del", "code", "pre", "blockquote", "ul", "ol", "li")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("rel").Matching(regexp.MustCompile(`^nofollow( ugc)?$`)).OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto")
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(true)
	p.RequireNoFollowOnLinks(true)
	return p
})

// Clean reduces the HTML of a comment to what a reader may write. Cleaning
// twice changes nothing more.
func Clean(html string) string {
	return policy().Sanitize(html)
}

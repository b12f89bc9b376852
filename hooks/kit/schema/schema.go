// Package schema names every collection and the fields that more than one
// package speaks of. It holds names only: no queries and no behaviour.
package schema

// Core collections, present whatever features are switched on.
const (
	Staff    = "staff"
	Settings = "settings"
	Audit    = "audit"
)

// Collections of the content feature.
const (
	Posts     = "posts"
	Pages     = "pages"
	Tags      = "tags"
	Authors   = "authors"
	Media     = "media"
	Menus     = "menus"
	Redirects = "redirects"
	Revisions = "revisions"
)

// Comments is the collection of the comments feature.
const Comments = "comments"

// Collections of the forms feature.
const (
	Forms       = "forms"
	Submissions = "submissions"
)

// Values of submissions.status.
const (
	SubmissionOK   = "ok"
	SubmissionSpam = "spam"
)

// Collections of the inbox feature.
const (
	Conversations = "conversations"
	Messages      = "messages"
)

// Values of conversations.status.
const (
	ConversationOpen    = "open"
	ConversationWaiting = "waiting"
	ConversationClosed  = "closed"
	ConversationSpam    = "spam"
)

// Values of posts.status and pages.status.
const (
	StatusDraft     = "draft"
	StatusScheduled = "scheduled"
	StatusPublished = "published"
	StatusArchived  = "archived"
)

// Values of posts.format and pages.format.
const (
	FormatHTML     = "html"
	FormatMarkdown = "markdown"
)

// Values of revisions.state.
const (
	RevisionDraft     = "draft"     // somebody's next version, being written
	RevisionScheduled = "scheduled" // the next version, to be published at its time
	RevisionKept      = "kept"      // an earlier version that was no visitor's
	RevisionPublished = "published" // an earlier version that was published
	RevisionBinned    = "binned"    // a deleted post or page, whole
)

// Values of comments.status.
const (
	CommentPending  = "pending"
	CommentApproved = "approved"
	CommentSpam     = "spam"
	CommentTrash    = "trash"
)

// Features lists the names that --without and BUNGALOW_WITHOUT accept, built
// or not, in the order in which they are switched on.
var Features = []string{"content", "site", "desk", "comments", "forms", "inbox", "shop", "analytics", "engine"}

// Reserved lists the first path segments that no page may take, besides the
// locale codes of the site.
var Reserved = []string{
	"api", "_", "f", "media", "embed", "assets", "desk", "shop", "cart", "checkout", "order",
	"blog", "tag", "author", "archive", "search", "feed.xml", "rss.xml", "feed.json",
	"comments.xml", "sitemap.xml", "robots.txt", "healthz", "readyz", "metrics", "_theme",
}

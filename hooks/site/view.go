// Package site is what a visitor's browser gets: theme pages, feeds, the
// sitemap, static files and the page cache.
package site

import (
	"html/template"
	"time"
)

// View is what every theme page is rendered with. Exactly one of the content
// pointers (Home … Error) is set, the one that belongs to the page's template;
// Search and Error may stand without anything from the database.
//
// All addresses are ready for an href: same-site ones begin with a slash,
// those for machines (Canonical, OG.Image, Alternates, Feeds) are absolute.
type View struct {
	Site Site
	// Lang is the BCP 47 tag of the page's language, for <html lang> and the catalogue.
	Lang string
	// Dir is "rtl" for a language written from the right, otherwise "" or "ltr".
	Dir string
	// Title is the document's title, without the site's title.
	Title string
	// Description is one plain sentence or two; empty leaves the tag out.
	Description string
	// Canonical is the page's absolute address; empty leaves the tag out.
	Canonical string
	// Robots is the content of the robots tag, for example "noindex"; empty leaves it out.
	Robots string
	OG     OpenGraph
	// JSONLD holds values that marshal to JSON, one script block each.
	JSONLD []any
	// Alternates lists this page in every language that it exists in, itself included.
	Alternates []Alternate
	Feeds      []Feed
	// Menu and FooterMenu are the menus "main" and "footer".
	Menu       []MenuItem
	FooterMenu []MenuItem
	// Breadcrumbs leads from the home page to the parent of this page; fewer than two draw none.
	Breadcrumbs []Link
	// LocaleLinks is the language switch; fewer than two draw none.
	LocaleLinks []LocaleLink
	// Notice is a message from a redirect (?notice=); a page that has one is not cached.
	Notice *Notice
	// SearchQuery fills the search fields.
	SearchQuery string
	// Path is the page's own path, with its trailing slash.
	Path string
	// Scripts lists addresses of same-site scripts that features add at the end of the page.
	Scripts []string
	// Extra holds what hooks add for themes of their own; the built-in theme ignores it.
	Extra map[string]any

	Home    *Home
	List    *List
	Post    *Post
	Page    *Page
	Author  *Author
	Archive *Archive
	Search  *Search
	Error   *Error
	// Soon is the page of a site that has not opened yet.
	Soon *Soon
	// Part is what another feature shows on a page of its own.
	Part *Part
}

// Soon is the page of a site that has not opened yet.
type Soon struct {
	Text string // the owner's words, "" for the theme's own
}

// Site says what holds for the whole site.
type Site struct {
	Title   string
	Tagline string
	// LogoURL replaces the title in the header; Title is then its text alternative.
	LogoURL string
	// FaviconURL replaces the theme's own small picture; empty keeps it.
	FaviconURL string
	// URL is the absolute address of the site without a trailing slash.
	URL string
	// HomeURL is the home page in the page's language, such as "/" or "/de/".
	HomeURL string
	// BlogURL, ArchiveURL and SearchURL are theirs in the page's language; empty hides the link.
	BlogURL    string
	ArchiveURL string
	SearchURL  string
	// AccentHref is the stylesheet that sets --accent; empty leaves the theme's own colour.
	AccentHref    string
	Locale        string
	DefaultLocale string
	Locales       []string
}

// OpenGraph is what a shared link shows. Title and description are the View's.
type OpenGraph struct {
	// Type is "article" for posts, otherwise "website" (also when empty).
	Type string
	// Image is an absolute address; Width and Height are in pixels, 0 when unknown.
	Image       string
	ImageAlt    string
	Width       int
	Height      int
	PublishedAt time.Time
	ModifiedAt  time.Time
	Tags        []string
}

// Alternate is one language of the same page.
type Alternate struct {
	// Locale is a BCP 47 tag or "x-default".
	Locale string
	URL    string
}

// Feed is one feed of the page, for <link rel="alternate">.
type Feed struct {
	Title string
	// Type is the media type, such as "application/atom+xml".
	Type string
	URL  string
}

// MenuItem is one entry of a menu; the theme draws two levels.
type MenuItem struct {
	Label string
	URL   string
	// Current marks the entry that is this page.
	Current bool
	// Within marks an entry that this page lies beneath.
	Within   bool
	Children []MenuItem
}

// Link is a name and its address.
type Link struct {
	Label string
	URL   string
}

// LocaleLink is one entry of the language switch.
type LocaleLink struct {
	Locale string
	// Label is the language's own name for itself.
	Label   string
	URL     string
	Current bool
}

// Notice is a message above the page's content.
type Notice struct {
	// Kind is "info", "success", "warning" or "error".
	Kind string
	Text string
}

// Image is a picture with everything that an <img> needs.
type Image struct {
	Src string
	// SrcSet lists the sizes as "url 320w, url 640w"; empty when only Src exists.
	SrcSet string
	// Width and Height are the original's pixels; 0 leaves the attributes out.
	Width  int
	Height int
	Alt    string
	// Class says where a crop is to stay, as classes of the theme; "" is the middle.
	Class string
	// Caption is sanitised HTML, shown below a post's cover.
	Caption template.HTML
}

// PostCard is a post as lists show it.
type PostCard struct {
	Title   string
	URL     string
	Excerpt string
	// Cover may be nil.
	Cover       *Image
	PublishedAt time.Time
	// Minutes is the reading time; 0 hides it.
	Minutes  int
	Tags     []Link
	Authors  []Link
	Featured bool
}

// Home is the home page.
type Home struct {
	// Intro is sanitised HTML that replaces the tagline below the title.
	Intro template.HTML
	// Lead is the post shown large; nil when there is none. It is not repeated in Posts.
	Lead  *PostCard
	Posts []PostCard
	// Tags are the topics to browse, most used first.
	Tags []Link
}

// List is one page of posts: the blog, a tag, or an author's.
type List struct {
	Heading string
	// Intro is sanitised HTML below the heading.
	Intro      template.HTML
	Posts      []PostCard
	Total      int
	Pagination Pagination
}

// Pagination links the pages of a list. The zero value draws nothing.
type Pagination struct {
	Page  int
	Pages int
	// PrevURL leads to the newer page and NextURL to the older one; empty at the ends.
	PrevURL string
	NextURL string
	// Numbers are the pages to show; an entry without a URL and Current is a gap.
	Numbers []PageNumber
}

// PageNumber is one number of a pagination.
type PageNumber struct {
	Number  int
	URL     string
	Current bool
}

// Heading is one line of a table of contents.
type Heading struct {
	// Level is the HTML heading level, 2 to 4.
	Level int
	ID    string
	Text  string
}

// Post is a single post.
type Post struct {
	PostCard
	// HTML is the rendered, sanitised body.
	HTML template.HTML
	// TOC is empty on short posts.
	TOC []Heading
	// Updated is shown when it is set; leave it zero when it says nothing new.
	Updated time.Time
	// Prev is the older post and Next the newer one.
	Prev    *PostCard
	Next    *PostCard
	Related []PostCard
	// Writers are the authors with what stands below the post.
	Writers []Author
	// CommentsOpen says whether readers may still write.
	CommentsOpen bool
	// Comments is the thread and its form as the comments feature draws them; empty draws nothing.
	Comments template.HTML
	// EditURL leads staff to the desk; it is only set on uncached pages.
	EditURL string
}

// Page is a page such as /about/.
type Page struct {
	Title string
	// Intro is the page's excerpt when its author wrote one.
	Intro    string
	Cover    *Image
	HTML     template.HTML
	TOC      []Heading
	Children []Link
	Updated  time.Time
	// Comments and EditURL are as in Post.
	Comments template.HTML
	EditURL  string
}

// Author is a writer; on the author's own page the posts stand in View.List.
type Author struct {
	Name string
	URL  string
	// Bio is sanitised HTML.
	Bio    template.HTML
	Avatar *Image
	// Website is the author's own address elsewhere.
	Website string
}

// Archive lists all posts by year and month, newest first.
type Archive struct {
	Total int
	Years []ArchiveYear
}

// ArchiveYear is one year of the archive.
type ArchiveYear struct {
	Year   int
	Total  int
	Months []ArchiveMonth
}

// ArchiveMonth is one month of the archive.
type ArchiveMonth struct {
	// Month is the first moment of the month.
	Month time.Time
	Posts []PostCard
}

// Search is the search page; with an empty Query it shows only the form.
type Search struct {
	Query      string
	Items      []SearchItem
	Total      int
	Pagination Pagination
	// Slow means that the search was given up: there may be hits.
	Slow bool
}

// SearchItem is one thing found.
type SearchItem struct {
	Title string
	URL   string
	// Snippet is escaped text in which <mark> surrounds what was found.
	Snippet template.HTML
	// Kind is "post" or "page".
	Kind string
	// Date is zero for pages.
	Date time.Time
}

// Error is a page that says what went wrong. Everything else in the View may
// be empty then: the page has to render when the database cannot be read.
type Error struct {
	// Status is 404 or 500; other statuses get the words of the nearer one.
	Status int
	// Posts may offer something to read instead.
	Posts []PostCard
}

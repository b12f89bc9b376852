package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"

	"bungalow/tests/binary"
)

// Site is the seeded folder that every workload reads.
type Site struct {
	Home  string
	Post  string   // path of the post that "page" asks for
	Posts []string // paths of all posts
	Asset string   // path of the theme's stylesheet

	Comment string // id of the comment below discussed that is answered

	Folder *Folder // what the engine's workloads read
}

const seedPosts = 48

// seedSite makes a folder with posts through the REST API: what a real site of
// some months looks like, the same on every run.
func seedSite(ctx context.Context, home string) (*Site, error) {
	server, err := binary.Start(ctx, binary.Options{Home: home})
	if err != nil {
		return nil, err
	}
	defer server.Kill()
	root, err := server.Superuser(ctx)
	if err != nil {
		return nil, err
	}
	site := &Site{Home: home}
	at := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	for i := range seedPosts {
		slug := fmt.Sprintf("measured-%02d", i)
		post := map[string]any{
			"title": fmt.Sprintf("What we learned in week %d", i+1), "slug": slug,
			"status": "published", "published_at": at.AddDate(0, 0, 3*i).Format(time.RFC3339),
			"format": "markdown", "body": seedBody(i),
		}
		if err := root.Call(ctx, http.MethodPost, "/api/collections/posts/records", post, nil); err != nil {
			return nil, fmt.Errorf("seed post %d: %w", i, err)
		}
		site.Posts = append(site.Posts, "/blog/"+slug+"/")
	}
	limits := map[string]any{"rateLimits": map[string]any{"enabled": false}}
	if err := root.Call(ctx, http.MethodPatch, "/api/settings", limits, nil); err != nil {
		return nil, fmt.Errorf("switch the rate limits off: %w", err)
	}
	if err := seedForm(ctx, root); err != nil {
		return nil, err
	}
	if site.Comment, err = seedThread(ctx, root); err != nil {
		return nil, err
	}
	site.Post = site.Posts[seedPosts/2]
	if site.Asset, err = findAsset(ctx, root, site.Post); err != nil {
		return nil, err
	}
	if _, err := server.Stop(); err != nil {
		return nil, err
	}
	return site, nil
}

// seedForm makes the form that is measured, and takes away what keeps one
// visitor from sending a thousand times a second.
func seedForm(ctx context.Context, root binary.Client) error {
	fields := []map[string]any{
		{"name": "name", "type": "text", "required": true}, {"name": "email", "type": "email", "required": true}, {"name": "message", "type": "textarea", "required": true},
	}
	for path, record := range map[string]map[string]any{
		"forms":    {"slug": formSlug, "title": "Measured", "open": true, "max_per_day": 1_000_000, "fields": fields},
		"settings": {"feature": "spam", "value": map[string]any{"no_limits": true, "no_work": true}},
	} {
		if err := root.Call(ctx, http.MethodPost, "/api/collections/"+path+"/records", record, nil); err != nil {
			return fmt.Errorf("seed the form: %w", err)
		}
	}
	return nil
}

// discussed is the post whose comments are measured.
const discussed = "/blog/discussed/"

// seedThread makes a post with one comment, whose author wants to know of
// answers. What visitors write below it is published at once.
func seedThread(ctx context.Context, root binary.Client) (id string, err error) {
	for path, record := range map[string]map[string]any{
		"posts":    {"title": "Discussed", "slug": "discussed", "status": "published", "body": seedBody(0), "format": "markdown", "comments_open": true},
		"settings": {"feature": "comments", "value": map[string]any{"policy": "open"}},
	} {
		if err := root.Call(ctx, http.MethodPost, "/api/collections/"+path+"/records", record, nil); err != nil {
			return "", fmt.Errorf("seed the thread: %w", err)
		}
	}
	first := map[string]any{"thread": discussed, "author": "Ada", "email": "ada@example.com", "notify": true, "body": "Who has seen the other windows?"}
	var made struct{ ID string }
	if err := (binary.Client{Base: root.Base}).Call(ctx, http.MethodPost, "/api/site/comments", first, &made); err != nil {
		return "", fmt.Errorf("seed the thread: %w", err)
	}
	return made.ID, nil
}

// seedBody is about six kilobytes of Markdown with the parts that cost time:
// headings, code, a table, links.
func seedBody(n int) string {
	var b strings.Builder
	for part := range 6 {
		fmt.Fprintf(&b, "## Part %d of %d\n\n", part+1, n)
		for line := range 5 {
			fmt.Fprintf(&b, "The measured house has %d rooms, *%d windows* and one [door](/blog/). ", n+line, part*line)
			b.WriteString("A page that is read a thousand times should be made once, and made again when it changes.\n\n")
		}
		fmt.Fprintf(&b, "```go\nfunc room%d() int { return %d }\n```\n\n", part, n)
	}
	b.WriteString("| room | windows |\n|---|---:|\n| hall | 2 |\n| study | 3 |\n")
	return b.String()
}

var stylesheet = regexp.MustCompile(`href="(/assets/[^"]+\.css[^"]*)"`)

func findAsset(ctx context.Context, c binary.Client, page string) (string, error) {
	a, err := c.Do(ctx, http.MethodGet, page, nil)
	if err != nil {
		return "", err
	}
	found := stylesheet.FindSubmatch(a.Body)
	if a.Status != http.StatusOK || found == nil {
		return "", fmt.Errorf("%s: status %d and no stylesheet under /assets/", page, a.Status)
	}
	return strings.ReplaceAll(string(found[1]), "&amp;", "&"), nil
}

// tempHome makes a folder for one site; remove deletes it.
func tempHome() (home string, remove func(), err error) {
	home, err = os.MkdirTemp("", "bungalow-bench-")
	return home, func() { _ = os.RemoveAll(home) }, err
}

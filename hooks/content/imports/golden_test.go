package imports

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// summary writes a stream down, one item a line and its body below.
func summary(stream Stream) string {
	var b strings.Builder
	wd, _ := os.Getwd()
	for i, err := range stream {
		if err != nil {
			fmt.Fprintf(&b, "ERROR %v\n", err)
			continue
		}
		fmt.Fprintf(&b, "%s %s %q", i.Kind, i.Key, i.Name)
		for _, f := range []struct{ name, value string }{
			{"skip", i.Skip}, {"title", i.Title}, {"slug", i.Slug}, {"status", i.Status}, {"excerpt", i.Excerpt}, {"parent", i.Parent},
			{"cover", i.Cover}, {"alt", i.Alt}, {"caption", i.Caption}, {"url", i.URL}, {"canonical", i.Canonical}, {"seo", i.SEOTitle}, {"description", i.SEODescription},
			{"old", strings.Join(i.Old, " ")}, {"notes", strings.Join(i.Notes, "; ")},
		} {
			if f.value != "" && f.value != i.Name {
				fmt.Fprintf(&b, " %s=%q", f.name, f.value)
			}
		}
		if !i.PublishedAt.IsZero() {
			b.WriteString(" at=" + i.PublishedAt.Format(time.RFC3339))
		}
		if i.Featured {
			b.WriteString(" featured")
		}
		if i.CommentsOpen {
			b.WriteString(" comments")
		}
		if i.Position != 0 {
			fmt.Fprintf(&b, " position=%d", i.Position)
		}
		for _, r := range append(i.Tags, i.Authors...) {
			b.WriteString(" +" + r.Slug)
		}
		for address, file := range i.Images {
			rel, _ := filepath.Rel(wd, file)
			fmt.Fprintf(&b, " image %s=%s", address, filepath.ToSlash(rel))
		}
		if i.Menu != nil {
			fmt.Fprintf(&b, " %+v", i.Menu)
		}
		if c := i.Comment; c != nil {
			fmt.Fprintf(&b, " on=%s below=%q by=%s <%s> %s %q %s", c.Thread, c.Parent, c.Author, c.Email, c.Status, c.HTML, c.At.Format(time.DateOnly))
		}
		b.WriteByte('\n')
		for line := range strings.Lines(i.Body) {
			b.WriteString("\t" + strings.TrimRight(line, "\n") + "\n")
		}
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for name, stream := range map[string]Stream{
		"small.wxr": WordPress("testdata/small.wxr.xml"), "small.ghost": Ghost("testdata/small.ghost.json"),
		"hugo": MarkdownFolder("testdata/hugo"), "jekyll": MarkdownFolder("testdata/jekyll"), "astro": MarkdownFolder("testdata/astro"),
	} {
		got, file := summary(stream), filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s differs from its golden file (run with -update and read the difference):\n%s", name, got)
		}
	}
}

package imports

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bungalow/tests/golden"
)

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
		for _, address := range sortedKeys(i.Images) {
			rel, _ := filepath.Rel(wd, i.Images[address])
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

// TestGolden reads every sample below testdata/<kind>/<name> and compares what
// its reader yields with want.golden beside it. -update writes those anew.
func TestGolden(t *testing.T) {
	t.Parallel()
	readers := map[string]func(dir string) Stream{
		"wordpress": func(dir string) Stream { return WordPress(filepath.Join(dir, "input.xml")) },
		"ghost":     func(dir string) Stream { return Ghost(filepath.Join(dir, "input.json")) },
		"markdown":  MarkdownFolder,
	}
	samples, err := filepath.Glob("testdata/*/*")
	if err != nil || len(samples) < 3 {
		t.Fatalf("%d samples, %v", len(samples), err)
	}
	for _, dir := range samples {
		read := readers[filepath.Base(filepath.Dir(dir))]
		if read == nil {
			continue
		}
		t.Run(filepath.ToSlash(strings.TrimPrefix(dir, "testdata")), func(t *testing.T) {
			t.Parallel()
			golden.Check(t, filepath.Join(dir, "want.golden"), summary(read(dir)))
		})
	}
}

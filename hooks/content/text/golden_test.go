package text

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bungalow/tests/golden"
)

// TestGolden renders every sample in testdata/markdown and testdata/html and
// compares all that Render makes of it with the .golden file beside it.
// -update writes those anew.
func TestGolden(t *testing.T) {
	t.Parallel()
	samples, err := filepath.Glob("testdata/*/*")
	if err != nil || len(samples) < 4 {
		t.Fatalf("%d samples, %v", len(samples), err)
	}
	for _, file := range samples {
		format := filepath.Base(filepath.Dir(file))
		if format != Markdown && format != HTML || strings.HasSuffix(file, ".golden") {
			continue
		}
		t.Run(filepath.ToSlash(strings.TrimPrefix(file, "testdata/")), func(t *testing.T) {
			t.Parallel()
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Render(format, string(source))
			if err != nil {
				t.Fatal(err)
			}
			if again := Sanitize(r.HTML); again != r.HTML {
				t.Errorf("sanitized again it is another text:\n%s", again)
			}
			golden.Check(t, file+".golden", written(r))
		})
	}
}

func written(r Rendered) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n--- text, %d words, %d min\n%s\n--- contents\n", strings.TrimRight(r.HTML, "\n"), r.Words, r.Minutes, r.Text)
	for _, h := range r.TOC {
		fmt.Fprintf(&b, "%d #%s %s\n", h.Level, h.ID, h.Text)
	}
	return b.String()
}

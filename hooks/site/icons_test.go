package site

import (
	"strings"
	"testing"
	"testing/fstest"

	"bungalow/pb_public"
)

func TestIconsAreInlinedAndHidden(t *testing.T) {
	t.Parallel()
	icon, err := Icons(pb_public.Files, "_theme/icons")
	if err != nil {
		t.Fatal(err)
	}
	got, err := icon("search")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<svg aria-hidden="true" `, `class="lucide lucide-search"`, `</svg>`} {
		if !strings.Contains(string(got), want) {
			t.Errorf("icon lacks %s: %s", want, got)
		}
	}
	if strings.Contains(string(got), "<!--") || strings.Contains(string(got), "\n") {
		t.Errorf("comment or line break left: %s", got)
	}
}

func TestIconThatIsMissingIsAnError(t *testing.T) {
	t.Parallel()
	icon, err := Icons(fstest.MapFS{"icons/a.svg": {Data: []byte("<svg ></svg>")}}, "icons")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := icon("b"); err == nil || !strings.Contains(err.Error(), `"b"`) {
		t.Errorf("got %v, want an error that names the icon", err)
	}
}

func TestIconsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	if _, err := Icons(fstest.MapFS{"icons/a.svg/x": {}}, "icons"); err == nil {
		t.Error("a folder named like an icon was read")
	}
	if _, err := Icons(fstest.MapFS{}, "["); err == nil {
		t.Error("a malformed pattern was accepted")
	}
}

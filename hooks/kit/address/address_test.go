package address_test

import (
	"strings"
	"testing"

	"bungalow/hooks/kit/address"
	"bungalow/hooks/kit/settings"
)

func site() settings.Site {
	s := settings.SiteDefaults()
	s.Locales = []string{"de"}
	return s
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		address.Post(site(), "en", "a"):        "/blog/a/",
		address.Post(site(), "de", "a"):        "/de/blog/a/",
		address.Post(site(), "fr", "a"):        "/blog/a/", // a language that was taken away
		address.Page(site(), "", "about/team"): "/about/team/",
		address.Tag(site(), "de", "x"):         "/de/tag/x/",
		address.Author(site(), "en", "x"):      "/author/x/",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if !address.Reserved(site(), "de") || !address.Reserved(site(), "blog") || address.Reserved(site(), "about") {
		t.Error("the reserved words are wrong")
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/": "en /", "/de/": "de /", "/de": "de /", "/de/blog/x/": "de /blog/x/", "/deu/": "en /deu/", "/en/": "en /en/", "/blog/de/": "en /blog/de/",
	} {
		locale, rest := address.Split(site(), path)
		if got := locale + " " + rest; got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
}

func TestNormal(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"/a/": "/a", "a": "/a", "/": "/", "": "/", "https://old.example/a/b/?p=1#x": "/a/b?p=1", "/a/../b//c/": "/b/c",
		"mailto:x@y.z": "", "/%zz": "", "/%C3%BC/": "/ü", " /a ": "/a",
	} {
		if got := address.Normal(raw); got != want {
			t.Errorf("%q is %q, want %q", raw, got, want)
		}
	}
}

func FuzzNormal(f *testing.F) {
	f.Add("/a/b/?c=d")
	f.Add("https://x//y/../z")
	f.Fuzz(func(t *testing.T, raw string) {
		once := address.Normal(raw)
		if once != "" && !strings.HasPrefix(once, "/") {
			t.Fatalf("%q became %q", raw, once)
		}
	})
}

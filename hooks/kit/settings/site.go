package settings

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// SiteFeature is the record of the site's identity, which several features read.
const SiteFeature = "site"

// Site is who the site is: what every page, feed and mail says of it.
type Site struct {
	Title        string   `json:"title"`
	Tagline      string   `json:"tagline"`
	Description  string   `json:"description"`
	Logo         string   `json:"logo"`    // id of a media record, or ""
	Favicon      string   `json:"favicon"` // the same
	Accent       string   `json:"accent"`  // #rrggbb
	Locale       string   `json:"locale"`  // of addresses without a prefix
	Locales      []string `json:"locales"`
	TimeZone     string   `json:"time_zone"` // IANA name
	Currency     string   `json:"currency"`  // ISO 4217
	PostsPerPage int      `json:"posts_per_page"`
	// HideFromSearch asks search engines to stay away.
	HideFromSearch bool `json:"hide_from_search"`
	// ComingSoon shows visitors one page with ComingSoonText, and the site to staff alone.
	ComingSoon     bool   `json:"coming_soon"`
	ComingSoonText string `json:"coming_soon_text"`
}

// SiteDefaults is the identity of a site whose owner has set nothing.
func SiteDefaults() Site {
	return Site{
		Title: "Bungalow", Tagline: "A new site", Accent: "#1c6b52",
		Locale: "en", TimeZone: "UTC", Currency: "EUR", PostsPerPage: 10,
	}
}

// LoadSite reads the site's identity; what is out of range falls back to its
// default, so that a page can always be shown.
func LoadSite(app core.App) (Site, error) {
	s, err := Load(app, SiteFeature, SiteDefaults())
	if err != nil {
		return SiteDefaults(), err
	}
	d := SiteDefaults()
	if s.Title == "" {
		s.Title = d.Title
	}
	if !accent.MatchString(s.Accent) {
		s.Accent = d.Accent
	}
	if !locale.MatchString(s.Locale) {
		s.Locale = d.Locale
	}
	if s.PostsPerPage < 1 || s.PostsPerPage > maxPerPage {
		s.PostsPerPage = d.PostsPerPage
	}
	if !currency.MatchString(s.Currency) {
		s.Currency = d.Currency
	}
	s.Locales = slices.DeleteFunc(slices.Clone(s.Locales), func(l string) bool {
		return l == s.Locale || !locale.MatchString(l)
	})
	return s, nil
}

const maxPerPage = 100

var (
	accent   = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
	currency = regexp.MustCompile(`^[A-Z]{3}$`)
	locale   = regexp.MustCompile(`^[a-z]{2,3}(-[a-z0-9]{2,8})?$`)
)

// AllLocales lists the locales of the site, its default first.
func (s Site) AllLocales() []string { return append([]string{s.Locale}, s.Locales...) }

// Location is the site's time zone, UTC where its name is unknown.
func (s Site) Location() *time.Location {
	loc, err := time.LoadLocation(s.TimeZone)
	if err != nil {
		return time.UTC
	}
	return loc
}

// Validate names the first field that can't be used.
func (s Site) Validate() error {
	switch {
	case strings.TrimSpace(s.Title) == "":
		return fmt.Errorf("title: the site needs a title")
	case !accent.MatchString(s.Accent):
		return fmt.Errorf("accent: write the colour as #rrggbb, for example %s", SiteDefaults().Accent)
	case !locale.MatchString(s.Locale):
		return fmt.Errorf("locale: write a lower-case language code such as en, de or pt-br")
	case !currency.MatchString(s.Currency):
		return fmt.Errorf("currency: write the three capital letters of a currency, such as EUR or USD")
	case s.PostsPerPage < 1 || s.PostsPerPage > maxPerPage:
		return fmt.Errorf("posts_per_page: choose a number from 1 to %d", maxPerPage)
	}
	for _, l := range s.Locales {
		if !locale.MatchString(l) {
			return fmt.Errorf("locales: %q is not a language code such as en, de or pt-br", l)
		}
	}
	if _, err := time.LoadLocation(s.TimeZone); err != nil {
		return fmt.Errorf("time_zone: %q is not a known time zone; write a name such as Europe/Berlin", s.TimeZone)
	}
	return nil
}

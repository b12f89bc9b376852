package settings_test

import (
	"encoding/json"
	"strings"
	"testing"

	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/sitetest"
)

type options struct {
	Policy string `json:"policy"`
	Limit  int    `json:"limit"`
}

func TestLoadFillsInDefaultsAndSaveKeepsUnknownKeys(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	defaults := options{Policy: "hold", Limit: 10}
	got, err := settings.Load(app, "comments", defaults)
	if err != nil || got != defaults {
		t.Errorf("without a record: %+v, %v", got, err)
	}
	record := sitetest.Make(t, app, schema.Settings, map[string]any{"feature": "comments", "value": map[string]any{"limit": 3, "of_a_newer_build": "x"}})
	got, err = settings.Load(app, "comments", defaults)
	if err != nil || got != (options{Policy: "hold", Limit: 3}) {
		t.Errorf("with a record: %+v, %v", got, err)
	}
	if err := settings.Save(app, "comments", options{Policy: "open", Limit: 4}); err != nil {
		t.Fatal(err)
	}
	record, err = app.FindRecordById(schema.Settings, record.Id)
	if err != nil {
		t.Fatal(err)
	}
	var kept map[string]any
	if err := json.Unmarshal([]byte(record.GetString("value")), &kept); err != nil || kept["of_a_newer_build"] != "x" || kept["policy"] != "open" {
		t.Errorf("saved %v, %v", kept, err)
	}
}

func TestUnreadableSettingsNameTheFeature(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	sitetest.Make(t, app, schema.Settings, map[string]any{"feature": "comments", "value": map[string]any{"limit": "many"}})
	if _, err := settings.Load(app, "comments", options{}); err == nil || !strings.Contains(err.Error(), "comments") {
		t.Errorf("got %v", err)
	}
}

func TestTheSiteFallsBackWhereAValueIsOutOfRange(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	// A record from a build that checked less: no hook sees this.
	_, err := app.NonconcurrentDB().NewQuery(`INSERT INTO settings (id, feature, value)
		VALUES ('aaaaaaaaaaaaaaa', 'site', '{"accent":"red;}","locale":"../x","posts_per_page":100000,"locales":["de","<b>","en"],"time_zone":"Mars/Base"}')`).Execute()
	if err != nil {
		t.Fatal(err)
	}
	s, err := settings.LoadSite(app)
	d := settings.SiteDefaults()
	if err != nil || s.Accent != d.Accent || s.Locale != d.Locale || s.PostsPerPage != d.PostsPerPage || s.Title != d.Title {
		t.Errorf("%+v, %v", s, err)
	}
	if strings.Join(s.AllLocales(), " ") != "en de" || s.Location().String() != "UTC" {
		t.Errorf("locales %v, zone %v", s.AllLocales(), s.Location())
	}
}

func TestValidateNamesTheField(t *testing.T) {
	t.Parallel()
	for field, spoil := range map[string]func(*settings.Site){
		"title": func(s *settings.Site) { s.Title = " " }, "accent": func(s *settings.Site) { s.Accent = "red" },
		"locale": func(s *settings.Site) { s.Locale = "English" }, "locales": func(s *settings.Site) { s.Locales = []string{"DE"} },
		"time_zone": func(s *settings.Site) { s.TimeZone = "Nowhere" }, "posts_per_page": func(s *settings.Site) { s.PostsPerPage = 0 },
	} {
		s := settings.SiteDefaults()
		spoil(&s)
		if err := s.Validate(); err == nil || !strings.HasPrefix(err.Error(), field+":") {
			t.Errorf("%s: %v", field, err)
		}
	}
	if err := settings.SiteDefaults().Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
}

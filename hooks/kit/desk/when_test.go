package desk

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"bungalow/hooks/kit/settings"
	"github.com/pocketbase/pocketbase/tools/types"
)

func TestTimesAreWrittenInTheSitesZoneAndTheReadersLanguage(t *testing.T) {
	t.Parallel()
	berlin := settings.Site{TimeZone: "Europe/Berlin"}
	at := time.Date(2019, 3, 30, 23, 30, 5, 0, time.UTC)
	stored, err := types.ParseDateTime(at)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		site           settings.Site
		locale         string
		at             any
		when, day, all string
	}{
		{settings.Site{}, "en", at, "30 Mar 2019, 23:30", "30 Mar 2019", "30 March 2019, 23:30:05 UTC"},
		{berlin, "en", at, "31 Mar 2019, 00:30", "31 Mar 2019", "31 March 2019, 00:30:05 CET"},
		{berlin, "de", "2019-03-30 23:30:05.000Z", "31. März 2019, 00:30", "31. März 2019", "31. März 2019, 00:30:05 CET"},
		{berlin, "de", stored, "31. März 2019, 00:30", "31. März 2019", "31. März 2019, 00:30:05 CET"},
		{berlin, "de-AT", at.AddDate(0, 7, 0), "31. Okt. 2019, 00:30", "31. Okt. 2019", "31. Oktober 2019, 00:30:05 CET"},
	} {
		v := &View{Site: c.site, Locale: c.locale}
		for got, want := range map[string]string{string(v.When(c.at)): c.when, string(v.Day(c.at)): c.day} {
			if !strings.Contains(got, ">"+want+"<") || !strings.Contains(got, `title="`+c.all+`"`) || !strings.Contains(got, `datetime="2019-`) {
				t.Errorf("%s, %s: %s, want %s and %s", c.site.TimeZone, c.locale, got, want, c.all)
			}
		}
	}
	for _, nothing := range []any{nil, time.Time{}, types.DateTime{}, "2019"} {
		if got := (&View{}).When(nothing); got != "" {
			t.Errorf("%v is written as %s", nothing, got)
		}
	}
}

func TestThisYearIsNotWritten(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC()
	for year, want := range map[int]string{now.Year(): ">2 Jan<", now.Year() - 1: fmt.Sprintf(">2 Jan %d<", now.Year()-1)} {
		if got := (&View{}).Day(time.Date(year, 1, 2, 12, 0, 0, 0, time.UTC)); !strings.Contains(string(got), want) {
			t.Errorf("%d: %s", year, got)
		}
	}
}

func TestHowLongSomethingIsPast(t *testing.T) {
	t.Parallel()
	v := &View{text: func(english string, args ...any) string { return fmt.Sprintf(english, args...) }}
	now := time.Now()
	for past, want := range map[time.Duration]string{
		time.Second: ">just now<", 90 * time.Second: ">1 min<", 3*time.Hour + time.Minute: ">3 h<", 50 * time.Hour: ">2 d<",
	} {
		if got := string(v.Ago(now.Add(-past))); !strings.Contains(got, want) {
			t.Errorf("%s ago: %s", past, got)
		}
	}
	if got := string(v.Ago(time.Date(2019, 3, 30, 0, 0, 0, 0, time.UTC))); !strings.Contains(got, ">30 Mar 2019<") {
		t.Errorf("long ago: %s", got)
	}
}

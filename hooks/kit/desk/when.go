package desk

import (
	"html"
	"html/template"
	"strconv"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/tools/types"
)

// When writes a time as people here read it: in the site's time zone and their
// language, without the year where it is this one. The element's title has all
// of it, the zone too. No time gives nothing.
func (v *View) When(at any) template.HTML {
	return v.moment(at, func(t, now time.Time) string { return v.short(t, now) + ", " + t.Format("15:04") })
}

// WhenText is When as bare text, for a place within a sentence.
func (v *View) WhenText(at any) string {
	t, ok := timeOf(at)
	if !ok {
		return ""
	}
	t = t.In(v.Site.Location())
	return v.short(t, time.Now().In(t.Location())) + ", " + t.Format("15:04")
}

// Day is When without the time of day.
func (v *View) Day(at any) template.HTML { return v.moment(at, v.short) }

// Ago writes how long something is past, short, and its day after a week.
func (v *View) Ago(at any) template.HTML {
	return v.moment(at, func(t, now time.Time) string {
		switch d := now.Sub(t); {
		case d < time.Minute:
			return v.text("just now")
		case d < time.Hour:
			return v.text("%d min", int(d.Minutes()))
		case d < 24*time.Hour:
			return v.text("%d h", int(d.Hours()))
		case d < 7*24*time.Hour:
			return v.text("%d d", int(d.Hours()/24))
		}
		return v.short(t, now)
	})
}

// Zone is the name of the site's time zone, such as "Europe/Berlin".
func (v *View) Zone() string { return v.Site.Location().String() }

func (v *View) moment(at any, write func(t, now time.Time) string) template.HTML {
	t, ok := timeOf(at)
	if !ok {
		return ""
	}
	zone := v.Site.Location()
	local := t.In(zone)
	whole := v.long(local) + ", " + local.Format("15:04:05 MST")
	return template.HTML(`<time datetime="` + t.UTC().Format(time.RFC3339) + `" title="` + html.EscapeString(whole) + `">` +
		html.EscapeString(write(local, time.Now().In(zone))) + `</time>`)
}

// timeOf takes a time.Time or PocketBase's, also as it is stored; false is no
// time.
func timeOf(value any) (time.Time, bool) {
	if text, is := value.(string); is {
		t, err := time.Parse(types.DefaultDateLayout, text)
		return t, err == nil
	}
	t, ok := value.(time.Time)
	if other, is := value.(interface{ Time() time.Time }); is {
		t, ok = other.Time(), true
	}
	return t, ok && !t.IsZero()
}

// short is a day, "2 Jan" in this year and "2 Jan 2025" in others.
func (v *View) short(t, now time.Time) string {
	day := t.Format("2 Jan")
	if v.german() {
		day = strconv.Itoa(t.Day()) + ". " + germanShort[t.Month()-1]
	}
	if t.Year() == now.Year() {
		return day
	}
	return day + t.Format(" 2006")
}

func (v *View) long(t time.Time) string {
	if v.german() {
		return strconv.Itoa(t.Day()) + ". " + germanLong[t.Month()-1] + t.Format(" 2006")
	}
	return t.Format("2 January 2006")
}

func (v *View) german() bool { return strings.HasPrefix(v.Locale, "de") }

var (
	germanShort = [...]string{"Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."}
	germanLong  = [...]string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"}
)

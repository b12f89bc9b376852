package theme

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

var germanMonths = [...]string{"Januar", "Februar", "März", "April", "Mai", "Juni",
	"Juli", "August", "September", "Oktober", "November", "Dezember"}

// date writes a long date: {{date .Lang .PublishedAt}} gives "2 January 2026",
// in German "2. Januar 2026". Other languages take their months from the
// catalogue (month.1 to month.12) and else get 2026-01-02. No time gives "".
func (t *Theme) date(locale any, value any) (string, error) {
	d, err := timeOf(value)
	if err != nil || d.IsZero() {
		return "", err
	}
	lang := localeOf(locale)
	language, _, _ := strings.Cut(lang, "-")
	switch language {
	case "en", "":
		return d.Format("2 January 2006"), nil
	case "de":
		return fmt.Sprintf("%d. %s %d", d.Day(), germanMonths[d.Month()-1], d.Year()), nil
	}
	key := "month." + strconv.Itoa(int(d.Month()))
	known := t.current.Load().strings
	for _, l := range []string{lang, language} {
		if m, ok := known[l][key]; ok {
			return fmt.Sprintf("%d %s %d", d.Day(), m.other, d.Year()), nil
		}
	}
	return d.Format(time.DateOnly), nil
}

// isodate writes a time for the datetime attribute, RFC 3339 in UTC.
func isodate(value any) (string, error) {
	d, err := timeOf(value)
	if err != nil || d.IsZero() {
		return "", err
	}
	return d.UTC().Format(time.RFC3339), nil
}

// timeOf takes a time.Time, a pointer to one, PocketBase's types.DateTime, an
// RFC 3339 string, or nil.
func timeOf(value any) (time.Time, error) {
	switch v := value.(type) {
	case nil:
		return time.Time{}, nil
	case time.Time:
		return v, nil
	case *time.Time:
		if v == nil {
			return time.Time{}, nil
		}
		return *v, nil
	case interface{ Time() time.Time }:
		return v.Time(), nil
	case string:
		if v == "" {
			return time.Time{}, nil
		}
		d, err := time.Parse(time.RFC3339, v)
		if err != nil {
			return time.Time{}, fmt.Errorf("%q is no date: %w", v, err)
		}
		return d, nil
	}
	return time.Time{}, fmt.Errorf("a %T is no date", value)
}

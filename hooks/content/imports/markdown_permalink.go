package imports

import (
	"strconv"
	"strings"
	"time"
)

// jekyllStyles are the patterns that Jekyll has names for.
var jekyllStyles = map[string]string{
	"date": "/:categories/:year/:month/:day/:title.html", "pretty": "/:categories/:year/:month/:day/:title/",
	"ordinal": "/:categories/:year/:y_day/:title.html", "none": "/:categories/:title.html", "weekdate": "/:categories/:year/W:week/:short_day/:title.html",
}

// permalink fills a pattern of Jekyll's or Hugo's; "" where it holds something
// else than the date, the title and the categories.
func permalink(pattern string, at time.Time, name string, categories []string) string {
	if style, named := jekyllStyles[pattern]; named {
		pattern = style
	}
	_, week := at.ISOWeek()
	for token, value := range map[string]string{
		":year": at.Format("2006"), ":short_year": at.Format("06"), ":month": at.Format("01"), ":i_month": at.Format("1"), ":short_month": at.Format("Jan"),
		":long_month": at.Format("January"), ":day": at.Format("02"), ":i_day": at.Format("2"), ":y_day": at.Format("002"), ":hour": at.Format("15"),
		":minute": at.Format("04"), ":second": at.Format("05"), ":week": strconv.Itoa(week), ":short_day": at.Format("Mon"), ":monthname": at.Format("January"),
		":title": name, ":slug": name, ":name": name, ":filename": name, ":contentbasename": name, ":categories": strings.ToLower(strings.Join(categories, "/")),
		":output_ext": ".html",
	} {
		pattern = replaceToken(pattern, token, value)
	}
	if strings.Contains(pattern, ":") || !strings.Contains(pattern, "/") {
		return ""
	}
	for strings.Contains(pattern, "//") {
		pattern = strings.ReplaceAll(pattern, "//", "/")
	}
	return pattern
}

// replaceToken replaces a token but not the beginning of a longer one.
func replaceToken(pattern, token, value string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(pattern, token)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		if after != "" && (after[0] >= 'a' && after[0] <= 'z' || after[0] == '_') {
			b.WriteString(token)
		} else {
			b.WriteString(value)
		}
		pattern = after
	}
}

package receive

import (
	"strings"
	"time"

	"github.com/jhillyerd/enmime/v2"
)

// invitation says in words what a calendar invitation is about (RFC 5545).
func invitation(env *enmime.Envelope) string {
	part := env.Root.DepthMatchFirst(func(p *enmime.Part) bool { return p.ContentType == "text/calendar" })
	if part == nil {
		return ""
	}
	fields := calendarFields(string(part.Content[:min(len(part.Content), 256<<10)]))
	if fields["SUMMARY"] == "" && fields["DTSTART"] == "" {
		return ""
	}
	what := "Invitation"
	switch strings.ToUpper(fields["METHOD"]) {
	case "CANCEL":
		what = "Cancelled"
	case "REPLY":
		what = "Answer to an invitation"
	}
	out := what + ": " + line(fields["SUMMARY"], 200)
	if when := calendarTime(fields["DTSTART"]); when != "" {
		out += "\nWhen: " + when
		if end := calendarTime(fields["DTEND"]); end != "" {
			out += " to " + end
		}
		if zone := fields["DTSTART;TZID"]; zone != "" {
			out += " (" + line(zone, 60) + ")"
		}
	}
	if where := line(fields["LOCATION"], 300); where != "" {
		out += "\nWhere: " + where
	}
	return out
}

// calendarFields reads the first event's fields; folded lines are joined.
func calendarFields(text string) map[string]string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	text = strings.NewReplacer("\n ", "", "\n\t", "").Replace(text)
	fields := map[string]string{}
	inEvent := false
	for l := range strings.SplitSeq(text, "\n") {
		name, value, ok := strings.Cut(l, ":")
		if !ok {
			continue
		}
		name, parameters, _ := strings.Cut(strings.ToUpper(name), ";")
		if name == "BEGIN" && strings.EqualFold(strings.TrimSpace(value), "VEVENT") {
			inEvent = true
		}
		if name == "END" && strings.EqualFold(strings.TrimSpace(value), "VEVENT") {
			return fields
		}
		if (inEvent || name == "METHOD") && fields[name] == "" {
			fields[name] = strings.NewReplacer(`\n`, " ", `\,`, ",", `\;`, ";", `\\`, `\`).Replace(strings.TrimSpace(value))
			if zone, ok := strings.CutPrefix(parameters, "TZID="); ok {
				at := strings.Index(strings.ToUpper(l), "TZID=") + len("TZID=")
				fields[name+";TZID"] = strings.Trim(l[at:at+len(zone)], `"`)
			}
		}
	}
	return fields
}

func calendarTime(s string) string {
	for layout, show := range map[string]string{
		"20060102T150405Z": "2 January 2006 15:04 UTC", "20060102T150405": "2 January 2006 15:04", "20060102": "2 January 2006",
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Format(show)
		}
	}
	return ""
}

package writing

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"bungalow/hooks/content/drafts"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/web"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
)

// local is how a browser writes a time without its zone.
const local = "2006-01-02T15:04"

// form is what the editor sends.
type form struct {
	version drafts.Version
	base    string
	do      string    // save, publish, schedule or preview
	at      time.Time // zero for none
}

// read reads the editor's form. Fields that it does not hold are left as they
// are. Tags that are only typed are made when the person saves, not while
// still typing.
func (k kind) read(e *desk.Event, stored *core.Record, typing bool) (form, error) {
	values, err := web.Read(e.RequestEvent)
	if err != nil {
		return form{}, err
	}
	f := form{version: drafts.Version{}, base: values.Get("base"), do: values.Get("do")}
	for _, name := range []string{"title", "slug", "locale", "format", "body", "excerpt", "cover", "seo_title", "seo_description", "canonical_url", "parent"} {
		if list, ok := values[name]; ok {
			f.version[name] = lines(stored, name, strings.Join(list[:1], ""))
		}
	}
	if strings.TrimSpace(values.Get("title")) == "" {
		f.version["title"] = e.T("Untitled")
	}
	for _, name := range []string{"comments_open", "featured"} {
		if values.Get("has_"+name) != "" {
			f.version[name] = values.Get(name) == "true"
		}
	}
	if p, ok := values["position"]; ok {
		f.version["position"], _ = strconv.Atoi(strings.TrimSpace(p[0]))
	}
	if values.Get("has_authors") != "" {
		if f.version["authors"], err = authors(e, values); err != nil {
			return f, err
		}
	}
	if k.isPosts() && values.Get("has_tags") != "" {
		if f.version["tags"], err = k.tags(e, values, typing); err != nil {
			return f, err
		}
	}
	if f.at, err = at(e, values); err != nil {
		return f, err
	}
	if stored != nil && f.at.Equal(stored.GetDateTime("published_at").Time().Truncate(time.Minute)) && f.do == doPublish {
		f.at = time.Time{} // as it stood in the form, which knows no seconds
	}
	return f, nil
}

// lines gives a text the line breaks that it had, because a browser sends
// others than it got.
func lines(stored *core.Record, name, sent string) string {
	sent = strings.ReplaceAll(sent, "\r\n", "\n")
	if stored != nil {
		if was := stored.GetString(name); strings.ReplaceAll(was, "\r\n", "\n") == sent {
			return was
		}
	}
	return sent
}

// texts drops what is empty.
func texts(list []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == "" })
}

// me stands for a person who has no author's name yet: it is made on saving.
const me = "me"

func authors(e *desk.Event, values web.Values) ([]string, error) {
	chosen := texts(values["authors"])
	at := slices.Index(chosen, me)
	if at < 0 {
		return chosen, nil
	}
	id, err := drafts.EnsureAuthor(e.App, e.Auth)
	if err != nil {
		return nil, err
	}
	chosen = slices.Delete(chosen, at, at+1)
	if id != "" && !slices.Contains(chosen, id) {
		chosen = append(chosen, id)
	}
	return chosen, nil
}

// newTag stands before the name of a tag that is still to be made.
const newTag = "new:"

// tags reads ids, and names of tags that are made now.
func (k kind) tags(e *desk.Event, values web.Values, typing bool) ([]string, error) {
	var ids, names []string
	for _, t := range texts(values["tags"]) {
		if name, isNew := strings.CutPrefix(t, newTag); isNew {
			names = append(names, name)
		} else {
			ids = append(ids, t)
		}
	}
	if !typing {
		names = append(names, strings.Split(values.Get("new_tags"), ",")...)
	}
	made, err := drafts.EnsureTags(e.App, by(e), texts(names))
	for _, id := range made {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, err
}

// at reads a time in the site's zone.
func at(e *desk.Event, values web.Values) (time.Time, error) {
	raw := strings.TrimSpace(values.Get("at"))
	if raw == "" {
		return time.Time{}, nil
	}
	site, err := settings.LoadSite(e.App)
	if err != nil {
		return time.Time{}, err
	}
	for _, layout := range []string{local, local + ":05", time.RFC3339} {
		if t, err := time.ParseInLocation(layout, raw, site.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, validation.Errors{"published_at": validation.NewError("validation_time", e.T("Write the time as 2026-12-31T18:00."))}
}

// defaults is the version that a new text begins with.
func (k kind) defaults(site settings.Site) drafts.Version {
	v := drafts.Version{"locale": site.Locale, "format": schema.FormatMarkdown}
	if k.isPosts() {
		v["comments_open"] = true
	}
	return v
}

package comments

import (
	"net/url"
	"slices"
	"strings"
	"unicode"

	"bungalow/hooks/kit/settings"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
)

// Feature is the name of the settings record.
const Feature = "comments"

// Policies of the site and of a thread.
const (
	PolicyOpen      = "open"
	PolicyFirstTime = "first_time"
	PolicyAllHeld   = "all_held"
	PolicyClosed    = "closed"
)

var policies = []string{PolicyOpen, PolicyFirstTime, PolicyAllHeld, PolicyClosed}

// Orders of a thread.
const (
	SortOldest = "oldest"
	SortNewest = "newest"
	SortBest   = "best"
)

// Options are what the owner may set.
type Options struct {
	Policy         string   `json:"policy" label:"Who is published" options:"open=Whoever passes the checks,first_time=Whoever you have approved once,all_held=Nobody before you have read it,closed=Nobody: comments are closed"`
	CloseAfter     int      `json:"close_after" label:"Close threads after" unit:"days" min:"0" max:"3650" help:"0 never closes them."`
	RequireEmail   bool     `json:"require_email" label:"Ask for a mail address" help:"It is never shown."`
	Sort           string   `json:"sort" label:"Order" options:"oldest=Oldest first,newest=Newest first,best=Best first"`
	PerPage        int      `json:"per_page" label:"Comments on one page" min:"5" max:"100"`
	Reactions      []string `json:"reactions" label:"Reactions" help:"One emoji a line, at most eight. None switches them off."`
	Images         bool     `json:"images" label:"Show pictures in comments" help:"A picture lets its host see who reads your page."`
	EditMinutes    int      `json:"edit_minutes" label:"People may change their comment for" unit:"minutes" min:"0" max:"1440"`
	AllowedOrigins []string `json:"allowed_origins" label:"Other sites" help:"Sites that show your comments by /embed/comments.js, one a line, such as https://example.org." group:"Other sites"`
	MailModerators bool     `json:"mail_moderators" label:"Write to moderators when a comment waits" group:"Mail"`
	Moderators     []string `json:"moderators" label:"Write to" help:"Mail addresses; everybody on the staff who may moderate if you leave it empty."`
	MailReplies    bool     `json:"mail_replies" label:"Offer mail about replies" help:"An address is written to only after its owner confirmed it."`
	KeepSpamDays   int      `json:"keep_spam_days" label:"Delete spam and trash after" unit:"days" min:"1" max:"365" group:"Tidying"`
}

// Defaults are the options of a site whose owner has set nothing.
func Defaults() Options {
	return Options{
		Policy: PolicyFirstTime, Sort: SortOldest, PerPage: 20, EditMinutes: 15, KeepSpamDays: 30,
		Reactions: []string{"👍", "❤️", "😄", "🎉"}, MailModerators: true, MailReplies: true,
	}
}

// Validate names the fields that can't be used.
func (o Options) Validate() error {
	bad := func(message string) error { return validation.NewError("validation_invalid", message) }
	errs := validation.Errors{}
	if !slices.Contains(policies, o.Policy) {
		errs["policy"] = bad("Choose open, first_time, all_held or closed.")
	}
	if !slices.Contains([]string{SortOldest, SortNewest, SortBest}, o.Sort) {
		errs["sort"] = bad("Choose oldest, newest or best.")
	}
	for name, r := range map[string][3]int{
		"close_after": {o.CloseAfter, 0, 3650}, "per_page": {o.PerPage, 5, 100},
		"edit_minutes": {o.EditMinutes, 0, 1440}, "keep_spam_days": {o.KeepSpamDays, 1, 365},
	} {
		if r[0] < r[1] || r[0] > r[2] {
			errs[name] = bad("This number is out of range.")
		}
	}
	if len(o.Reactions) > 8 || slices.ContainsFunc(o.Reactions, func(r string) bool { return r == "" || len(r) > 32 }) {
		errs["reactions"] = bad("Name at most eight emoji, one a line.")
	}
	for _, line := range o.AllowedOrigins {
		if origin(line) == "" {
			errs["allowed_origins"] = bad("Write each site as https://example.org, without a path.")
		}
	}
	for _, line := range o.Moderators {
		if !validEmail(line) {
			errs["moderators"] = bad("One of these is no mail address.")
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return errs
}

// loadOptions gives the owner's options; a value that can't be used falls back
// to its default, so that a thread can always be shown.
func (s *service) loadOptions() Options {
	s.mu.Lock()
	known, version := s.options, s.version
	s.mu.Unlock()
	if known != nil {
		return *known
	}
	d := Defaults()
	o, err := settings.Load(s.app, Feature, d)
	if err != nil {
		s.app.Logger().Error("the settings of comments can't be read", "error", err)
		o = d
	}
	if !slices.Contains(policies, o.Policy) {
		o.Policy = PolicyAllHeld // in doubt nothing is published
	}
	if !slices.Contains([]string{SortOldest, SortNewest, SortBest}, o.Sort) {
		o.Sort = d.Sort
	}
	if o.PerPage < 1 || o.PerPage > 100 {
		o.PerPage = d.PerPage
	}
	if o.KeepSpamDays < 1 {
		o.KeepSpamDays = d.KeepSpamDays
	}
	o.Reactions = slices.DeleteFunc(slices.Clone(o.Reactions), func(r string) bool { return r == "" || len(r) > 32 })
	o.Reactions = o.Reactions[:min(len(o.Reactions), 8)]
	var origins []string
	for _, line := range o.AllowedOrigins {
		if clean := origin(line); clean != "" {
			origins = append(origins, clean)
		}
	}
	o.AllowedOrigins = origins
	s.mu.Lock()
	if s.version == version {
		s.options = &o
	}
	s.mu.Unlock()
	return o
}

func (s *service) forgetOptions() {
	s.mu.Lock()
	s.options, s.site = nil, nil
	s.version++
	s.mu.Unlock()
}

// loadSite gives who the site is.
func (s *service) loadSite() (settings.Site, error) {
	s.mu.Lock()
	known, version := s.site, s.version
	s.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	site, err := settings.LoadSite(s.app)
	if err != nil {
		return site, err
	}
	s.mu.Lock()
	if s.version == version {
		s.site = &site
	}
	s.mu.Unlock()
	return site, nil
}

// optionsOf is loadOptions for functions that know only the app.
func optionsOf(app core.App) Options { return serviceOf(app).loadOptions() }

// origin is the origin of an absolute address as browsers write it, "" for
// what has none.
func origin(raw string) string {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" || strings.ContainsFunc(u.Host, notOfHost) {
		return ""
	}
	host := strings.ToLower(u.Host)
	if u.Scheme == "http" {
		host = strings.TrimSuffix(host, ":80")
	} else {
		host = strings.TrimSuffix(host, ":443")
	}
	return u.Scheme + "://" + host
}

// notOfHost reports whether no host and port has the character: net/url takes
// quotes and brackets too.
func notOfHost(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && !strings.ContainsRune(".-_:[]", r)
}

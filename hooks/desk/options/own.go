package options

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"

	"bungalow/hooks/kit/desk"
	kitmail "bungalow/hooks/kit/mail"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/spam"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
)

// own lists the settings that belong to no other feature.
func own(app core.App) []desk.Setting {
	filter := desk.Options(spam.Feature, "Spam", "What comments and forms share against spam.", spam.Defaults())
	filter.Icon, filter.Order = "shield", 50
	return []desk.Setting{
		{
			Feature: settings.SiteFeature, Title: "Site", Icon: "globe", Order: 10,
			Help:    "The name of the site, its languages and where it lives.",
			Options: func(app core.App) (any, error) { return loadIdentity(app) }, Save: saveIdentity,
		},
		{
			Feature: settings.SiteFeature, Slug: "appearance", Title: "Appearance", Icon: "palette", Order: 20,
			Help:    "The colour of the site and its pictures. The preview shows the real site; visitors see a change when it is saved.",
			Options: func(app core.App) (any, error) { return loadLook(app) }, Save: saveLook,
			Page: "desk/settings/appearance.html", Assets: []string{"/assets/js/desk-appearance.js"},
		},
		{
			Feature: settings.SiteFeature, Slug: "visitors", Title: "Visitors", Icon: "users", Order: 30,
			Help:    "Who may see the site, and who may have an account on it.",
			Options: func(app core.App) (any, error) { return loadVisitors(app) }, Save: saveVisitors,
		},
		{
			Feature: "mail", Title: "Mail", Icon: "mail", Order: 40,
			Help:    "How mail leaves the house. Where nothing is set up, each message becomes a file that you can read under Mail.",
			Options: func(app core.App) (any, error) { return loadPost(app) }, Save: savePost,
			Links: []desk.Link{{Label: "Send me a test", Href: desk.Href("settings/mail/test"), Icon: "send", Post: true}},
		},
		filter,
	}
}

// names is the part of the site's record that the page "Site" shows.
type names struct {
	Title        string   `json:"title" min:"1" max:"100"`
	Tagline      string   `json:"tagline" max:"200" help:"One line under the name."`
	Description  string   `json:"description" kind:"area" max:"500" help:"What search engines and feeds say of the site."`
	Locale       string   `json:"locale" kind:"locale" label:"Language" group:"Language and place" help:"A code such as en, de or pt-br."`
	Locales      []string `json:"locales" kind:"locale" label:"Further languages" help:"One code a line. Their addresses begin with it, as in /de/."`
	TimeZone     string   `json:"time_zone" kind:"zone" help:"Where the days of the site begin."`
	Currency     string   `json:"currency" min:"3" max:"3" help:"Three letters such as EUR, USD or GBP."`
	PostsPerPage int      `json:"posts_per_page" label:"Posts on a page" min:"1" max:"100"`
}

// identity is the page "Site": the record and PocketBase's own application.
type identity struct {
	names
	Address string `json:"address" kind:"url" group:"Address" label:"Address of the site" help:"As visitors type it, such as https://example.com. Links in mails and feeds begin with it. Empty: the address that each visitor used."`
}

// defaultAppURL is PocketBase's, which nobody meant.
const defaultAppURL = "http://localhost:8090"

func loadIdentity(app core.App) (*identity, error) {
	d := settings.SiteDefaults()
	n, err := settings.Load(app, settings.SiteFeature, names{
		Title: d.Title, Tagline: d.Tagline, Locale: d.Locale, TimeZone: d.TimeZone, Currency: d.Currency, PostsPerPage: d.PostsPerPage,
	})
	i := &identity{names: n, Address: app.Settings().Meta.AppURL}
	if strings.TrimRight(i.Address, "/") == defaultAppURL {
		i.Address = ""
	}
	return i, err
}

// Validate is what the single fields can't say.
func (i *identity) Validate() error {
	i.Currency = strings.ToUpper(i.Currency)
	i.Address = strings.TrimRight(i.Address, "/")
	s := settings.SiteDefaults()
	s.Title, s.Locale, s.Locales, s.TimeZone, s.Currency, s.PostsPerPage = i.Title, i.Locale, i.Locales, i.TimeZone, i.Currency, i.PostsPerPage
	return s.Validate()
}

func saveIdentity(app core.App, options any) error {
	i, ok := options.(*identity)
	if !ok {
		return errors.New("these are not the settings of the site")
	}
	if err := settings.Save(app, settings.SiteFeature, i.names); err != nil {
		return err
	}
	return changeSettings(app, func(s *core.Settings) {
		s.Meta.AppName = i.Title
		s.Meta.AppURL = i.Address
		if i.Address == "" {
			s.Meta.AppURL = defaultAppURL
		}
	})
}

// changeSettings changes PocketBase's own settings.
func changeSettings(app core.App, change func(s *core.Settings)) error {
	s, err := app.Settings().Clone()
	if err != nil {
		return fmt.Errorf("copy PocketBase's settings: %w", err)
	}
	change(s)
	if err := app.Save(s); err != nil {
		return fmt.Errorf("save PocketBase's settings: %w", err)
	}
	return nil
}

// look is the page "Appearance".
type look struct {
	Accent  string `json:"accent" kind:"colour" label:"Accent colour" help:"The one colour of the theme. How light it is fits itself to light and dark pages."`
	Logo    string `json:"logo" kind:"media" max:"15" help:"Stands in the header in place of the title."`
	Favicon string `json:"favicon" kind:"media" max:"15" help:"The small picture in the browser's tab. A square one fits best."`
}

func loadLook(app core.App) (*look, error) {
	l, err := settings.Load(app, settings.SiteFeature, look{Accent: settings.SiteDefaults().Accent})
	return &l, err
}

func saveLook(app core.App, options any) error {
	l, ok := options.(*look)
	if !ok {
		return errors.New("these are not the settings of the look")
	}
	faults := validation.Errors{}
	for name, id := range map[string]string{"logo": l.Logo, "favicon": l.Favicon} {
		if id == "" {
			continue
		}
		if _, err := app.FindRecordById(schema.Media, id); err != nil {
			faults[name] = validation.NewError("validation_missing", "There is no picture with this id; choose one of the media library.")
		}
	}
	if len(faults) > 0 {
		return faults
	}
	return settings.Save(app, settings.SiteFeature, *l)
}

// doors is the part of the site's record that the page "Visitors" shows.
type doors struct {
	ComingSoon     bool   `json:"coming_soon" label:"Coming soon" help:"Visitors see one page that says so, and whoever is signed in at the desk sees the site."`
	ComingSoonText string `json:"coming_soon_text" kind:"area" max:"1000" label:"What that page says"`
	HideFromSearch bool   `json:"hide_from_search" label:"Stay out of search engines" help:"Asks them not to list the site. They need not obey."`
}

type visitors struct {
	doors
	SignUp bool `json:"sign_up" group:"Accounts" label:"Visitors may sign up" help:"Lets anybody make an account in the collection users, through the API. What an account may do is for the rules of your collections to say."`
}

const usersCollection = "users"

func loadVisitors(app core.App) (*visitors, error) {
	d, err := settings.Load(app, settings.SiteFeature, doors{})
	v := &visitors{doors: d}
	if users, err := app.FindCollectionByNameOrId(usersCollection); err == nil {
		v.SignUp = users.CreateRule != nil
	}
	return v, err
}

func saveVisitors(app core.App, options any) error {
	v, ok := options.(*visitors)
	if !ok {
		return errors.New("these are not the settings of the visitors")
	}
	if err := settings.Save(app, settings.SiteFeature, v.doors); err != nil {
		return err
	}
	users, err := app.FindCollectionByNameOrId(usersCollection)
	if err != nil {
		if v.SignUp {
			return validation.Errors{"sign_up": validation.NewError("validation_missing", "The collection users is not there any more; make it again in the dashboard.")}
		}
		return nil
	}
	if open := users.CreateRule != nil; open == v.SignUp {
		return nil // a rule of the owner's own stays
	}
	users.CreateRule = nil
	if v.SignUp {
		anybody := ""
		users.CreateRule = &anybody
	}
	if err := app.Save(users); err != nil {
		return fmt.Errorf("change who may sign up: %w", err)
	}
	return nil
}

// refusals reads what a Save found wrong: what is the owner's to mend becomes
// faults of the form, all else is nil.
func refusals(err error, options any) desk.Faults {
	var fields validation.Errors
	if errors.As(err, &fields) {
		return desk.FaultsOf(fields, options)
	}
	return nil
}

// post is the page "Mail": PocketBase's settings and those of kit/mail.
type post struct {
	SenderName    string `json:"sender_name" min:"1" max:"100" label:"Sender"`
	SenderAddress string `json:"sender_address" kind:"email" min:"3" label:"Address of the sender" help:"One of your own domain, or mails end up as spam."`
	Way           string `json:"way" options:"outbox=Keep it as files,smtp=Through a mail server (SMTP),sendmail=Through the program sendmail of this machine" label:"How mail is sent"`
	Host          string `json:"host" max:"255" group:"Mail server" label:"Server" help:"For example smtp.example.com. Your mail provider names it."`
	Port          int    `json:"port" min:"1" max:"65535" help:"Mostly 587, or 465 with TLS from the start."`
	TLS           bool   `json:"tls" label:"TLS from the start" help:"Off: the connection becomes encrypted where the server offers it (STARTTLS)."`
	Username      string `json:"username" max:"255" label:"User name"`
	Password      string `json:"password" kind:"secret" max:"500"`
	AuthMethod    string `json:"auth_method" options:"PLAIN=PLAIN,LOGIN=LOGIN" label:"Sign-in"`
	LocalName     string `json:"local_name" max:"255" label:"Name for the greeting" help:"Only where your provider asks for one."`
}

func loadPost(app core.App) (*post, error) {
	o, err := settings.Load(app, "mail", kitmail.Options{})
	s := app.Settings()
	p := &post{
		SenderName: s.Meta.SenderName, SenderAddress: s.Meta.SenderAddress, Way: "outbox",
		Host: s.SMTP.Host, Port: s.SMTP.Port, TLS: s.SMTP.TLS, Username: s.SMTP.Username, Password: s.SMTP.Password,
		AuthMethod: "PLAIN", LocalName: s.SMTP.LocalName,
	}
	if s.SMTP.AuthMethod == "LOGIN" {
		p.AuthMethod = "LOGIN"
	}
	switch {
	case s.SMTP.Enabled:
		p.Way = "smtp"
	case o.Sendmail:
		p.Way = "sendmail"
	}
	return p, err
}

// Validate asks for the server where it is used.
func (p *post) Validate() error {
	if p.Way == "smtp" && p.Host == "" {
		return validation.Errors{"host": validation.NewError("validation_required", "Name the mail server, or choose another way.")}
	}
	if _, err := mail.ParseAddress(p.SenderAddress); err != nil {
		return validation.Errors{"sender_address": validation.NewError("validation_is_email", "This is not an e-mail address.")}
	}
	return nil
}

func savePost(app core.App, options any) error {
	p, ok := options.(*post)
	if !ok {
		return errors.New("these are not the settings of mail")
	}
	if err := settings.Save(app, "mail", struct {
		Sendmail bool `json:"sendmail"`
	}{p.Way == "sendmail"}); err != nil {
		return err
	}
	return changeSettings(app, func(s *core.Settings) {
		s.Meta.SenderName, s.Meta.SenderAddress = p.SenderName, p.SenderAddress
		s.SMTP.Enabled = p.Way == "smtp"
		s.SMTP.Host, s.SMTP.Port, s.SMTP.TLS = p.Host, p.Port, p.TLS
		s.SMTP.Username, s.SMTP.Password, s.SMTP.AuthMethod, s.SMTP.LocalName = p.Username, p.Password, p.AuthMethod, p.LocalName
	})
}

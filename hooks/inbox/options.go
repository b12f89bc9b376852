package inbox

import (
	"cmp"
	netmail "net/mail"
	"net/url"
	"strings"

	"bungalow/hooks/kit/settings"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
)

// Options are the owner's choices for the inbox.
type Options struct {
	// Address is where visitors write to. Empty means the sender's address of
	// PocketBase's mail settings.
	Address string `json:"address" kind:"email" label:"Address of the inbox" help:"Where visitors write to. Empty means the sender's address of the mail settings." group:"Mail that comes in"`
	// Aliases are more addresses that are ours, or whole domains as @example.com.
	Aliases []string `json:"aliases" label:"More addresses" help:"One a line, or a whole domain as @example.com. Mail to anything else is refused."`
	// PlusAddress puts a token into the Reply-To of answers, as in
	// hello+token@example.com, which most mail servers deliver to hello.
	PlusAddress bool `json:"plus_address" label:"Answers come back to an address with a token" help:"As in hello+token@example.com. Switch it off where your mail server does not know such addresses; answers are then matched by their Message-ID alone."`

	IMAPServer   string `json:"imap_server" label:"IMAP server" help:"For example imap.example.com. Mail in this mailbox is read into the inbox." group:"Read a mailbox (IMAP)"`
	IMAPSecurity string `json:"imap_security" label:"Encryption" options:"tls=TLS,starttls=STARTTLS,none=None"`
	IMAPUser     string `json:"imap_user" label:"User"`
	IMAPPassword string `json:"imap_password" label:"Password" kind:"secret"`
	IMAPFolder   string `json:"imap_folder" label:"Folder"`

	// UndoSeconds is how long an answer waits before it goes out.
	UndoSeconds int `json:"undo_seconds" label:"An answer can be taken back for" unit:"seconds" min:"0" max:"120" group:"Answers"`

	Signature string   `json:"signature" kind:"area" label:"Below each answer"`
	AutoReply string   `json:"auto_reply" kind:"area" label:"Automatic answer to new mail" help:"Sent once a day at most to one address, never to a machine. Empty sends none."`
	Notify    []string `json:"notify" label:"Tell about new messages" help:"Addresses that get a mail for each message that comes in by mail, one a line."`

	// Generation makes a new secret for /api/site/mail/inbound when it changes.
	Generation int `json:"inbound_generation" kind:"hidden"`
}

// Defaults are the options of a site that chose nothing.
func Defaults() Options {
	return Options{PlusAddress: true, IMAPSecurity: "tls", IMAPFolder: "INBOX", UndoSeconds: int(Undo.Seconds())}
}

// Validate checks the options. Its errors are validation.Errors by json name.
func (o Options) Validate() error {
	errs := validation.Errors{}
	if o.Address != "" && !isAddress(o.Address) {
		errs["address"] = validation.NewError("validation_address", "Write an e-mail address, such as hello@example.com.")
	}
	for _, a := range o.Aliases {
		if !isAddress(a) && !(strings.HasPrefix(a, "@") && isAddress("x"+a)) {
			errs["aliases"] = validation.NewError("validation_address", "Write one address a line, or a domain that begins with @.")
		}
	}
	for _, a := range o.Notify {
		if !isAddress(a) {
			errs["notify"] = validation.NewError("validation_address", "Write one e-mail address a line.")
		}
	}
	if o.IMAPServer != "" && o.IMAPUser == "" {
		errs["imap_user"] = validation.NewError("validation_required", "The mailbox needs a user.")
	}
	if o.UndoSeconds < 0 || o.UndoSeconds > 120 {
		errs["undo_seconds"] = validation.NewError("validation_range", "Choose a number from 0 to 120.")
	}
	switch o.IMAPSecurity {
	case "", "tls", "starttls", "none":
	default:
		errs["imap_security"] = validation.NewError("validation_choice", "Choose tls, starttls or none.")
	}
	if len(o.Aliases) > 100 || len(o.Notify) > 20 {
		errs["aliases"] = validation.NewError("validation_length", "At most 100 more addresses and 20 who are told.")
	}
	return errs.Filter()
}

func isAddress(s string) bool {
	a, err := netmail.ParseAddress(s)
	return err == nil && a.Address == s && a.Name == ""
}

// Load reads the owner's options.
func Load(app core.App) (Options, error) { return settings.Load(app, Feature, Defaults()) }

// Address is where visitors write to: the owner's choice, or the sender of
// PocketBase's mail settings.
func Address(app core.App) netmail.Address {
	o, err := Load(app)
	if err != nil {
		app.Logger().Error("the settings of the inbox can't be read", "error", err)
	}
	return address(app, o)
}

func address(app core.App, o Options) netmail.Address {
	meta := app.Settings().Meta
	return netmail.Address{Name: meta.SenderName, Address: cmp.Or(o.Address, meta.SenderAddress)}
}

// IsOurs reports whether mail to this address belongs into the inbox: it is
// the inbox's address, an alias, the sender of our mails, or postmaster of one
// of their domains (RFC 5321, section 4.5.1), each with or without +something.
func IsOurs(app core.App, recipient string) (bool, error) {
	o, err := Load(app)
	if err != nil {
		return false, err
	}
	ours := append([]string{address(app, o).Address, app.Settings().Meta.SenderAddress}, o.Aliases...)
	local, domain, ok := strings.Cut(strings.ToLower(recipient), "@")
	if !ok || local == "" || strings.Contains(domain, "@") || !isAddress(local+"@"+domain) {
		return false, nil
	}
	base, _, _ := strings.Cut(local, "+")
	for _, a := range ours {
		ourLocal, ourDomain, _ := strings.Cut(strings.ToLower(a), "@")
		if ourDomain == "" || ourDomain != domain {
			continue
		}
		if ourLocal == "" || ourLocal == local || ourLocal == base || local == "postmaster" {
			return true, nil
		}
	}
	return false, nil
}

// domain is the right side of our Message-IDs.
func domain(app core.App, from string) string {
	if u, err := url.Parse(app.Settings().Meta.AppURL); err == nil && u.Hostname() != "" && !strings.Contains(u.Hostname(), ":") {
		return u.Hostname()
	}
	_, d, _ := strings.Cut(from, "@")
	return cmp.Or(d, "localhost")
}

// SaveOptions stores what the owner chose; kit/settings seals the password.
func SaveOptions(app core.App, o Options) error {
	if err := o.Validate(); err != nil {
		return err
	}
	return settings.Save(app, Feature, o)
}

package pages

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"bungalow/hooks/inbox"
	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/mail"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

const (
	deliveryPage = "desk/inbox/delivery.html"
	deliveryPath = "/desk/mail-delivery/"
	resolverKey  = "bungalow.inbox.resolver"
	mailboxTime  = 20 * time.Second
)

// UseResolver has app ask another DNS, for tests.
func UseResolver(app core.App, r mail.Resolver) { app.Store().Set(resolverKey, r) }

// setting is the page of the inbox's settings.
func setting(app core.App) desk.Setting {
	return desk.Setting{
		Feature: inbox.Feature, Title: "Inbox", Icon: "inbox", Order: 42,
		Help: "How mail comes in, and what goes out with answers. Below, see whether it arrives.",
		Options: func(app core.App) (any, error) {
			o, err := inbox.Load(app)
			return &o, err
		},
		Save: func(app core.App, options any) error {
			o, ok := options.(*inbox.Options)
			if !ok {
				return errors.New("these are not the settings of the inbox")
			}
			return inbox.SaveOptions(app, *o)
		},
		Links: []desk.Link{{Label: "Does mail arrive?", Href: deliveryPath, Icon: "shield-check"}},
	}
}

type deliveryData struct {
	Domain, Address, SMTP, URL, Secret string
	Mailbox                            inbox.MailboxState
	Findings                           []mail.Finding
	HasKey                             bool
}

// delivery shows how mail comes in, and asks the DNS what it says.
func delivery(e *desk.Event) error {
	data := deliveryData{Address: inbox.Address(e.App).Address, SMTP: inbox.SMTPAddr(e.App), Mailbox: inbox.Mailbox(e.App)}
	_, data.Domain, _ = strings.Cut(e.App.Settings().Meta.SenderAddress, "@")
	key, err := mail.DKIM(e.App)
	if err != nil && !errors.Is(err, mail.ErrNoKey) {
		return refuse(e, err)
	}
	data.HasKey = key != nil
	var resolver mail.Resolver = net.DefaultResolver
	if r, ok := e.App.Store().Get(resolverKey).(mail.Resolver); ok {
		resolver = r
	}
	if e.Request.URL.Query().Get("check") != "" {
		data.Findings = mail.CheckDNS(e.Request.Context(), resolver, data.Domain, key)
	}
	if data.Secret, err = inbox.InboundSecret(e.App); err != nil {
		return refuse(e, err)
	}
	data.URL = strings.TrimRight(e.App.Settings().Meta.AppURL, "/") + inbox.InboundPath
	return e.Render(deliveryPage, e.T("Does mail arrive?"), data, "/assets/css/desk-inbox.css")
}

// deliver does what the page's buttons say.
func deliver(e *desk.Event) error {
	values, err := web.Read(e.RequestEvent)
	if err != nil {
		return refuse(e, err)
	}
	switch values.Get("act") {
	case "dkim":
		if _, err := mail.MakeDKIM(e.App); err != nil {
			return refuse(e, err)
		}
		if err := audit.Write(e.App, e.Actor(), "mail.dkim", schema.Settings, "mail", nil); err != nil {
			return refuse(e, err)
		}
		return e.Done(deliveryPath+"?check=1", "Mails are signed from now on. Enter the key in the DNS.")
	case "secret":
		err := e.App.RunInTransaction(func(tx core.App) error {
			o, err := inbox.Load(tx)
			if err != nil {
				return err
			}
			o.Generation++
			if err := inbox.SaveOptions(tx, o); err != nil {
				return err
			}
			return audit.Write(tx, e.Actor(), "inbox.secret", schema.Settings, inbox.Feature, nil)
		})
		if err != nil {
			return refuse(e, err)
		}
		return e.Done(deliveryPath, "There is a new secret. The old one opens nothing any more.")
	case "mailbox":
		ctx, cancel := context.WithTimeout(e.Request.Context(), mailboxTime)
		defer cancel()
		if err := inbox.CheckMailbox(ctx, e.App); err != nil {
			return e.Leave(deliveryPath, desk.Notice{Kind: "error", Text: e.T("The mailbox can't be opened: %s", err.Error())})
		}
		return e.Done(deliveryPath, "The mailbox can be opened.")
	}
	return e.BadRequestError("This is nothing that can be done here.", nil)
}

// deliveryPages are the owner's.
func deliveryPages() []desk.Page {
	return []desk.Page{
		{Path: "mail-delivery", Access: web.Owner, Do: delivery},
		{Method: http.MethodPost, Path: "mail-delivery", Access: web.Owner, Do: deliver},
	}
}

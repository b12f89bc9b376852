package desk

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"time"

	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/people"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/auth"
	"github.com/pocketbase/pocketbase/tools/security"
	"golang.org/x/oauth2"
)

// Sign-in through others: the OAuth2 providers that the owner set up for the
// collection staff in PocketBase. It lets in who is a member already, by the
// address that the provider has verified, and makes no account.

const (
	providerCookie  = "desk_oauth2" // state, provider, verifier, next
	providerPatient = 20 * time.Second
)

func providerPages() []desk.Page {
	return []desk.Page{
		{Path: "sign-in/with/{provider}", Access: web.Public, Do: startProvider},
		{Path: "sign-in/callback", Access: web.Public, Do: finishProvider},
	}
}

// provider is one button of the sign-in.
type provider struct{ Name, Label string }

func providers(app core.App) []provider {
	c, err := app.FindCachedCollectionByNameOrId(schema.Staff)
	if err != nil || !c.OAuth2.Enabled {
		return nil
	}
	var all []provider
	for _, config := range c.OAuth2.Providers {
		if p, err := config.InitProvider(); err == nil && config.Name != auth.NameApple { // Apple answers by a post from its own site
			label := p.DisplayName()
			if label == "" {
				label = config.Name
			}
			all = append(all, provider{config.Name, label})
		}
	}
	return all
}

// providerNamed makes PocketBase's client of a provider.
func providerNamed(e *desk.Event, name string) (auth.Provider, error) {
	c, err := e.App.FindCachedCollectionByNameOrId(schema.Staff)
	if err != nil {
		return nil, err
	}
	config, ok := c.OAuth2.GetProviderConfig(name)
	if !ok || !c.OAuth2.Enabled || name == auth.NameApple {
		return nil, e.NotFoundError("There is no such way to sign in.", nil)
	}
	p, err := config.InitProvider()
	if err != nil {
		return nil, err
	}
	p.SetRedirectURL(origin(e) + desk.Href("sign-in/callback"))
	return p, nil
}

// startProvider sends the browser to the provider. What is needed at its return
// lies in a cookie, so that nothing grows here.
func startProvider(e *desk.Event) error {
	name := e.Request.PathValue("provider")
	p, err := providerNamed(e, name)
	if err != nil {
		return err
	}
	state, verifier := rand.Text(), security.RandomString(43)
	var options []oauth2.AuthCodeOption
	if p.PKCE() {
		options = append(options, oauth2.SetAuthURLParam("code_challenge", security.S256Challenge(verifier)), oauth2.SetAuthURLParam("code_challenge_method", "S256"))
	}
	value, err := people.Seal(e.App, strings.Join([]string{state, name, verifier, safeNext(e.Request.URL.Query().Get("next"))}, "\n"))
	if err != nil {
		return err
	}
	setDoorCookie(e, providerCookie, value)
	return e.Redirect(http.StatusSeeOther, p.BuildAuthURL(state, options...))
}

// errProvider says why a sign-in through others led nowhere, in English.
type errProvider string

func (err errProvider) Error() string { return string(err) }

func finishProvider(e *desk.Event) error {
	if err := people.ThrottleOf(e.App).TakeAddress(e.RealIP()); err != nil {
		return people.Answer(e.RequestEvent, err)
	}
	person, next, err := throughProvider(e)
	setDoorCookie(e, providerCookie, "")
	if why, ok := errors.AsType[errProvider](err); ok {
		return e.Leave(desk.Href("sign-in"), desk.Notice{Kind: "error", Text: e.T(string(why))})
	}
	if err != nil {
		return err
	}
	return finish(e, person, proof{Method: "oauth2"}, safeNext(next))
}

// throughProvider finds who comes back from a provider.
func throughProvider(e *desk.Event) (person *core.Record, next string, err error) {
	const failed = errProvider("The other site did not say who you are. Try again, or sign in another way.")
	cookie, err := e.Request.Cookie(providerCookie)
	if err != nil {
		return nil, "", failed
	}
	plain, err := people.Unseal(e.App, cookie.Value)
	kept := strings.Split(plain, "\n")
	q := e.Request.URL.Query()
	if err != nil || len(kept) != 4 || subtle.ConstantTimeCompare([]byte(kept[0]), []byte(q.Get("state"))) != 1 || q.Get("code") == "" {
		return nil, "", failed
	}
	p, err := providerNamed(e, kept[1])
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(e.Request.Context(), providerPatient)
	defer cancel()
	p.SetContext(ctx)
	var options []oauth2.AuthCodeOption
	if p.PKCE() {
		options = append(options, oauth2.SetAuthURLParam("code_verifier", kept[2]))
	}
	token, err := p.FetchToken(q.Get("code"), options...)
	if err != nil {
		e.App.Logger().Warn("a provider gave no token", "provider", kept[1], "error", err)
		return nil, "", failed
	}
	user, err := p.FetchAuthUser(token)
	if err != nil {
		e.App.Logger().Warn("a provider gave no account", "provider", kept[1], "error", err)
		return nil, "", failed
	}
	// PocketBase gives the address only where the provider has verified it.
	person, err = people.Find(e.App, user.Email)
	if err != nil {
		return nil, "", err
	}
	if !people.MayEnter(person) || person.IsSuperuser() {
		return nil, "", errProvider("The account there has no verified address of anybody who works here.")
	}
	return person, kept[3], nil
}

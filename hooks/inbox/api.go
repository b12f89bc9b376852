package inbox

import (
	"crypto/hmac"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"bungalow/hooks/kit/limit"
	"bungalow/hooks/kit/secret"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// InboundPath is where a provider posts a mail.
const InboundPath = "/api/site/mail/inbound"

// Routes is the table of the inbox's own doors outside the desk.
func Routes(core.App) []web.Route {
	return []web.Route{
		{Method: http.MethodPost, Path: InboundPath, Access: web.Public, Body: MaxMail + 1<<10, Do: inbound},
	}
}

// InboundSecret is what a provider must send with each mail.
func InboundSecret(app core.App) (string, error) {
	o, err := Load(app)
	if err != nil {
		return "", err
	}
	key, err := secret.Derive(app, fmt.Sprintf("inbox inbound %d", o.Generation))
	if err != nil {
		return "", err
	}
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(key[:20])), nil
}

// inbound takes a raw mail (RFC 5322) from a provider that knows the secret.
func inbound(e *core.RequestEvent) error {
	want, err := InboundSecret(e.App)
	if err != nil {
		return refuse(e, err)
	}
	if !hmac.Equal([]byte(want), []byte(given(e.Request))) {
		wrong := e.App.Store().GetOrSet("bungalow.inbox.wrong", func() any {
			return limit.New(limit.Config{Burst: 20, Every: 3 * time.Second})
		}).(*limit.Limiter)
		if ok, _ := wrong.Allow(limit.AddressKey(e.RealIP())); !ok {
			return e.TooManyRequestsError("Too many wrong secrets. Wait a minute.", nil)
		}
		return e.UnauthorizedError("Send the secret of the inbox's settings as a bearer token.", nil)
	}
	raw, err := io.ReadAll(e.Request.Body)
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return refuse(e, ErrTooLarge)
	}
	if err != nil || len(strings.TrimSpace(string(raw[:min(len(raw), 1000)]))) == 0 {
		return e.BadRequestError("Send the mail itself (RFC 5322) as the body.", err)
	}
	out, err := ReceiveMail(e.App, raw, Envelope{To: e.Request.URL.Query()["to"]})
	if err != nil {
		return refuse(e, err)
	}
	if out.Duplicate {
		return e.JSON(http.StatusOK, out)
	}
	return e.JSON(http.StatusCreated, out)
}

// given is the secret that a request brings, as providers can send it.
func given(r *http.Request) string {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return strings.TrimSpace(token)
	}
	if _, password, ok := r.BasicAuth(); ok {
		return password
	}
	return r.URL.Query().Get("secret")
}

// refuse turns the inbox's named errors into answers.
func refuse(e *core.RequestEvent, err error) error {
	switch {
	case errors.Is(err, ErrTooLarge):
		return router.NewApiError(http.StatusRequestEntityTooLarge, "This mail is larger than the inbox takes.", nil)
	case errors.Is(err, ErrFull):
		e.Response.Header().Set("Retry-After", "3600")
		return router.NewApiError(http.StatusTooManyRequests, "The inbox takes no more mail today.", nil)
	case errors.Is(err, ErrRefused):
		return router.NewApiError(http.StatusUnprocessableEntity, "This mail is not taken.", nil)
	}
	return web.Refuse(e, err)
}

package people

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"bungalow/hooks/kit/limit"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/secret"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"
)

const (
	accountBurst = 10 // wrong tries for one account at once,
	accountEvery = 30 * time.Second
	addressBurst = 30 // and from one address, whatever the account
	addressEvery = 10 * time.Second
	mailBurst    = 5 // mails to one account that anybody may ask for,
	mailEvery    = 10 * time.Minute
	throttleKeys = 1 << 14
	maxKnown     = 200 // bytes of the mark of a browser
	maxIdentity  = 255 // bytes of an address that is worth a look
)

// Throttle counts sign-ins per account and per address, in memory. A browser in
// which somebody signed in to the account before has a count of its own, so
// that a stranger's guessing does not lock the account's person out.
type Throttle struct {
	account, address, known, mails *limit.Limiter
}

// ThrottleOf is the app's, made at first use.
func ThrottleOf(app core.App) *Throttle {
	return app.Store().GetOrSet("bungalow.people.throttle", func() any {
		return &Throttle{
			account: limit.New(limit.Config{Burst: accountBurst, Every: accountEvery, Keys: throttleKeys}),
			address: limit.New(limit.Config{Burst: addressBurst, Every: addressEvery, Keys: throttleKeys}),
			known:   limit.New(limit.Config{Burst: accountBurst, Every: accountEvery, Keys: throttleKeys}),
			mails:   limit.New(limit.Config{Burst: mailBurst, Every: mailEvery, Keys: throttleKeys}),
		}
	}).(*Throttle)
}

// Try is one sign-in that is under way.
type Try struct {
	t                       *Throttle
	account, address, known string
}

// Good gives back what the try cost: the sign-in succeeded.
func (t *Try) Good() {
	t.t.address.Return(t.address)
	if t.known != "" {
		t.t.known.Return(t.known)
	} else {
		t.t.account.Return(t.account)
	}
}

// Take counts a try for an account, from an IP address and from a browser whose
// mark is given ("" for none). Where it is one too many the error is a
// *TooManyError.
func (t *Throttle) Take(app core.App, email, ip, mark string) (*Try, error) {
	email = Identity(email)
	try := &Try{t: t, account: email, address: limit.AddressKey(ip)}
	if ok, wait := t.address.Allow(try.address); !ok {
		return nil, &TooManyError{wait}
	}
	limiter, key := t.account, email
	if email != "" && knownBrowser(app, email, mark) {
		try.known = mark
		limiter, key = t.known, mark
	}
	if ok, wait := limiter.Allow(key); !ok {
		return nil, &TooManyError{wait}
	}
	return try, nil
}

// TakeAddress counts what has no account, such as the start of a sign-in with a
// passkey.
func (t *Throttle) TakeAddress(ip string) error {
	if ok, wait := t.address.Allow(limit.AddressKey(ip)); !ok {
		return &TooManyError{wait}
	}
	return nil
}

// mailAllowed counts a mail that somebody without a session asked for. It is
// asked by the job that would send it, so that no answer tells of it.
func (t *Throttle) mailAllowed(person *core.Record) bool {
	ok, _ := t.mails.Allow(person.Id)
	return ok
}

// TooManyError says after which time another try counts.
type TooManyError struct{ Wait time.Duration }

func (e *TooManyError) Error() string { return "too many tries; the next counts in " + e.Wait.String() }

// Answer is the error as an answer: 429 with Retry-After. Another error is
// given back as it is.
func Answer(e *core.RequestEvent, err error) error {
	var many *TooManyError
	if !errors.As(err, &many) {
		return err
	}
	e.Response.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(many.Wait.Seconds()))))
	return router.NewApiError(http.StatusTooManyRequests, "These were too many tries. Wait a minute and try again.", nil)
}

// Identity is how an address of mail is compared and counted.
func Identity(email string) string {
	email = strings.ToLower(strings.TrimSpace(email))
	return email[:min(len(email), maxIdentity)]
}

// Mark makes the mark of a browser in which the account's person signed in.
func Mark(app core.App, email string) (string, error) {
	nonce := rand.Text()
	sum, err := markSum(app, email, nonce)
	if err != nil {
		return "", err
	}
	return nonce + "." + sum, nil
}

func knownBrowser(app core.App, email, mark string) bool {
	nonce, sum, ok := strings.Cut(mark, ".")
	if !ok || len(mark) > maxKnown {
		return false
	}
	want, err := markSum(app, email, nonce)
	return err == nil && hmac.Equal([]byte(sum), []byte(want))
}

func markSum(app core.App, email, nonce string) (string, error) {
	key, err := secret.Derive(app, "known browser")
	if err != nil {
		return "", fmt.Errorf("mark a browser: %w", err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(nonce + "\x00" + Identity(email)))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), nil
}

// bindThrottle slows PocketBase's own sign-ins of the same accounts.
func bindThrottle(app core.App) {
	app.OnRecordAuthWithPasswordRequest(schema.Staff, core.CollectionNameSuperusers).BindFunc(func(e *core.RecordAuthWithPasswordRequestEvent) error {
		try, err := ThrottleOf(e.App).Take(e.App, e.Identity, e.RealIP(), "")
		if err != nil {
			return Answer(e.RequestEvent, err)
		}
		if e.Record != nil && e.Collection.Name == schema.Staff && !e.Record.GetBool("active") {
			e.Record = nil // answered like an account that is not there
		}
		if err := e.Next(); err != nil {
			return err
		}
		try.Good()
		return nil
	})
	app.OnRecordRequestOTPRequest(schema.Staff, core.CollectionNameSuperusers).BindFunc(func(e *core.RecordCreateOTPRequestEvent) error {
		if err := ThrottleOf(e.App).TakeAddress(e.RealIP()); err != nil {
			return Answer(e.RequestEvent, err)
		}
		if e.Record != nil && e.Collection.Name == schema.Staff && !e.Record.GetBool("active") {
			e.Record = nil
		}
		return e.Next()
	})
	app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "bungalowSlowCodes", Func: slowCodes})
		return e.Next()
	})
}

// slowCodes counts guesses at PocketBase's one-time passwords, for which it has
// no hook before the comparison.
func slowCodes(e *core.RequestEvent) error {
	if !strings.HasSuffix(e.Request.URL.Path, "/auth-with-otp") {
		return e.Next()
	}
	c, err := e.App.FindCachedCollectionByNameOrId(e.Request.PathValue("collection"))
	if err != nil || c.Name != schema.Staff && !c.IsAuth() {
		return e.Next()
	}
	if c.Name == schema.Staff || c.Name == core.CollectionNameSuperusers {
		if err := ThrottleOf(e.App).TakeAddress(e.RealIP()); err != nil {
			return Answer(e, err)
		}
	}
	return e.Next()
}

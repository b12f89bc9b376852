package desk

import (
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"bungalow/hooks/kit/people"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

const (
	// sessionLife is how long a session lives after it was last used.
	sessionLife = 12 * time.Hour
	// seenEvery is how often the time of the last use is written.
	seenEvery = 5 * time.Minute
	// maxSessions is how many sessions one person has; the oldest gives way.
	maxSessions = 50

	secureCookie = "__Host-session" // over TLS
	plainCookie  = "session"        // over plain http
)

// Session is one sign-in of one person in one browser.
type Session struct {
	ID         string `db:"id"`
	Collection string `db:"collection"`
	Record     string `db:"record"`
	TokenKey   string `db:"token_key"` // a hash of the account's token key: a new password ends the session
	Device     string `db:"device"`
	Address    string `db:"address"`
	Created    int64  `db:"created"` // Unix seconds
	Seen       int64  `db:"seen"`    // Unix seconds
}

// errNoSession means the token names no living session.
var errNoSession = errors.New("no session")

// StartSession signs the person in and returns the token for the cookie, which
// is kept nowhere. Who may not enter the desk is refused with errNoSession.
func StartSession(app core.App, person *core.Record, device, address string, now time.Time) (token string, err error) {
	if !people.MayEnter(person) {
		return "", errNoSession
	}
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("start a session: %w", err)
	}
	token = base64.RawURLEncoding.EncodeToString(raw)
	err = app.RunInTransaction(func(tx core.App) error {
		_, err := tx.DB().Insert("_sessions", dbx.Params{
			"id": core.GenerateDefaultRandomId(), "hash": hashed(token), "collection": person.Collection().Name, "record": person.Id,
			"token_key": hashed(person.TokenKey()), "device": device, "address": address, "created": now.Unix(), "seen": now.Unix(),
		}).Execute()
		if err != nil {
			return err
		}
		_, err = tx.DB().NewQuery(`DELETE FROM _sessions WHERE seen < {:old} OR (collection = {:c} AND record = {:r} AND id NOT IN
			(SELECT id FROM _sessions WHERE collection = {:c} AND record = {:r} ORDER BY seen DESC LIMIT {:most}))`).
			Bind(dbx.Params{"old": now.Add(-sessionLife).Unix(), "c": person.Collection().Name, "r": person.Id, "most": maxSessions}).Execute()
		return err
	})
	if err != nil {
		return "", fmt.Errorf("start a session: %w", err)
	}
	return token, nil
}

// FindSession gives the session of a token and its person, as they are now, and
// does not prolong it. errNoSession means the browser has to sign in.
func FindSession(app core.App, token string, now time.Time) (*Session, *core.Record, error) {
	s := &Session{}
	err := app.DB().NewQuery(`SELECT id, collection, record, token_key, device, address, created, seen FROM _sessions
		WHERE hash = {:h} AND seen >= {:since}`).Bind(dbx.Params{"h": hashed(token), "since": now.Add(-sessionLife).Unix()}).One(s)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil, errNoSession
	}
	if err != nil {
		return nil, nil, fmt.Errorf("find the session: %w", err)
	}
	person, err := app.FindRecordById(s.Collection, s.Record)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil, errNoSession
	}
	if err != nil {
		return nil, nil, fmt.Errorf("find who is signed in: %w", err)
	}
	if !people.MayEnter(person) || hashed(person.TokenKey()) != s.TokenKey {
		return nil, nil, errNoSession
	}
	return s, person, nil
}

// Prolong notes that the person did something: the session lives on from now.
// It is written at most every few minutes, and prolonged says whether it was.
func (s *Session) Prolong(app core.App, now time.Time) (prolonged bool, err error) {
	if now.Sub(time.Unix(s.Seen, 0)) < seenEvery {
		return false, nil
	}
	if _, err := app.NonconcurrentDB().Update("_sessions", dbx.Params{"seen": now.Unix()}, dbx.HashExp{"id": s.ID}).Execute(); err != nil {
		return false, fmt.Errorf("keep the session: %w", err)
	}
	return true, nil
}

// Sessions lists the living sessions of a person, the last used first.
func Sessions(app core.App, person *core.Record, now time.Time) ([]Session, error) {
	sessions := []Session{}
	err := app.DB().NewQuery(`SELECT id, collection, record, token_key, device, address, created, seen FROM _sessions
		WHERE collection = {:c} AND record = {:r} AND token_key = {:k} AND seen >= {:since} ORDER BY seen DESC`).
		Bind(dbx.Params{"c": person.Collection().Name, "r": person.Id, "k": hashed(person.TokenKey()), "since": now.Add(-sessionLife).Unix()}).All(&sessions)
	if err != nil {
		return nil, fmt.Errorf("list the sessions: %w", err)
	}
	return sessions, nil
}

// RevokeSession ends one session of a person, if it is the person's.
func RevokeSession(app core.App, person *core.Record, id string) (found bool, err error) {
	res, err := app.NonconcurrentDB().Delete("_sessions", dbx.HashExp{"id": id, "collection": person.Collection().Name, "record": person.Id}).Execute()
	if err != nil {
		return false, fmt.Errorf("end a session: %w", err)
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// keepSession lets the session of a token outlive a change of its person's
// password, which ends all others.
func keepSession(tx core.App, token string, person *core.Record) error {
	_, err := tx.DB().Update("_sessions", dbx.Params{"token_key": hashed(person.TokenKey())}, dbx.HashExp{"hash": hashed(token)}).Execute()
	if err != nil {
		return fmt.Errorf("keep the session: %w", err)
	}
	return nil
}

// EndSession forgets the session of a token.
func EndSession(app core.App, token string) error {
	if _, err := app.NonconcurrentDB().Delete("_sessions", dbx.HashExp{"hash": hashed(token)}).Execute(); err != nil {
		return fmt.Errorf("end the session: %w", err)
	}
	return nil
}

func hashed(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// enter finds who comes with the request, nil for a stranger.
func enter(e *core.RequestEvent) (*Session, *core.Record, error) {
	token := cookieOf(e)
	if token == "" {
		return nil, nil, nil
	}
	session, person, err := FindSession(e.App, token, time.Now())
	if errors.Is(err, errNoSession) {
		return nil, nil, nil
	}
	return session, person, err
}

// watching marks the requests of pages that look for news by themselves.
const watching = "X-Desk-Watching"

// stay prolongs a session of whoever does something, in the browser too. What a
// page asks for by itself is nobody's doing: an open tab must not keep a
// session alive for ever.
func stay(e *core.RequestEvent, s *Session) error {
	h := e.Request.Header
	if s == nil || h.Get(watching) != "" || strings.Contains(h.Get("Accept"), "text/event-stream") {
		return nil
	}
	prolonged, err := s.Prolong(e.App, time.Now())
	if prolonged {
		setCookie(e, cookieOf(e))
	}
	return err
}

func cookieOf(e *core.RequestEvent) string {
	name := plainCookie
	if web.Secure(e) {
		name = secureCookie
	}
	cookie, err := e.Request.Cookie(name)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// setCookie gives the browser its session; an empty token takes it away. Over
// TLS the name's prefix binds it to this very host (RFC 6265bis, 4.1.3).
func setCookie(e *core.RequestEvent, token string) {
	c := &http.Cookie{Name: plainCookie, Value: token, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(sessionLife.Seconds())}
	if web.Secure(e) {
		c.Name, c.Secure = secureCookie, true
	}
	if token == "" {
		c.MaxAge = -1
	}
	http.SetCookie(e.Response, c)
}

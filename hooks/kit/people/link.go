package people

import (
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// ErrLink says that a link is unknown, used, or too old.
var ErrLink = errors.New("this link was used already or is too old")

const (
	// maxLinks is how many links of one purpose live at once; the oldest gives
	// way. Strangers can ask for some of them.
	maxLinks = 1000
	// maxTries is how often a code of a link may be guessed.
	maxTries = 5
)

// Link is what a one-time token stands for. Purposes keep to themselves: a link
// to reset a password opens no invitation.
type Link struct {
	Purpose string `db:"purpose"`
	Person  string `db:"person"` // id of an account, "" for none
	Data    string `db:"data"`   // what the purpose needs, at most a few KB
	Tries   int    `db:"tries"`
	Expires int64  `db:"expires"` // Unix seconds
}

// Issue makes a token that lives as long as life. It is kept as a hash.
func Issue(app core.App, l Link, life time.Duration, now time.Time) (token string, err error) {
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("make a link: %w", err)
	}
	token = base64.RawURLEncoding.EncodeToString(raw)
	err = app.RunInTransaction(func(tx core.App) error {
		if _, err := tx.DB().NewQuery(`DELETE FROM _links WHERE expires <= {:now} OR purpose = {:p} AND hash IN
			(SELECT hash FROM _links WHERE purpose = {:p} ORDER BY created DESC LIMIT -1 OFFSET {:most})`).
			Bind(dbx.Params{"now": now.Unix(), "p": l.Purpose, "most": maxLinks - 1}).Execute(); err != nil {
			return err
		}
		_, err := tx.DB().Insert("_links", dbx.Params{
			"hash": hashed(token), "purpose": l.Purpose, "person": l.Person, "data": l.Data,
			"tries": 0, "created": now.UnixNano(), "expires": now.Add(life).Unix(),
		}).Execute()
		return err
	})
	if err != nil {
		return "", fmt.Errorf("make a link: %w", err)
	}
	return token, nil
}

// Peek gives what a token stands for and leaves it. ErrLink where it is dead.
func Peek(app core.App, purpose, token string, now time.Time) (*Link, error) {
	return read(app, purpose, token, now)
}

func read(app core.App, purpose, token string, now time.Time) (*Link, error) {
	l := &Link{}
	err := app.DB().NewQuery(`SELECT purpose, person, data, tries, expires FROM _links WHERE hash = {:h} AND purpose = {:p} AND expires > {:now}`).
		Bind(dbx.Params{"h": hashed(token), "p": purpose, "now": now.Unix()}).One(l)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrLink
	}
	if err != nil {
		return nil, fmt.Errorf("look at the link: %w", err)
	}
	return l, nil
}

// Redeem uses a token up. Call it in the transaction that does what the link is
// for: of two requests with one token only one gets it.
func Redeem(app core.App, purpose, token string, now time.Time) (*Link, error) {
	var l *Link
	err := app.RunInTransaction(func(tx core.App) (err error) {
		if l, err = read(tx, purpose, token, now); err != nil {
			return err
		}
		_, err = tx.DB().Delete("_links", dbx.HashExp{"hash": hashed(token)}).Execute()
		return err
	})
	return l, err
}

// Guess gives what a token stands for to who is about to type its code, five
// times at most. The guess counts at once, right or wrong.
func Guess(app core.App, purpose, token string, now time.Time) (*Link, error) {
	var l *Link
	err := app.RunInTransaction(func(tx core.App) (err error) {
		if l, err = read(tx, purpose, token, now); err != nil {
			return err
		}
		if l.Tries >= maxTries {
			return ErrLink
		}
		_, err = tx.DB().Update("_links", dbx.Params{"tries": l.Tries + 1}, dbx.HashExp{"hash": hashed(token)}).Execute()
		return err
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Revoke ends the links of a purpose that an account has; "" means those of all
// accounts.
func Revoke(app core.App, purpose, person string) error {
	where := dbx.HashExp{"purpose": purpose}
	if person != "" {
		where["person"] = person
	}
	if _, err := app.NonconcurrentDB().Delete("_links", where).Execute(); err != nil {
		return fmt.Errorf("end links: %w", err)
	}
	return nil
}

func hashed(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// ignoreMissing turns "there is no such row" into nothing to do.
func ignoreMissing(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

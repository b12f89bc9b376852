package people

import (
	"context"
	"crypto/hmac"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"

	kitmail "bungalow/hooks/kit/mail"
	"bungalow/hooks/kit/queue"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

const (
	codePurpose = "code"
	codeLife    = 10 * time.Minute
	codeKind    = "people.code"
)

// awaited is what a browser that waits for a code holds the key to.
type awaited struct {
	Email string `json:"e"`
	Next  string `json:"n"`
	Hash  string `json:"h"` // of the code, once it is on its way
}

type codeJob struct {
	Link string `json:"link"` // hash of the browser's token
}

// AskCode has a code sent to an address, if somebody of the staff has it, and
// gives the token of the browser in which the code will be typed. The work is the
// same for any address.
func AskCode(app core.App, email, next string, now time.Time) (token string, err error) {
	raw, err := json.Marshal(awaited{Email: Identity(email), Next: next})
	if err != nil {
		return "", err
	}
	err = app.RunInTransaction(func(tx core.App) error {
		if token, err = Issue(tx, Link{Purpose: codePurpose, Data: string(raw)}, codeLife, now); err != nil {
			return err
		}
		return queue.Enqueue(tx, codeKind, codeJob{Link: hashed(token)})
	})
	return token, err
}

func sendCode(_ context.Context, app core.App, payload []byte) error {
	var j codeJob
	if err := json.Unmarshal(payload, &j); err != nil {
		return queue.NoRetry(err)
	}
	return app.RunInTransaction(func(tx core.App) error {
		var data string
		err := tx.DB().NewQuery(`SELECT data FROM _links WHERE hash = {:h} AND purpose = {:p}`).Bind(dbx.Params{"h": j.Link, "p": codePurpose}).Row(&data)
		if err != nil {
			return ignoreMissing(err)
		}
		var a awaited
		if err := json.Unmarshal([]byte(data), &a); err != nil {
			return queue.NoRetry(err)
		}
		person, err := Find(tx, a.Email)
		if err != nil || !MayEnter(person) || !ThrottleOf(app).mailAllowed(person) {
			return err
		}
		code := MailCode()
		if a.Hash, err = codeHash(tx, j.Link, code); err != nil {
			return err
		}
		raw, err := json.Marshal(a)
		if err != nil {
			return err
		}
		if _, err := tx.DB().Update("_links", dbx.Params{"data": string(raw)}, dbx.HashExp{"hash": j.Link}).Execute(); err != nil {
			return fmt.Errorf("note the code: %w", err)
		}
		return kitmail.Send(tx, kitmail.Message{
			To: mail.Address{Name: person.GetString("name"), Address: person.Email()}, Template: "desk-code", Locale: person.GetString("locale"),
			Data: map[string]any{"Name": person.GetString("name"), "Code": code[:4] + " " + code[4:]},
		})
	})
}

// CheckCode gives who reads the mail of the address that the token waits for.
// Whatever is wrong is ErrWrong; five guesses are all there are.
func CheckCode(app core.App, token, code string, now time.Time) (person *core.Record, next string, err error) {
	l, err := Guess(app, codePurpose, token, now)
	if errors.Is(err, ErrLink) {
		return nil, "", ErrWrong
	}
	if err != nil {
		return nil, "", err
	}
	var a awaited
	if err := json.Unmarshal([]byte(l.Data), &a); err != nil {
		return nil, "", err
	}
	hash, err := codeHash(app, hashed(token), strings.ReplaceAll(strings.TrimSpace(code), " ", ""))
	if err != nil {
		return nil, "", err
	}
	if a.Hash == "" || !hmac.Equal([]byte(a.Hash), []byte(hash)) {
		return nil, "", ErrWrong
	}
	if person, err = Find(app, a.Email); err != nil {
		return nil, "", err
	}
	if !MayEnter(person) {
		return nil, "", ErrWrong
	}
	if _, err := Redeem(app, codePurpose, token, now); err != nil {
		return nil, "", ErrWrong
	}
	return person, a.Next, nil
}

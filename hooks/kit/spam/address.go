package spam

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"bungalow/hooks/kit/limit"
	"bungalow/hooks/kit/secret"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// period is how long addresses of the network are hashed with the same key.
const period = 30 * 24 * time.Hour

// salts are the random parts of the keys by period. Two periods are kept; once
// a salt is deleted, nobody can compute its hashes again, the owner neither.
type salts struct {
	mu sync.Mutex
	by map[int64][]byte
}

func periodOf(at time.Time) int64 { return at.Unix() / int64(period/time.Second) }

// AddressHash is what is kept of a visitor's address: a keyed hash of it, or
// of the /64 of IPv6, that is good for this period of 30 days. Inside a
// transaction call it with the transaction's app.
func AddressHash(app core.App, ip string, at time.Time) (string, error) {
	return Of(app).hashIn(app, ip, periodOf(at), true)
}

// AddressHashes lists what may be kept of an address at that time: this
// period's hash and that of the period before, if its key is still there.
func AddressHashes(app core.App, ip string, at time.Time) ([]string, error) {
	f := Of(app)
	now, err := f.hashIn(app, ip, periodOf(at), true)
	if err != nil {
		return nil, err
	}
	before, err := f.hashIn(app, ip, periodOf(at)-1, false)
	if err != nil || before == "" {
		return []string{now}, err
	}
	return []string{now, before}, nil
}

func (f *Filter) hashIn(app core.App, ip string, p int64, create bool) (string, error) {
	salt, err := f.salt(app, p, create)
	if err != nil || salt == nil {
		return "", err
	}
	key, err := secret.Derive(app, "spam addresses")
	if err != nil {
		return "", err
	}
	h := hmac.New(sha256.New, key)
	h.Write(salt)
	h.Write([]byte(limit.AddressKey(ip)))
	return strconv.FormatInt(p, 36) + "." + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12]), nil
}

// salt reads a period's, or makes it. Of two processes that make one at once
// both read the same.
func (f *Filter) salt(app core.App, p int64, create bool) ([]byte, error) {
	f.salts.mu.Lock()
	known := f.salts.by[p]
	f.salts.mu.Unlock()
	if known != nil {
		return known, nil
	}
	bind := dbx.Params{"p": p}
	if create {
		fresh := make([]byte, 16)
		_, _ = rand.Read(fresh)
		bind["salt"] = fresh
		if _, err := app.NonconcurrentDB().NewQuery(`INSERT OR IGNORE INTO _spam_salts (period, salt) VALUES ({:p}, {:salt})`).Bind(bind).Execute(); err != nil {
			return nil, fmt.Errorf("make the key of addresses: %w", err)
		}
	}
	var salt []byte
	err := app.NonconcurrentDB().NewQuery(`SELECT salt FROM _spam_salts WHERE period = {:p}`).Bind(bind).Row(&salt)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the key of addresses: %w", err)
	}
	if app.TxInfo() == nil { // what a transaction wrote may still be rolled back
		f.salts.mu.Lock()
		if f.salts.by == nil || len(f.salts.by) > 4 {
			f.salts.by = map[int64][]byte{}
		}
		f.salts.by[p] = salt
		f.salts.mu.Unlock()
	}
	return salt, nil
}

// dropSalts throws away the keys of all periods but this and the last.
func (f *Filter) dropSalts(app core.App, now time.Time) error {
	_, err := app.NonconcurrentDB().NewQuery(`DELETE FROM _spam_salts WHERE period < {:p}`).
		Bind(dbx.Params{"p": periodOf(now) - 1}).Execute()
	if err != nil {
		return fmt.Errorf("throw away old keys of addresses: %w", err)
	}
	f.salts.mu.Lock()
	f.salts.by = nil
	f.salts.mu.Unlock()
	return nil
}

// Forgotten reports whether the key of a hash is gone at that time, so that
// the hash says nothing any more and can be cleared.
func Forgotten(hash string, at time.Time) bool {
	p, err := strconv.ParseInt(beforeDot(hash), 36, 64)
	return err != nil || p < periodOf(at)-1
}

func beforeDot(s string) string {
	for i := range s {
		if s[i] == '.' {
			return s[:i]
		}
	}
	return s
}

package spam

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"bungalow/hooks/kit/secret"
	"github.com/altcha-org/altcha-lib-go"
)

const (
	// tokenLife is how long after it was served a form is still trusted.
	tokenLife = 12 * time.Hour
	// workLife is how long a challenge may be solved and used.
	workLife = time.Hour
	// workSize is the largest number of a challenge: some 30,000 hashes on
	// average, a fifth of a second in a browser.
	workSize = 60_000
	// maxWork is the longest proof that is looked at, in bytes.
	maxWork = 2000
	// maxSpent is how many proofs are remembered as used.
	maxSpent = 1 << 17
	macSize  = 16
)

// keys are what tokens and challenges are signed with.
type keys struct{ token, work []byte }

func (f *Filter) signing() (keys, error) {
	f.keysOnce.Do(func() {
		if f.keys.token, f.keysErr = secret.Derive(f.app, "spam form time"); f.keysErr != nil {
			return
		}
		f.keys.work, f.keysErr = secret.Derive(f.app, "spam proof of work")
	})
	if f.keysErr != nil {
		return keys{}, fmt.Errorf("sign a challenge: %w", f.keysErr)
	}
	return f.keys, nil
}

// Work is a challenge of ALTCHA's protocol, version 1.
type Work struct {
	Algorithm string `json:"algorithm"`
	Challenge string `json:"challenge"`
	MaxNumber int64  `json:"maxnumber"`
	Salt      string `json:"salt"`
	Signature string `json:"signature"`
}

// Challenge is what a form needs to be trusted.
type Challenge struct {
	Token string `json:"t"`
	Work  Work   `json:"pow"`
}

// Challenge makes one. It stores nothing.
func (f *Filter) Challenge() (Challenge, error) {
	k, err := f.signing()
	if err != nil {
		return Challenge{}, err
	}
	now := f.now()
	expires := now.Add(workLife)
	made, err := altcha.CreateChallenge(altcha.ChallengeOptions{
		Algorithm: altcha.SHA256, MaxNumber: workSize, HMACKey: string(k.work), Expires: &expires,
	})
	if err != nil {
		return Challenge{}, fmt.Errorf("make a challenge: %w", err)
	}
	return Challenge{
		Token: signTime(k.token, now),
		Work: Work{Algorithm: made.Algorithm, Challenge: made.Challenge, MaxNumber: made.MaxNumber,
			Salt: made.Salt, Signature: made.Signature},
	}, nil
}

// signTime is a moment that only we can have written.
func signTime(key []byte, at time.Time) string {
	stamp := strconv.FormatInt(at.UnixMilli(), 36)
	return stamp + "." + mac(key, stamp)
}

func mac(key []byte, text string) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:macSize])
}

// readTime is the moment of a token, false for one that we did not write.
func readTime(key []byte, token string) (time.Time, bool) {
	stamp, sum, found := strings.Cut(token, ".")
	if !found || len(token) > 64 || !hmac.Equal([]byte(sum), []byte(mac(key, stamp))) {
		return time.Time{}, false
	}
	ms, err := strconv.ParseInt(stamp, 36, 64)
	if err != nil {
		return time.Time{}, false
	}
	return time.UnixMilli(ms), true
}

// checkTokens judges the time that the form took and the proof of work.
func (f *Filter) checkTokens(v *Verdict, s Submission, o *prepared, now time.Time) error {
	k, err := f.signing()
	if err != nil {
		return err
	}
	if s.Token != "" {
		served, ok := readTime(k.token, s.Token)
		switch took := now.Sub(served); {
		case !ok || took < -time.Minute:
			v.Add(LayerTime, 40, "The form's time is not one that this site signed.")
		case took < time.Duration(o.MinSeconds)*time.Second:
			v.Add(LayerTime, 60, "The form was sent %.1f seconds after it was served.", max(took.Seconds(), 0))
		case took > tokenLife:
			v.Add(LayerTime, 20, "The form was served long before it was sent.")
		}
	}
	switch outcome := f.checkWork(k.work, s.Work, now); {
	case s.Work == "" && s.Token == "":
		v.Add(LayerWork, HoldAt, "The form was sent without a script, so nothing shows that a browser sent it.")
	case outcome != "":
		v.Add(LayerWork, HoldAt, "%s", outcome)
	}
	if s.Token == "" && s.Work != "" {
		v.Add(LayerTime, 20, "The form did not say when it was served.")
	}
	return nil
}

// checkWork says what is wrong with a proof, "" if it is good, and spends it.
func (f *Filter) checkWork(key []byte, work string, now time.Time) string {
	if work == "" {
		return "The proof of work is missing."
	}
	if len(work) > maxWork {
		return "The proof of work is not one."
	}
	raw, err := base64.StdEncoding.DecodeString(work)
	var p altcha.Payload
	if err != nil || json.Unmarshal(raw, &p) != nil || p.Algorithm != string(altcha.SHA256) {
		return "The proof of work is not one."
	}
	if ok, err := altcha.VerifySolutionSafe(p, string(key), false); err != nil || !ok {
		return "The proof of work is wrong."
	}
	expires, err := expiry(p.Salt)
	if err != nil || !now.Before(expires) {
		return "The proof of work is too old."
	}
	if !f.spent.use(p.Signature, expires, now) {
		return "The proof of work was used before."
	}
	return ""
}

// expiry reads the signed parameter of a salt.
func expiry(salt string) (time.Time, error) {
	_, params, _ := strings.Cut(salt, "?")
	values, err := url.ParseQuery(params)
	if err != nil {
		return time.Time{}, err
	}
	unix, err := strconv.ParseInt(values.Get("expires"), 10, 64)
	return time.Unix(unix, 0), err
}

// spent remembers the proofs that were used until they expire. It is in memory
// alone: a restart lets a proof that is younger than an hour pass once more.
type spent struct {
	mu    sync.Mutex
	until map[string]time.Time
	order []string
}

// use reports whether the proof is new, and notes it.
func (s *spent) use(signature string, expires, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.until == nil {
		s.until = map[string]time.Time{}
	}
	for len(s.order) > 0 && (len(s.order) >= maxSpent || !s.until[s.order[0]].After(now)) {
		delete(s.until, s.order[0])
		s.order = s.order[1:]
	}
	if _, used := s.until[signature]; used {
		return false
	}
	signature = strings.Clone(signature)
	s.until[signature] = expires
	s.order = append(s.order, signature)
	return true
}

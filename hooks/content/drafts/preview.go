package drafts

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"

	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/secret"
	"github.com/pocketbase/pocketbase/core"
)

// macSize is how much of the signature a link carries, in bytes.
const macSize = 16

// PreviewToken signs a link that shows the person's present version of a text
// to anybody for PreviewDays days, as long as the person may edit the text.
func PreviewToken(app core.App, person, record *core.Record, now time.Time) (string, error) {
	expires := now.Add(PreviewDays * 24 * time.Hour)
	said := strings.Join([]string{kind(record.Collection().Name), record.Id, person.Id}, " ")
	raw := binary.BigEndian.AppendUint32(nil, uint32(expires.Unix()))
	raw = append(raw, said...)
	mac, err := sign(app, raw)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(append(mac, raw...)), nil
}

func sign(app core.App, raw []byte) ([]byte, error) {
	key, err := secret.Derive(app, "preview")
	if err != nil {
		return nil, err
	}
	h := hmac.New(sha256.New, key)
	h.Write(raw)
	return h.Sum(nil)[:macSize], nil
}

// Preview gives what a link shows: a copy of the record that is not to be
// saved. ErrMissing is for a link that is old or forged, whose text is gone, or
// whose maker may not edit the text any more.
func Preview(app core.App, token string, now time.Time) (*core.Record, error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) < macSize+4 || len(raw) > 200 {
		return nil, ErrMissing
	}
	mac, said := raw[:macSize], raw[macSize:]
	wanted, err := sign(app, said)
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(mac, wanted) || now.Unix() > int64(binary.BigEndian.Uint32(said)) {
		return nil, ErrMissing
	}
	parts := strings.Split(string(said[4:]), " ")
	if len(parts) != 3 {
		return nil, ErrMissing
	}
	collection := schema.Posts
	if parts[0] == kind(schema.Pages) {
		collection = schema.Pages
	}
	person, err := accountByID(app, parts[2])
	if err != nil {
		return nil, err
	}
	if person == nil {
		return nil, ErrMissing
	}
	record, err := Open(app, person, collection, parts[1])
	if err != nil {
		return nil, err
	}
	_, v, err := Draft(app, person, record)
	if err != nil {
		return nil, err
	}
	return v.Preview(record)
}

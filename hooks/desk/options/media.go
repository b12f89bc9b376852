package options

import (
	"cmp"
	"fmt"
	"net/mail"
	"slices"
	"strings"

	"bungalow/hooks/kit/desk"
	kitmail "bungalow/hooks/kit/mail"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// picture is one of the media library, as the fields for pictures offer it.
type picture struct{ ID, Label, Thumb string }

// offered is how many pictures such a field offers where no script runs: the
// newest of those that fit the search.
const offered = 60

// pictures lists those that fit the words, after those that are chosen now.
func pictures(app core.App, query string, chosen ...any) ([]picture, error) {
	if !app.HasTable(schema.Media) {
		return nil, nil
	}
	fits := []dbx.Expression{dbx.HashExp{"kind": "image", "trashed_at": ""}}
	for _, word := range strings.Fields(query)[:min(len(strings.Fields(query)), 8)] {
		fits = append(fits, dbx.Or(dbx.Like("file", word), dbx.Like("alt", word), dbx.Like("caption", word)))
	}
	var records, now []*core.Record
	err := app.RecordQuery(schema.Media).AndWhere(dbx.And(fits...)).OrderBy("created DESC", "id").Limit(offered).All(&records)
	if err == nil {
		err = app.RecordQuery(schema.Media).AndWhere(dbx.In("id", chosen...)).All(&now)
	}
	if err != nil {
		return nil, fmt.Errorf("list the pictures: %w", err)
	}
	var list []picture
	for _, r := range append(now, records...) {
		p := picture{ID: r.Id, Label: cmp.Or(r.GetString("alt"), r.GetString("caption"), r.GetString("file"))}
		if file := r.GetString("file"); file != "" {
			p.Thumb = "/media/" + r.Id + "/" + file + "?w=320"
		}
		if !slices.ContainsFunc(list, func(known picture) bool { return known.ID == r.Id }) {
			list = append(list, p)
		}
	}
	return list, nil
}

// sendTest sends a message to whoever asks for it. What becomes of it stands
// under Mail.
func sendTest(e *desk.Event) error {
	err := kitmail.Send(e.App, kitmail.Message{
		To: mail.Address{Name: e.Auth.GetString("name"), Address: e.Auth.Email()}, Template: "test", Locale: e.Locale(),
	})
	if err != nil {
		return err
	}
	return e.Done(desk.Href("mail"), "The test is on its way to %s. Its state is shown here.", e.Auth.Email())
}

// zoneNames are the time zones that most people live in.
const zoneNames = `UTC
Africa/Cairo Africa/Johannesburg Africa/Lagos Africa/Nairobi
America/Anchorage America/Argentina/Buenos_Aires America/Bogota America/Chicago America/Denver America/Halifax America/Lima
America/Los_Angeles America/Mexico_City America/New_York America/Phoenix America/Santiago America/Sao_Paulo America/St_Johns America/Toronto America/Vancouver
Asia/Bangkok Asia/Dhaka Asia/Dubai Asia/Ho_Chi_Minh Asia/Hong_Kong Asia/Istanbul Asia/Jakarta Asia/Jerusalem Asia/Karachi Asia/Kathmandu
Asia/Kolkata Asia/Manila Asia/Riyadh Asia/Seoul Asia/Shanghai Asia/Singapore Asia/Taipei Asia/Tashkent Asia/Tehran Asia/Tokyo
Atlantic/Azores Atlantic/Reykjavik Australia/Adelaide Australia/Brisbane Australia/Melbourne Australia/Perth Australia/Sydney
Europe/Amsterdam Europe/Athens Europe/Belgrade Europe/Berlin Europe/Brussels Europe/Bucharest Europe/Budapest Europe/Copenhagen Europe/Dublin Europe/Helsinki
Europe/Istanbul Europe/Kyiv Europe/Lisbon Europe/London Europe/Madrid Europe/Oslo Europe/Paris Europe/Prague Europe/Rome Europe/Sofia
Europe/Stockholm Europe/Vienna Europe/Warsaw Europe/Zurich Pacific/Auckland Pacific/Fiji Pacific/Honolulu`

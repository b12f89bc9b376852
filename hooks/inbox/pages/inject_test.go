package pages_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"bungalow/hooks/inbox"
	"bungalow/hooks/kit/mail"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
)

// What would end a header's line, or a text, is refused in each field of the
// inbox, and so is what is far too long; a header is never added.
func TestNoFieldOfTheInboxAddsAHeader(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	_, cookie := answerer(t, app)
	c := receive(t, app, inbox.Submission{Subject: "Hours\r\nBcc: eve@example.com", Name: "Ann\nTo: eve@example.com", Email: "ann@example.com", Text: "When?"})
	path := inbox.Path(c.Id)
	for name, test := range map[string]struct {
		path string
		form url.Values
	}{
		"a copy with a new line":     {path + "reply/", url.Values{"text": {"At ten."}, "cc": {"bob@example.com\r\nBcc: eve@example.com"}}},
		"a copy folded":              {path + "reply/", url.Values{"text": {"At ten."}, "cc": {"bob@example.com,\r\n eve@example.com"}}},
		"a copy with NUL":            {path + "reply/", url.Values{"text": {"At ten."}, "cc": {"bob@example.com\x00"}}},
		"NUL in an answer":           {path + "reply/", url.Values{"text": {"At\x00ten."}}},
		"NUL in a note":              {path + "note/", url.Values{"text": {"At\x00ten."}}},
		"10 MB of answer":            {path + "reply/", url.Values{"text": {strings.Repeat("long ", 2_000_000)}}},
		"10 MB of copies":            {path + "reply/", url.Values{"text": {"At ten."}, "cc": {strings.Repeat("a@example.com, ", 700_000)}}},
		"10 MB of note":              {path + "note/", url.Values{"text": {strings.Repeat("long ", 2_000_000)}}},
		"an address with a new line": {"/desk/settings/inbox/", url.Values{"address": {"hello@example.com\r\nBcc: eve@example.com"}}},
	} {
		res, _ := desk(app, http.MethodPost, test.path, cookie, test.form)
		if res.StatusCode < 400 || res.StatusCode > 499 {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
	if n, err := app.CountRecords(schema.Messages); err != nil || n != 1 {
		t.Errorf("%d messages, want the visitor's alone; %v", n, err)
	}
	if list, err := mail.List(app, mail.Filter{}); err != nil || len(list) != 0 {
		t.Errorf("%d mails were sent, %v", len(list), err)
	}
	if c.GetString("subject") != "Hours Bcc: eve@example.com" || c.GetString("name") != "Ann To: eve@example.com" {
		t.Errorf("stored %q, %q", c.GetString("subject"), c.GetString("name"))
	}
}

package mail

import (
	"fmt"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/mailer"
)

func testOutbox(t *testing.T) (*outbox, *time.Time) {
	t.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir()})
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return newOutbox(app, filepath.Join(t.TempDir(), "deep", "outbox"), func() time.Time { return now }), &now
}

func letter(id string, body string) *mailer.Message {
	m := &mailer.Message{
		From: netmail.Address{Address: "a@example.com"}, To: []netmail.Address{{Address: "b@example.com"}},
		Subject: "hi", Text: body,
	}
	if id != "" {
		m.Headers = map[string]string{"Message-ID": id}
	}
	return m
}

func TestOutboxKeepsTheNewest(t *testing.T) {
	t.Parallel()
	o, now := testOutbox(t)
	o.maxFiles = 3
	for i := range 6 {
		*now = now.Add(time.Second)
		must(t, o.Send(letter("", fmt.Sprint("letter ", i))))
	}
	files := o.files()
	if len(files) != 3 || !strings.HasPrefix(files[0].name, "20260101T000004") {
		t.Fatalf("%v", files)
	}
	o.maxBytes = files[2].size + 10
	*now = now.Add(time.Second)
	must(t, o.Send(letter("", "letter 6")))
	if files = o.files(); len(files) != 1 || !strings.HasPrefix(files[0].name, "20260101T000007") {
		t.Fatalf("by size: %v", files)
	}
	o.maxBytes = 1 // even the newest alone is too large; it stays
	*now = now.Add(time.Second)
	must(t, o.Send(letter("", "letter 7")))
	if files = o.files(); len(files) != 1 || !strings.HasPrefix(files[0].name, "20260101T000008") {
		t.Fatalf("the newest: %v", files)
	}
}

func TestOutboxFoldsADuplicate(t *testing.T) {
	t.Parallel()
	o, now := testOutbox(t)
	must(t, o.Send(letter("<1@example.com>", "first")))
	must(t, o.Send(letter("<2@example.com>", "other")))
	*now = now.Add(time.Hour)
	must(t, o.Send(letter("<1@example.com>", "again")))
	files := o.files()
	if len(files) != 2 {
		t.Fatalf("%v", files)
	}
	entries, err := os.ReadDir(o.dir)
	must(t, err)
	if len(entries) != 2 {
		t.Fatalf("something else lies in the outbox: %v", entries)
	}
}

func TestOutboxSaysWhyItFails(t *testing.T) {
	t.Parallel()
	o, _ := testOutbox(t)
	must(t, os.MkdirAll(filepath.Dir(o.dir), 0o700))
	must(t, os.WriteFile(o.dir, nil, 0o600)) // a file where the folder should be
	if err := o.Send(letter("", "x")); err == nil || !strings.Contains(err.Error(), "outbox") {
		t.Fatalf("%v", err)
	}
}

// Whatever stands in a header, the message keeps its one sender and recipients
// and gains no field.
func FuzzCompose(f *testing.F) {
	f.Add("a@example.com", "Name", "Subject", "X-Tag", "value", "text")
	f.Add("a@example.com", "N\r\nBcc: x@y.z", "S\nX-Evil: 1", "X-Evil: 1\r\nX", "v\r\nX-Evil: 1", ".\r\n.")
	f.Add("a@example.com", "Doe, \"J\"", "=?utf-8?q?=0AX-Evil:_1?=", "Bcc", "x@y.z", "\x00\xff")
	f.Add("a b@müller.example", "\u202eevil", strings.Repeat("長", 300), "message-id", "<1@x>", "")
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, address, name, subject, header, value, text string) {
		to, err := cleanAddress(netmail.Address{Name: name, Address: address})
		if err != nil {
			return
		}
		raw, err := compose(&mailer.Message{
			From: netmail.Address{Name: name, Address: "me@example.com"}, To: []netmail.Address{to},
			Subject: subject, Text: text, HTML: text, Headers: map[string]string{header: value},
		}, now, true)
		if err != nil {
			t.Fatal(err)
		}
		m, err := netmail.ReadMessage(strings.NewReader(string(raw)))
		if err != nil {
			t.Fatalf("%v\n%s", err, raw)
		}
		list, err := m.Header.AddressList("To")
		if err != nil || len(list) != 1 || list[0].Address != to.Address {
			t.Fatalf("to %v, %v\n%s", list, err, raw)
		}
		if from, err := m.Header.AddressList("From"); err != nil || len(from) != 1 || from[0].Address != "me@example.com" {
			t.Fatalf("from %v, %v\n%s", from, err, raw)
		}
		known := headersOf(&mailer.Message{Headers: map[string]string{header: value}})
		for field, values := range m.Header {
			switch field {
			case "Date", "From", "To", "Subject", "Message-Id", "Mime-Version", "Content-Type", "Content-Transfer-Encoding":
			default:
				if _, ok := known[field]; !ok {
					t.Fatalf("field %q\n%s", field, raw)
				}
			}
			if len(values) != 1 {
				t.Fatalf("field %q has %d values\n%s", field, len(values), raw)
			}
		}
	})
}

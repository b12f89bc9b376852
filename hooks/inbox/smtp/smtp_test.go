package smtp_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	gosmtp "net/smtp"
	"strings"
	"testing"

	"bungalow/hooks/inbox/smtp"
	"bungalow/tests/postoffice"
)

// receiver runs one for hello@haus.example.
func receiver(t *testing.T, deliver func(raw []byte, to []string, ip string) error) string {
	t.Helper()
	config, err := smtp.TLS("", "", "haus.example")
	if err != nil {
		t.Fatal(err)
	}
	s, err := smtp.Start(smtp.Config{
		Addr: "127.0.0.1:0", TLS: config, Domain: "haus.example", MaxBytes: 10_000, Log: slog.New(slog.DiscardHandler), Deliver: deliver,
		Ours: func(address string) (bool, error) {
			if address == "broken@haus.example" {
				return false, errors.New("the database is locked")
			}
			return address == "hello@haus.example", nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop(context.Background()) })
	return s.Addr().String()
}

// A sender's server is told of each outcome by its own code: 4xx where it is
// worth another try, 5xx where it is not.
func TestEachOutcomeHasItsCode(t *testing.T) {
	t.Parallel()
	outcomes := map[string]error{"fine": nil, "large": smtp.ErrTooLarge, "full": smtp.ErrFull, "unwanted": smtp.ErrRefused, "broken": io.ErrUnexpectedEOF}
	address := receiver(t, func(raw []byte, to []string, ip string) error {
		if len(to) != 1 || to[0] != "hello@haus.example" || ip != "127.0.0.1" {
			t.Errorf("delivered to %v from %s", to, ip)
		}
		for word, err := range outcomes {
			if strings.Contains(string(raw), word) {
				return err
			}
		}
		return errors.New("which mail is this?")
	})
	for _, test := range []struct{ to, text, want string }{
		{"hello@haus.example", "fine", ""}, {"hello@haus.example", "large", "552"}, {"hello@haus.example", "full", "452"},
		{"hello@haus.example", "unwanted", "550"}, {"hello@haus.example", "broken", "451"},
		{"somebody@else.example", "fine", "550"}, {"broken@haus.example", "fine", "451"},
		{"hello@haus.example", strings.Repeat("too long for this one\r\n", 1000), "552"},
	} {
		err := postoffice.Bring(address, "ann@example.com", []string{test.to}, postoffice.Letter("ann@example.com", test.to, "<1@x>", test.text))
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want)) {
			t.Errorf("%.20q to %s: %v, want %s", test.text, test.to, err, test.want)
		}
	}
}

// One address of the network brings so many mails at once and is then slowed.
func TestThePaceOfOneAddressIsBounded(t *testing.T) {
	t.Parallel()
	address := receiver(t, func([]byte, []string, string) error { return nil })
	c, err := gosmtp.Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	taken := 0
	for ; taken < 10*smtp.Burst; taken++ {
		if err = c.Mail("ann@example.com"); err != nil {
			break
		}
		if err = c.Reset(); err != nil {
			t.Fatal(err)
		}
	}
	if taken < smtp.Burst || err == nil || !strings.HasPrefix(err.Error(), "451") {
		t.Errorf("after %d mails: %v", taken, err)
	}
}

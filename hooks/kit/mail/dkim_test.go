package mail

import (
	"bytes"
	"context"
	"errors"
	"net"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/mailer"
)

// records is a DNS for tests.
type records struct {
	txt map[string][]string
	mx  map[string][]*net.MX
	err error
}

func (r records) LookupTXT(_ context.Context, name string) ([]string, error) {
	if found := r.txt[name]; len(found) > 0 || r.err != nil {
		return found, r.err
	}
	return nil, &net.DNSError{IsNotFound: true}
}

func (r records) LookupMX(_ context.Context, name string) ([]*net.MX, error) {
	if found := r.mx[name]; len(found) > 0 || r.err != nil {
		return found, r.err
	}
	return nil, &net.DNSError{IsNotFound: true}
}

func signing(t *testing.T) (core.App, *Signing) {
	t.Helper()
	app := newApp(t, Options{DKIMDomain: "haus.example"})
	if _, err := DKIM(app); !errors.Is(err, ErrNoKey) {
		t.Fatalf("%v", err)
	}
	key, err := MakeDKIM(app)
	must(t, err)
	return app, key
}

func TestDKIMKeysAreMadeOnceAndKeptPrivate(t *testing.T) {
	t.Parallel()
	app, key := signing(t)
	again, err := MakeDKIM(app)
	must(t, err)
	name, text, err := key.Record()
	must(t, err)
	if _, other, _ := again.Record(); other != text || name != "bungalow._domainkey.haus.example" || !strings.HasPrefix(text, "v=DKIM1; k=rsa; p=") {
		t.Errorf("%s %s", name, text)
	}
	info, err := os.Stat(filepath.Join(app.DataDir(), KeyFile))
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	must(t, os.WriteFile(filepath.Join(app.DataDir(), KeyFile), []byte("x"), 0o600))
	if _, err := MakeDKIM(app); err == nil {
		t.Error("a damaged key was overwritten")
	}
}

func TestSignaturesAreRight(t *testing.T) {
	t.Parallel()
	app, key := signing(t)
	s, err := serviceOf(app)
	must(t, err)
	raw, err := compose(&mailer.Message{
		From: netmail.Address{Name: "Haus, Hof", Address: "hello@haus.example"}, To: []netmail.Address{{Address: "a@example.com"}},
		Subject: "Grüße", Text: "text\n.\nFrom here", HTML: "<p>x</p>", Headers: map[string]string{"References": "<a@b> <c@d>"},
	}, s.cfg.Now(), false)
	must(t, err)
	signed, err := key.sign(raw)
	must(t, err)
	name, text, err := key.Record()
	must(t, err)
	results, err := dkim.VerifyWithOptions(bytes.NewReader(signed), &dkim.VerifyOptions{LookupTXT: func(domain string) ([]string, error) {
		if domain != name {
			return nil, errors.New("asked for " + domain)
		}
		return []string{text}, nil
	}})
	must(t, err)
	if len(results) != 1 || results[0].Err != nil || results[0].Domain != "haus.example" {
		t.Errorf("%+v", results)
	}
	if none, err := (*Signing)(nil).sign(raw); err != nil || !bytes.Equal(none, raw) {
		t.Error("without a key the mail changes")
	}
}

func TestWhatTheDNSSays(t *testing.T) {
	t.Parallel()
	_, key := signing(t)
	name, text, err := key.Record()
	must(t, err)
	good := records{
		txt: map[string][]string{"haus.example": {"google=x", "v=spf1 mx -all"}, name: {text}, "_dmarc.haus.example": {"v=DMARC1; p=quarantine"}},
		mx:  map[string][]*net.MX{"haus.example": {{Host: "mx.haus.example."}}},
	}
	for _, f := range CheckDNS(t.Context(), good, "haus.example", key) {
		if !f.OK || f.Found == "" || f.Text == "" {
			t.Errorf("%+v", f)
		}
	}
	bad := records{txt: map[string][]string{
		"haus.example": {"v=spf1 a", "v=spf1 mx"}, name: {"v=DKIM1; p=other"}, "_dmarc.haus.example": {"v=DMARC1; p=none", "v=DMARC1; p=reject"},
	}}
	for _, r := range []Resolver{bad, records{}, records{err: errors.New("timeout")}} {
		for _, f := range CheckDNS(t.Context(), r, "haus.example", key) {
			if f.OK || f.Text == "" {
				t.Errorf("%+v", f)
			}
		}
	}
	if f := CheckDNS(t.Context(), good, "haus.example", nil)[1]; f.OK {
		t.Errorf("%+v", f)
	}
	open := records{txt: map[string][]string{"haus.example": {"v=spf1 +all"}}}
	if f := CheckDNS(t.Context(), open, "haus.example", nil)[0]; f.OK || !strings.Contains(f.Text, "every server") {
		t.Errorf("%+v", f)
	}
}

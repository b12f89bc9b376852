package mail

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/pocketbase/pocketbase/core"
)

// KeyFile is where the key that signs our mails lies, inside the data folder.
const KeyFile = "dkim.key"

// DefaultSelector names the key in the DNS unless the settings say otherwise.
const DefaultSelector = "bungalow"

// keyBits is what every receiver can check (RFC 8301, section 3.2).
const keyBits = 2048

var selectorName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// ErrNoKey says that no key was made yet.
var ErrNoKey = errors.New("there is no DKIM key yet; make one with: bungalow mail dkim")

// Signing is the key of a site with its name in the DNS.
type Signing struct {
	Domain   string
	Selector string
	key      crypto.Signer
}

// Record is the name and the text of the TXT record that the DNS needs.
func (s *Signing) Record() (name, text string, err error) {
	public, err := x509.MarshalPKIXPublicKey(s.key.Public())
	if err != nil {
		return "", "", fmt.Errorf("write the public key: %w", err)
	}
	return s.Selector + "._domainkey." + s.Domain, "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(public), nil
}

// sign puts a DKIM-Signature before the message (RFC 6376); a nil Signing
// leaves the message as it is.
func (s *Signing) sign(raw []byte) ([]byte, error) {
	if s == nil {
		return raw, nil
	}
	var out bytes.Buffer
	err := dkim.Sign(&out, bytes.NewReader(raw), &dkim.SignOptions{
		Domain: s.Domain, Selector: s.Selector, Signer: s.key,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
		HeaderKeys: []string{"From", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Reply-To",
			"MIME-Version", "Content-Type", "List-Unsubscribe", "List-Unsubscribe-Post"},
	})
	if err != nil {
		return nil, fmt.Errorf("sign a mail: %w", err)
	}
	return out.Bytes(), nil
}

// signature is the site's key for mail of its sender, nil where none was made.
func (s *service) signature(app core.App) (*Signing, error) {
	signing, err := DKIM(app)
	if errors.Is(err, ErrNoKey) {
		return nil, nil
	}
	return signing, err
}

// DKIM gives the site's key. ErrNoKey says that there is none.
func DKIM(app core.App) (*Signing, error) {
	s, err := serviceOf(app)
	if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(filepath.Join(app.DataDir(), KeyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoKey
	}
	if err != nil {
		return nil, fmt.Errorf("read the DKIM key: %w", err)
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, fmt.Errorf("the file %s holds no key; delete it and make a new one", KeyFile)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read the DKIM key: %w", err)
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("the key in %s is not an RSA key; delete it and make a new one", KeyFile)
	}
	o := s.cfg.Options()
	signing := &Signing{Domain: o.DKIMDomain, Selector: o.DKIMSelector, key: key}
	if signing.Selector == "" || !selectorName.MatchString(signing.Selector) {
		signing.Selector = DefaultSelector
	}
	if signing.Domain == "" {
		_, signing.Domain, _ = strings.Cut(app.Settings().Meta.SenderAddress, "@")
	}
	if signing.Domain = asciiDomain(signing.Domain); signing.Domain == "" {
		return nil, errors.New("mail can't be signed: the sender's address of the mail settings has no domain")
	}
	return signing, nil
}

// MakeDKIM makes the site's key where there is none, and gives it.
func MakeDKIM(app core.App) (*Signing, error) {
	signing, err := DKIM(app)
	if !errors.Is(err, ErrNoKey) {
		return signing, err
	}
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fmt.Errorf("make a DKIM key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make a DKIM key: %w", err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := writeAtomic(app.DataDir(), KeyFile, block); err != nil {
		return nil, fmt.Errorf("save the DKIM key: %w", err)
	}
	return DKIM(app)
}

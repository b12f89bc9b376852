package settings

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"reflect"
	"strings"

	"bungalow/hooks/kit/secret"
	"github.com/pocketbase/pocketbase/core"
)

// sealedPrefix begins a secret as it is stored. What is stored without it was
// written by hand, or by an older build, and is read as it is.
const sealedPrefix = "sealed:1:"

// secrets calls do for each text field of a struct that is tagged kind:"secret",
// with the name of its JSON key.
func secrets(v reflect.Value, do func(name string, field reflect.Value) error) error {
	if v.Kind() != reflect.Struct {
		return nil
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			if err := secrets(v.Field(i), do); err != nil {
				return err
			}
			continue
		}
		if f.Tag.Get("kind") != "secret" || f.Type.Kind() != reflect.String {
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if err := do(name, v.Field(i)); err != nil {
			return err
		}
	}
	return nil
}

// openSecrets makes the secrets of a pointer to options readable. One that the
// site's key doesn't open, because the key was lost, counts as not set: it
// has to be typed in again, and everything else goes on.
func openSecrets(app core.App, feature string, options any) error {
	return secrets(reflect.ValueOf(options).Elem(), func(name string, field reflect.Value) error {
		if !strings.HasPrefix(field.String(), sealedPrefix) {
			return nil
		}
		box, err := boxOf(app)
		if err != nil {
			return err
		}
		plain, err := open(box, field.String(), feature+"."+name)
		if err != nil {
			app.Logger().Error("a secret of the settings can't be opened with the site's key; type it in again", "feature", feature, "name", name)
		}
		field.SetString(plain)
		return nil
	})
}

// sealSecrets replaces the secrets in what is about to be stored.
func sealSecrets(app core.App, feature string, options any, stored map[string]any) error {
	return secrets(reflect.Indirect(reflect.ValueOf(options)), func(name string, field reflect.Value) error {
		if field.String() == "" {
			return nil
		}
		box, err := boxOf(app)
		if err != nil {
			return err
		}
		stored[name], err = seal(box, field.String(), feature+"."+name)
		return err
	})
}

func boxOf(app core.App) (cipher.AEAD, error) {
	key, err := secret.Derive(app, "settings")
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// seal encrypts a secret with AES-256-GCM (NIST SP 800-38D). place binds it to
// its field, so that it opens nowhere else.
func seal(box cipher.AEAD, plain, place string) (string, error) {
	nonce := make([]byte, box.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return "", err
	}
	return sealedPrefix + base64.RawStdEncoding.EncodeToString(box.Seal(nonce, nonce, []byte(plain), []byte(place))), nil
}

func open(box cipher.AEAD, sealed, place string) (string, error) {
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimPrefix(sealed, sealedPrefix))
	if err != nil || len(raw) < box.NonceSize() {
		return "", fmt.Errorf("a sealed secret is damaged")
	}
	plain, err := box.Open(nil, raw[:box.NonceSize()], raw[box.NonceSize():], []byte(place))
	return string(plain), err
}

package inbox

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"

	"bungalow/hooks/kit/secret"
	"github.com/pocketbase/pocketbase/core"
)

// sealed begins what was encrypted with the site's key, so that a leaked
// database gives away no password.
const sealed = "sealed:"

// seal encrypts a secret; one that is sealed already, and none, stay.
func seal(app core.App, plain string) (string, error) {
	if plain == "" || strings.HasPrefix(plain, sealed) {
		return plain, nil
	}
	box, err := sealer(app)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, box.NonceSize())
	_, _ = rand.Read(nonce) // never fails since Go 1.24
	return sealed + base64.RawStdEncoding.EncodeToString(box.Seal(nonce, nonce, []byte(plain), nil)), nil
}

// unseal gives the secret back. What was written by hand is taken as it is.
func unseal(app core.App, stored string) (string, error) {
	coded, ok := strings.CutPrefix(stored, sealed)
	if !ok {
		return stored, nil
	}
	box, err := sealer(app)
	if err != nil {
		return "", err
	}
	raw, err := base64.RawStdEncoding.DecodeString(coded)
	if err == nil && len(raw) > box.NonceSize() {
		var plain []byte
		if plain, err = box.Open(nil, raw[:box.NonceSize()], raw[box.NonceSize():], nil); err == nil {
			return string(plain), nil
		}
	}
	return "", errors.New("the stored password can't be read with this site's key; enter it again")
}

func sealer(app core.App) (cipher.AEAD, error) {
	key, err := secret.Derive(app, "settings of the inbox")
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

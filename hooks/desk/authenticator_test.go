package desk_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"testing"
)

// authenticator is a key in software that answers as a browser with a passkey
// does (WebAuthn Level 2, sections 6.1 and 6.5), with what a test spoils.
type authenticator struct {
	t       *testing.T
	key     *ecdsa.PrivateKey
	id      []byte
	handle  []byte // of the account, given at the registration
	counter uint32

	origin string // where the browser says that the page is
	site   string // the name that the answer is for
	flags  byte
}

// Flags of the data of an authenticator.
const (
	userPresent  = 0x01
	userVerified = 0x04
	withKey      = 0x40
)

func newAuthenticator(t *testing.T) *authenticator {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 32)
	if _, err := rand.Read(id); err != nil {
		t.Fatal(err)
	}
	return &authenticator{t: t, key: key, id: id, origin: "http://localhost", site: "localhost", flags: userPresent | userVerified}
}

// wanted is what a page is told to give the browser.
type wanted struct {
	Token   string `json:"token"`
	Options struct {
		PublicKey struct {
			Challenge string `json:"challenge"`
			User      struct {
				ID string `json:"id"`
			} `json:"user"`
		} `json:"publicKey"`
	} `json:"options"`
}

func b64(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// data is the authenticator's data, with the public key where it is new.
func (a *authenticator) data(extra byte, key []byte) []byte {
	name := sha256.Sum256([]byte(a.site))
	out := append(name[:], a.flags|extra)
	return append(binary.BigEndian.AppendUint32(out, a.counter), key...)
}

// said is what the browser says that it was asked.
func (a *authenticator) said(kind, challenge string) []byte {
	raw, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": a.origin, "crossOrigin": false})
	if err != nil {
		a.t.Fatal(err)
	}
	return raw
}

// create makes the answer that registers the key.
func (a *authenticator) create(w wanted) map[string]any {
	a.t.Helper()
	handle, err := base64.RawURLEncoding.DecodeString(w.Options.PublicKey.User.ID)
	if err != nil {
		a.t.Fatal(err)
	}
	a.handle = handle
	point, err := a.key.PublicKey.Bytes()
	if err != nil {
		a.t.Fatal(err)
	}
	var key bytes.Buffer
	key.Write(make([]byte, 16)) // no model is told
	key.Write(binary.BigEndian.AppendUint16(nil, uint16(len(a.id))))
	key.Write(a.id)
	// COSE: {1: 2, 3: -7, -1: 1, -2: x, -3: y} (RFC 9053, section 7.1.1)
	key.Write([]byte{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 32})
	key.Write(point[1:33])
	key.Write([]byte{0x22, 0x58, 32})
	key.Write(point[33:])
	data := a.data(withKey, key.Bytes())
	var object bytes.Buffer
	object.WriteString("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59")
	object.Write(binary.BigEndian.AppendUint16(nil, uint16(len(data))))
	object.Write(data)
	return a.credential(map[string]any{"clientDataJSON": b64(a.said("webauthn.create", w.Options.PublicKey.Challenge)), "attestationObject": b64(object.Bytes())})
}

// get makes the answer that signs in.
func (a *authenticator) get(w wanted) map[string]any {
	a.t.Helper()
	a.counter++
	data, said := a.data(0, nil), a.said("webauthn.get", w.Options.PublicKey.Challenge)
	hash := sha256.Sum256(said)
	digest := sha256.Sum256(append(bytes.Clone(data), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, digest[:])
	if err != nil {
		a.t.Fatal(err)
	}
	return a.credential(map[string]any{
		"clientDataJSON": b64(said), "authenticatorData": b64(data), "signature": b64(signature), "userHandle": b64(a.handle),
	})
}

func (a *authenticator) credential(response map[string]any) map[string]any {
	return map[string]any{"id": b64(a.id), "rawId": b64(a.id), "type": "public-key", "response": response, "clientExtensionResults": map[string]any{}}
}

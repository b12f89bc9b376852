package inbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	netmail "net/mail"
	"strings"

	"bungalow/hooks/kit/secret"
	"github.com/pocketbase/pocketbase/core"
)

const (
	idLength = 15 // of a record's id
	macBytes = 10 // 80 bits: 16 characters of base32
	macChars = 16
	maxLocal = 64 // of the left side of an address (RFC 5321, section 4.5.3.1.1)
)

var macCode = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// mac authenticates what we put into addresses and Message-IDs.
func mac(app core.App, purpose, text string) (string, error) {
	key, err := secret.Derive(app, "inbox "+purpose)
	if err != nil {
		return "", err
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return macCode.EncodeToString(h.Sum(nil)[:macBytes]), nil
}

func macFits(app core.App, purpose, text, given string) bool {
	want, err := mac(app, purpose, text)
	return err == nil && hmac.Equal([]byte(want), []byte(strings.ToLower(given)))
}

// ReplyAddress is where an answer to this conversation is to go: the inbox's
// address with a token, or without one where plus-addresses are off or the
// address would get too long.
func ReplyAddress(app core.App, conversation string) (netmail.Address, error) {
	o, err := Load(app)
	if err != nil {
		return netmail.Address{}, err
	}
	a := address(app, o)
	local, domain, ok := strings.Cut(a.Address, "@")
	if !ok || !o.PlusAddress || len(local)+1+idLength+macChars > maxLocal {
		return a, nil
	}
	token, err := mac(app, "reply address", conversation)
	if err != nil {
		return a, err
	}
	a.Address = local + "+" + conversation + token + "@" + domain
	return a, nil
}

// MessageID is the Message-ID of a mail that belongs to a conversation. The
// same two ids give the same one.
func MessageID(app core.App, conversation, message string) (string, error) {
	token, err := mac(app, "message id", conversation+"."+message)
	if err != nil {
		return "", err
	}
	return "<" + conversation + "." + message + "." + token + "@" + domain(app, Address(app).Address) + ">", nil
}

// fromAddress reads the conversation from an address with a token, or "".
func fromAddress(app core.App, recipient string) string {
	local, _, ok := strings.Cut(strings.ToLower(recipient), "@")
	plus := strings.LastIndexByte(local, '+')
	if !ok || plus < 0 || len(local)-plus-1 != idLength+macChars {
		return ""
	}
	conversation, token := local[plus+1:plus+1+idLength], local[plus+1+idLength:]
	if !macFits(app, "reply address", conversation, token) {
		return ""
	}
	return conversation
}

// fromMessageID reads conversation and message from a Message-ID of ours, or
// two empty strings. Some servers change the case of ids, so that is ignored.
func fromMessageID(app core.App, id string) (conversation, message string) {
	left, _, ok := strings.Cut(strings.ToLower(strings.Trim(id, "<> ")), "@")
	parts := strings.Split(left, ".")
	if !ok || len(parts) != 3 || len(parts[0]) != idLength || !macFits(app, "message id", parts[0]+"."+parts[1], parts[2]) {
		return "", ""
	}
	return parts[0], parts[1]
}

// refHash stands for a Message-ID in the table of references.
func refHash(id string) string {
	sum := sha256.Sum256([]byte(strings.Trim(id, "<> \t")))
	return hex.EncodeToString(sum[:16])
}

// normal is an address as participants are compared.
func normal(address string) string { return strings.ToLower(strings.TrimSpace(address)) }

func show(a netmail.Address) string {
	if a.Name == "" {
		return a.Address
	}
	return fmt.Sprintf("%s <%s>", a.Name, a.Address)
}

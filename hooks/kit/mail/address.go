package mail

import (
	"fmt"
	"mime"
	"net/mail"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
)

// The longest name or subject, in characters and in bytes when encoded: a line
// of a message holds 998 bytes at most (RFC 5322, section 2.1.1). More is cut.
const (
	maxRunes   = 250
	maxEncoded = 900
)

// cleanAddress checks an address and makes it safe for a header: the bare
// address must be one that net/mail takes and plain ASCII, its domain being
// converted (RFC 5891); the name loses control characters.
func cleanAddress(a mail.Address) (mail.Address, error) {
	local, domain, ok := cutLast(a.Address, "@")
	bare := local + "@" + asciiDomain(domain)
	parsed, err := mail.ParseAddress(bare)
	if !ok || err != nil || parsed.Address != bare || parsed.Name != "" || len(bare) > 254 || !plain(bare) {
		return mail.Address{}, fmt.Errorf("%w: %q", ErrAddress, a.Address)
	}
	return mail.Address{Name: cleanLine(a.Name), Address: bare}, nil
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return "", "", false
	}
	return s[:i], s[i+len(sep):], true
}

// asciiDomain returns the domain as a mail server knows it, or "".
func asciiDomain(domain string) string {
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil || ascii == "" || strings.ContainsFunc(ascii, func(r rune) bool {
		return r != '.' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
	}) {
		return ""
	}
	return ascii
}

// plain reports whether s is printable ASCII without spaces and the
// characters that could end or split an address.
func plain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"<>(),:;\[]`, r)
	})
}

// cleanLine makes a text fit for one header field: controls, line and
// paragraph separators and text-direction overrides become spaces, and what
// would read as an encoded word (RFC 2047) is broken up.
func cleanLine(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) {
			return ' '
		}
		return r
	}, s)
	s = strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "=?", "= ?")
	for runes := []rune(s); len(runes) > maxRunes || len(mime.QEncoding.Encode("utf-8", s)) > maxEncoded; {
		runes = runes[:min(maxRunes, len(runes)*9/10)]
		s = strings.TrimSpace(string(runes)) + "…"
		if len(runes) < maxRunes/4 {
			break
		}
	}
	return s
}

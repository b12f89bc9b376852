package people

import (
	"strings"
	"unicode/utf8"
)

const (
	// MinPassword is the shortest password, in characters (NIST SP 800-63B).
	MinPassword = 8
	// maxPassword is what bcrypt looks at, in bytes.
	maxPassword = 72
)

// obvious are the passwords that are tried first everywhere.
var obvious = []string{
	"password", "passw0rd", "password1", "password12", "password123", "12345678", "123456789", "1234567890", "11111111",
	"00000000", "qwertyui", "qwertyuiop", "qwerty123", "iloveyou", "sunshine", "princess", "football", "baseball", "superman",
	"letmein1", "welcome1", "welcome123", "admin123", "administrator", "bungalow", "changeme", "changeme1", "trustno1",
}

// PasswordFault says in English what is wrong with a new password, "" for
// nothing. The others are what the person is called, which is no password.
func PasswordFault(password string, others ...string) string {
	lower := strings.ToLower(password)
	switch {
	case utf8.RuneCountInString(password) < MinPassword:
		return "Take at least 8 characters. Three or four words that only you would put together are good."
	case len(password) > maxPassword:
		return "Take at most 72 characters."
	case strings.Trim(lower, lower[:1]) == "":
		return "This is one character over and over. Take something that nobody guesses."
	}
	for _, o := range obvious {
		if lower == o {
			return "This is one of the first passwords that anybody tries. Take another one."
		}
	}
	for _, o := range others {
		name, _, _ := strings.Cut(strings.ToLower(o), "@")
		if name != "" && (lower == name || lower == strings.ToLower(o)) {
			return "Your own name or address is too easy to guess. Take another one."
		}
	}
	return ""
}
